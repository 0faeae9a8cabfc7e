"""The filters of all cases compiled into one module, and what keeps a class out of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from meshext import Filter
from meshext.filter import class_needs
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import FACTS, FirstOf
from meshext_wasm.build.library import load_or_compile
from meshext_wasm.build.pipeline import RUN_TIME, check_own, compile_program, link_program
from meshext_wasm.diagnostics.diagnostic import CompileError, Diagnostic
from meshext_wasm.glue.refusals import find_refusals
from meshext_wasm.source.loading import Files, Texts
from tests.conformance.case import Case
from tests.conformance.compiled.notes import MODULE, SOURCE
from tests.conformance.compiled.slicing import names_of
from tests.conformance.compiled.suite import Chain, Suite

ENTRY = "seating"
Reasons = dict[type[Filter], list[str]]


@dataclass(frozen=True, slots=True)
class SuiteModule:
    """The module, and its chains in their order."""

    chains: tuple[Chain, ...]
    code: bytes

    def number(self, case: Case) -> int:
        """The number of the case's chain."""
        return self.chains.index(case.filters)


def build_module(cases: Sequence[Case]) -> SuiteModule:
    """All of these; CompileError where a class does not compile."""
    suite = Suite(tuple(dict.fromkeys(case.filters for case in cases)))
    cache = user_cache()
    library = load_or_compile(cache)
    own, trusted = files_of(suite)
    program = compile_program(ENTRY, own, library, cache, trusted=trusted)
    return SuiteModule(tuple(suite.chains), link_program(program, library, library.compiled.exports))


def files_of(suite: Suite) -> tuple[Files, Files]:
    """Where the program's modules are found, and where those that may use the library's dialect."""
    written = Texts({ENTRY: suite.text(FACTS), MODULE: SOURCE})
    return Texts(suite.files()), FirstOf((written, RUN_TIME))


def find_reasons(classes: Sequence[type[Filter]]) -> Reasons:
    """What is said of those classes that do not compile.

    What the checker finds in one class may hide what is in another: so those that are refused are left out
    until nothing is.
    """
    refused = {cls: [*find_refusals(cls, class_needs(cls))] for cls in classes}
    found: Reasons = {cls: lines for cls, lines in refused.items() if lines}
    while rest := [cls for cls in classes if cls not in found]:
        fresh = find_mistakes(Suite([(cls,) for cls in rest]))
        if not fresh:
            break
        found.update(fresh)
    return found


def find_mistakes(suite: Suite) -> Reasons:
    """What the compiler says of these classes, all in one go."""
    library = load_or_compile(user_cache())
    own, trusted = files_of(suite)
    found: Reasons = {}
    try:
        check_own(ENTRY, own, library, trusted)
    except CompileError as error:
        for each in error.diagnostics:
            for cls in classes_at(suite, each):
                found.setdefault(cls, []).append(each.reason)
        if not found:
            raise
    return found


def classes_at(suite: Suite, diagnostic: Diagnostic) -> list[type[Filter]]:
    """The filters that a mistake is in: the class itself, or those that use the function or class."""
    stem = diagnostic.loc.file.removesuffix(".py")
    own = [cls for cls in suite.seated if suite.stems[cls.__module__] == stem]
    tree = ast.parse(suite.files().get(stem, ""))
    tops = [node for node in tree.body if node.lineno <= diagnostic.loc.line <= (node.end_lineno or 0)]
    name = (names_of(tops[0]) or [""])[0] if tops else ""
    return [cls for cls in own if cls.__qualname__ == name] or [
        cls for cls in own if any(name in inspect.getsource(base) for base in cls.__mro__[:-2])
    ]
