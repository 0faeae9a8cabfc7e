"""What LLVM is told to do, apart from LLVM itself, which takes a tenth of a second to import."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

TRIPLE: Final = "wasm32-unknown-unknown"
FEATURES: Final = "+bulk-memory,+bulk-memory-opt,+mutable-globals,+nontrapping-fptoint,+sign-ext"
"""What every proxy-wasm host of the last years has."""
INLINED: Final = 20
"""LLVM's measure of what is copied to where it is called; its own of 225 makes modules a third larger."""
QUICK: Final = (
    "sroa",
    "simplify_cfg",
    "instruction_combine",
    "jump_threading",
    "simplify_cfg",
    "dead_store_elimination",
    "instruction_combine",
    "simplify_cfg",
)
"""Passes for code that is large and seldom in the hottest loop. Not GVN: the one to be had alone (NewGVN) is
none of LLVM's own choice."""
VERSION: Final = f"llvmlite {version('llvmlite')}, {FEATURES}, {INLINED}, {QUICK}"
"""What the same text needs to give the same object; a release of llvmlite has one LLVM in it."""
