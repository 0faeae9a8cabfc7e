"""One function of the small frontend in CPython and in the IR's interpreter: outcome and log of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.program import Unit
from meshext_wasm.ir.verify import verify_unit
from tests.wasm.ir.interpreter import Machine, Raised
from tests.wasm.ir.small_frontend import CLASSES, unit_of

Outcome = tuple[Any, list[Any]]


def built(source: str) -> Unit:
    """Verified IR of a source text."""
    unit = build_unit(unit_of(source))
    verify_unit(unit, after="build")
    return unit


def run(unit: Unit, *, budget: int = 1_000_000, steps: int = 1_000_000) -> Machine:
    """A machine with what the small frontend's programs call."""
    classes = {each.symbol: each for each in CLASSES.values()}
    machine = Machine(unit, {}, classes, budget=budget, steps=steps)
    machine.outside["builtins.errors.unbound_local"] = unbound(machine)
    machine.outside["m.log"] = machine.log.append
    return machine


def in_ir(unit: Unit, name: str, *arguments: int) -> Outcome:
    """What a function does in the interpreter: its result or the name of what it raised, and the log."""
    machine = run(unit, budget=100_000, steps=200_000)
    try:
        result = machine.call(f"m.{name}", *arguments)
    except Raised as problem:
        result = problem.value.cls.rpartition(".")[2]
    assert machine.stack == 0
    return result, machine.log


def unbound(machine: Machine) -> Callable[[str], None]:
    def refuse(name: str) -> None:
        raise machine.raised("UnboundLocalError")

    return refuse


def in_python(source: str, name: str, *arguments: int) -> Outcome:
    """What it does in CPython."""
    log: list[Any] = []
    names: dict[str, Any] = {"log": log.append}
    exec(compile(source, "small.py", "exec"), names)
    try:
        return names[name](*arguments), log
    except Exception as problem:
        return type(problem).__name__, log
