"""The rules of the filter API, kept by compiled filters: one module of all cases, on the emulated host.

A class that the compiler refuses is refused by name; no case may be answered differently.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from meshext import Filter
from meshext.filter import class_needs
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import FirstOf
from meshext_wasm.build.library import load_or_compile
from meshext_wasm.build.pipeline import RUN_TIME, compile_program, link_program
from meshext_wasm.build.stages import Compiled
from meshext_wasm.diagnostics.diagnostic import CompileError, Diagnostic
from meshext_wasm.glue.refusals import find_refusals
from meshext_wasm.host.guest import Guest, Ready, WasmtimeGuest
from meshext_wasm.host.machine import Machine
from meshext_wasm.source.loading import Texts
from tests.conformance.case import NOTES, Case
from tests.conformance.catalogue import CASES
from tests.conformance.judge import as_refused, judge
from tests.conformance.runtimes.wasm import EmulatedWasm
from tests.wasm.glue.suite import MARK, NOTE, NOTE_MODULE, Suite
from tests.wasm.glue.test_conformance import FACTS, NO_BODY, WITHOUT_BODY

ENTRY = "seating"
FEWEST = 200

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Built:
    """What compiled: the cases in their order in the module, and why other classes did not."""

    cases: tuple[Case, ...]
    ready: Ready
    refused: dict[type[Filter], str]


@pytest.fixture(scope="module")
def built() -> Built:
    carried = [case for case in CASES if not any(map(is_refused, case.filters))]
    library = load_or_compile(user_cache())
    refused: dict[type[Filter], str] = {}
    while True:
        cases = [case for case in carried if not refused.keys() & set(case.filters)]
        suite = Suite([case.filters for case in cases])
        try:
            program = compile_suite(suite)
        except CompileError as error:
            found = {cls: each.reason for each in error.diagnostics for cls in classes_at(suite, each)}
            if not found.keys() - refused.keys():
                raise
            refused.update(found)
            continue
        return Built(tuple(cases), Ready(link_program(program, library, library.exports)), refused)


def is_refused(cls: type[Filter]) -> bool:
    return any(find_refusals(cls, class_needs(cls)))


def compile_suite(suite: Suite) -> Compiled:
    written = Texts({ENTRY: suite.text(FACTS), NOTE_MODULE: NOTE})
    library = load_or_compile(user_cache())
    return compile_program(
        ENTRY, Texts(suite.files()), library, user_cache(), trusted=FirstOf((written, RUN_TIME))
    )


def classes_at(suite: Suite, diagnostic: Diagnostic) -> list[type[Filter]]:
    """The filters that a mistake is in: the class itself, or those that use the function."""
    stem = diagnostic.loc.file.removesuffix(".py")
    own = [cls for cls in suite.seated if suite.stems[cls.__module__] == stem]
    tree = ast.parse(suite.files().get(stem, ""))
    tops = [node for node in tree.body if node.lineno <= diagnostic.loc.line <= (node.end_lineno or 0)]
    name = getattr(tops[0], "name", "") if tops else ""
    return [cls for cls in own if cls.__qualname__ == name] or [
        cls for cls in own if name in inspect.getsource(cls)
    ]


class CompiledWasm(EmulatedWasm):
    """The module, with the case's chain chosen."""

    def __init__(self, built: Built) -> None:
        self._built = built

    def configure(self, case: Case) -> str:
        return f"{self._built.cases.index(case)}\n{super().configure(case)}"

    def build(self, filters: Sequence[type[Filter]], machine: Machine) -> Guest:
        return WasmtimeGuest(self._built.ready, machine)


def test_every_case_that_compiles(built: Built) -> None:
    runtime = CompiledWasm(built)
    wrong = {}
    for case in built.cases:
        try:
            try_case(case, runtime)
        except AssertionError as error:
            wrong[case.name] = str(error)
    assert wrong == {}
    assert len(built.cases) >= FEWEST, built.refused


def try_case(case: Case, runtime: CompiledWasm) -> None:
    NOTES.clear()
    result = runtime.run(case)
    NOTES.extend(
        ast.literal_eval(log.message.removeprefix(MARK)) for log in result.logs if is_note(log.message)
    )
    logs = tuple(log for log in result.logs if not is_note(log.message))
    if case.name in WITHOUT_BODY:
        refused = as_refused(replace(case, authz_failure=NO_BODY))
        case = refused if case.name in WITHOUT_BODY[:4] else replace(refused, arrives=case.arrives)
    judge(case, replace(result, logs=logs))


def is_note(message: str) -> bool:
    return message.startswith(MARK)
