"""The passes in order, each followed by the verifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meshext_wasm.ir.program import Unit
from meshext_wasm.ir.verifier import Verifier
from meshext_wasm.passes.boxes import remove_boxes
from meshext_wasm.passes.budget import charge_budget
from meshext_wasm.passes.constants import fold_constants
from meshext_wasm.passes.counters import keep_counters_small
from meshext_wasm.passes.deferring import defer_charges
from meshext_wasm.passes.descriptors import name_descriptors
from meshext_wasm.passes.floats import unbox_floats
from meshext_wasm.passes.folding import fold_branches
from meshext_wasm.passes.fresh import drop_barriers
from meshext_wasm.passes.inits import inline_inits
from meshext_wasm.passes.nothrow import infer_nothrow
from meshext_wasm.passes.stack import guard_stack
from meshext_wasm.passes.traceback import add_sites
from meshext_wasm.passes.unused import remove_unused

Pass = Callable[[Unit], None]

PASSES: Final[tuple[Pass, ...]] = (
    fold_constants,
    inline_inits,
    fold_branches,
    name_descriptors,
    drop_barriers,
    remove_boxes,
    unbox_floats,
    keep_counters_small,
    remove_unused,
    charge_budget,
    defer_charges,
    infer_nothrow,
    add_sites,
    guard_stack,
)


def run_passes(unit: Unit) -> None:
    """Change a unit by every pass in turn. BrokenIR names the pass after which it breaks a rule."""
    verifier = Verifier(unit)
    verifier.verify(after="build")
    for run in PASSES:
        run(unit)
        verifier.verify(after=run.__name__)
