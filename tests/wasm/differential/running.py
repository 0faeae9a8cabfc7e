"""Programs in CPython and compiled, many to a module: where the two differ."""

from __future__ import annotations

import copy
import random
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import wasmtime

from meshext_wasm.diagnostics.diagnostic import CompileError
from tests.wasm.compiled import Outcome, Program, compile_anew, outcome_of
from tests.wasm.differential.generating import generate
from tests.wasm.differential.prelude import PRELUDE

INPUTS = 10
POOLS: dict[str, list[Any]] = {
    "a": [0, 1, -1, 7, -13, 255, 2**31, 2**62 - 1, -(2**62), 2**63, 10**20],
    "b": [1, 2, -3, 5, 0, -(10**19)],
    "x": [0.0, -0.0, 1.5, -2.25, 1e16, 1e-7, 3.0, float("inf"), 2.675],
    "s": ["", "a", "Hello World", "  x y ", "42", "-7", "é✓", "aXbXc", "line\nbreak", "0x1F", "ǆ ẞ"],
    "items": [[], [1], [3, 1, 2], [5, -5, 5, 0], [200, 300], [2**63, 1]],
    "table": [{}, {"k": 1}, {"a": 1, "b": -2, "": 3}],
    "flag": [True, False],
    "raw": [b"", b"abc", b"\xff\x00A"],
    "maybe": [None, 0, 5],
    "numbers": [set(), {1}, {3, 1, 2}],
}
LINE = re.compile(r"program\.py:(\d+):")


@dataclass(frozen=True, slots=True)
class Difference:
    """A program, what it was called with, and what each side gave."""

    source: str
    arguments: list[Any]
    python: Outcome
    module: Outcome


@dataclass(slots=True)
class Tally:
    """What became of some programs. `refused`: each with the compiler's reason; `broken`: each that the
    compiler fell over, with the exception."""

    same: int = 0
    differences: list[Difference] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)


def inputs(seed: str) -> list[list[Any]]:
    """Some sets of arguments, no two alike."""
    chance = random.Random(seed)
    found: dict[str, list[Any]] = {}
    while len(found) < INPUTS:
        made = [copy.deepcopy(chance.choice(pool)) for pool in POOLS.values()]
        found[repr(made)] = made
    return list(found.values())


def run_seeds(seed: int, numbers: range, *, thorough: bool = False) -> Tally:
    """Generate, compile and compare the programs with these numbers."""
    sources = [generate(f"{seed}:{number}", f"p{index}") for index, number in enumerate(numbers)]
    arguments = [inputs(f"{seed}:{number}") for number in numbers]
    return run_sources(sources, arguments, thorough=thorough)


def run_sources(
    sources: list[str], arguments: list[list[list[Any]]], *, thorough: bool = False, prelude: str = PRELUDE
) -> Tally:
    """Compare functions `p0`, `p1`, ... each with its sets of arguments."""
    refused: dict[int, str] = {}
    tally = Tally()
    try:
        program = compile_kept(sources, refused, thorough, prelude)
    except Exception as error:  # the compiler itself: which program is it?
        return run_halves(sources, arguments, error, prelude)
    tally.refused = [(sources[index], reason) for index, reason in refused.items()]
    if program is None:
        return tally
    kept = [index for index in range(len(sources)) if index not in refused]
    names = in_python(prelude + "\n".join(sources[index] for index in kept))
    for index in kept:
        name = name_of(sources[index])
        found = list(differences(program.again(), sources[index], names[name], name, arguments[index]))
        tally.differences += found
        tally.same += not found
    return tally


def name_of(source: str) -> str:
    """The name of a program's function, the last one at the left margin."""
    found: list[str] = re.findall(r"^def (\w+)", source, flags=re.MULTILINE)
    return found[-1]


def run_halves(sources: list[str], arguments: list[list[list[Any]]], error: Exception, prelude: str) -> Tally:
    """The same in two modules, down to the one program that the compiler falls over."""
    if len(sources) == 1:
        return Tally(broken=[(sources[0], f"{type(error).__name__}: {error}"[:2000])])
    middle, tally = len(sources) // 2, Tally()
    for part in (slice(None, middle), slice(middle, None)):
        found = run_sources(sources[part], arguments[part], prelude=prelude)
        tally.same += found.same
        tally.differences += found.differences
        tally.refused += found.refused
        tally.broken += found.broken
    return tally


def compile_kept(sources: list[str], refused: dict[int, str], thorough: bool, prelude: str) -> Program | None:
    """A module of all programs but those that are refused, which are noted."""
    while len(refused) < len(sources):
        kept = [index for index in range(len(sources)) if index not in refused]
        text, lines = prelude, dict[int, int]()
        for index in kept:
            start = text.count("\n") + 1
            text += f"{sources[index]}\n"
            lines |= dict.fromkeys(range(start, text.count("\n") + 1), index)
        try:
            return compile_anew(text, thorough=thorough)
        except CompileError as error:
            found: dict[int, str] = {}
            for each in error.diagnostics:
                index = lines.get(each.loc.line, kept[0])
                line = text.splitlines()[each.loc.line - 1].strip()
                found.setdefault(index, f"{each.reason} | {line[each.loc.column - 4 :][:90]}")
            refused |= found
    return None


def differences(
    program: Program, source: str, function: Callable[..., object], name: str, arguments: list[list[Any]]
) -> Iterator[Difference]:
    """Each set of arguments for which the two sides do not agree."""
    for each in arguments:
        expected = outcome_of(function, *copy.deepcopy(each))
        given = in_module(program, name, copy.deepcopy(each))
        if expected != given:
            yield Difference(source, each, expected, given)
        if given[0] == "trap":
            return


def in_module(program: Program, name: str, arguments: list[Any]) -> Outcome:
    """The compiled outcome; a trap is told as one."""
    try:
        return program.outcome(name, *arguments)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
        return "trap", str(trap).splitlines()[-1]


def in_python(source: str) -> dict[str, Any]:
    """The names of a module in CPython; dataclasses look their module up."""
    module = types.ModuleType("program")
    sys.modules["program"] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, "program.py", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules["program"]
    return module.__dict__
