"""Programs in CPython and compiled, many to a module: where the two differ."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import wasmtime

from meshext_wasm.diagnostics.diagnostic import CompileError
from tests.wasm.compiled import Outcome, Program, compiled, outcome_of
from tests.wasm.differential.generating import generate
from tests.wasm.differential.grammar import PRELUDE

INPUTS = 4
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
    """What became of some programs. `refused`: each with the compiler's reason."""

    same: int
    differences: list[Difference]
    refused: list[tuple[str, str]]


def inputs(seed: str) -> list[list[Any]]:
    """Some sets of arguments."""
    chance = random.Random(seed)
    return [[copy.deepcopy(chance.choice(pool)) for pool in POOLS.values()] for _ in range(INPUTS)]


def run_seeds(seed: int, numbers: range) -> Tally:
    """Generate, compile and compare the programs with these numbers."""
    sources = [generate(f"{seed}:{number}", f"p{index}") for index, number in enumerate(numbers)]
    arguments = [inputs(f"{seed}:{number}") for number in numbers]
    return run_sources(sources, arguments)


def run_sources(sources: list[str], arguments: list[list[list[Any]]]) -> Tally:
    """Compare functions `p0`, `p1`, ... each with its sets of arguments."""
    refused: dict[int, str] = {}
    program = compile_kept(sources, refused)
    tally = Tally(0, [], [(sources[index], reason) for index, reason in refused.items()])
    for index, source in enumerate(sources):
        if index in refused or program is None:
            continue
        found = list(differences(program, source, f"p{index}", arguments[index]))
        tally.differences += found
        tally.same += not found
    return tally


def compile_kept(sources: list[str], refused: dict[int, str]) -> Program | None:
    """A module of all programs but those that are refused, which are noted."""
    while len(refused) < len(sources):
        kept = [index for index in range(len(sources)) if index not in refused]
        text, lines = PRELUDE, dict[int, int]()
        for index in kept:
            start = text.count("\n") + 1
            text += f"{sources[index]}\n"
            lines |= dict.fromkeys(range(start, text.count("\n") + 1), index)
        try:
            return compiled(text)
        except CompileError as error:
            found = {lines.get(int(each[1]), kept[0]): error for each in LINE.finditer(str(error))}
            if not found:
                raise
            refused |= {index: reason_of(str(error), sources[index]) for index in found}
    return None


def reason_of(text: str, source: str) -> str:
    """The compiler's words about the lines of one program, as far as they can be told apart."""
    shown = [
        part
        for part in text.split("program.py:")
        if any(line.strip() in part for line in source.splitlines()[1:])
    ]
    return "\n".join(shown[:2]) or text[:400]


def differences(program: Program, source: str, name: str, arguments: list[list[Any]]) -> Iterator[Difference]:
    """Each set of arguments for which the two sides do not agree."""
    function = in_python(source, name)
    for each in arguments:
        expected = outcome_of(function, *copy.deepcopy(each))
        given = in_module(program, name, copy.deepcopy(each))
        if expected != given:
            yield Difference(source, each, expected, given)


def in_module(program: Program, name: str, arguments: list[Any]) -> Outcome:
    """The compiled outcome; a trap is told as one."""
    try:
        return program.outcome(name, *arguments)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
        return "trap", str(trap).splitlines()[-1]


def in_python(source: str, name: str) -> Callable[..., object]:
    """The function in CPython."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(PRELUDE + source, "program.py", "exec", dont_inherit=True), names)
    found: Callable[..., object] = names[name]
    return found
