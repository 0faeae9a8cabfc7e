"""`meshext build`: filters to a module that Envoy runs."""

from __future__ import annotations

import atexit
import gc
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

Specs = Annotated[
    list[str], typer.Argument(metavar="SPEC...", help="path/to/file.py:Class, module:Class or a name.")
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="The module. [default: the filter's name.wasm]"),
]
Emit = Annotated[
    str,
    typer.Option(
        metavar="wasm|seating|STAGE",
        help="wasm, or as text: what is written to seat the filters, or the program as tree, built-ir, ir, "
        "llvm, optimised-llvm or assembly.",
    ),
]


def build(specs: Specs, output: Output = None, emit: Emit = "wasm") -> None:
    """Compile filters into one WebAssembly module for Envoy.

    Several filters become one chain, in the order given. The run-time library is compiled once and kept; the
    first build takes a minute or two, later ones seconds.

    Example: meshext build filters/examples/01_hello/filter.py:Hello -o hello.wasm
    """
    from meshext_wasm.build.collecting import no_collections

    atexit.register(
        gc.freeze
    )  # the search for cycles as the process ends would find what goes with it anyway
    with no_collections():
        run_build(specs, output, emit)


def run_build(specs: list[str], output: str | None, emit: str) -> None:
    """The verb, once it is known what is asked for."""
    from meshext.cli.faults import UsageError
    from meshext.cli.selection import compile_quietly
    from meshext_wasm.build.cache import user_cache
    from meshext_wasm.build.filters import build_filters, show_filters
    from meshext_wasm.build.showing import STAGES

    if emit not in ("wasm", "seating", *STAGES):
        raise UsageError(f"--emit {emit!r} is none of {', '.join(['wasm', 'seating', *STAGES])}")
    if emit in STAGES:
        print(compile_quietly(lambda: show_filters(specs, user_cache(), emit)), end="")
        return
    progress = Progress()
    built = compile_quietly(lambda: build_filters(specs, user_cache(), on_step=progress.step))
    progress.end()
    if emit == "seating":
        print(built.written, end="")
        return
    path = Path(output or f"{built.name}.wasm")
    path.write_bytes(built.code)
    print(f"{path}: {len(built.code)} bytes, {progress.total:.1f} s")


class Progress:
    """Steps on standard error, each with what it took."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._name = ""

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def step(self, name: str) -> None:
        """The next step begins."""
        self.end()
        self._name, self._last = name, time.monotonic()

    def end(self) -> None:
        """The step under way is done."""
        if self._name:
            print(f"{self._name}: {time.monotonic() - self._last:.1f} s", file=sys.stderr, flush=True)
        self._name = ""
