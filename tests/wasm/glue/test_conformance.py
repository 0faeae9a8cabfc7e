"""The rules of the filter API, kept by the glue and the library's SDK under CPython."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Sequence

import pytest

from meshext import Filter
from meshext.filter import class_needs
from meshext_wasm.build.filters import FACTS, RESPONSE_HEADERS
from meshext_wasm.glue.program_text import write_program
from meshext_wasm.glue.refusals import find_refusals
from meshext_wasm.glue.seat_text import Seated
from meshext_wasm.host.guest import Guest
from meshext_wasm.host.machine import Machine
from tests.conformance.case import NOTES, Case
from tests.conformance.catalogue import CASES
from tests.conformance.compiled.slicing import slice_module
from tests.conformance.compiled.table import adapt
from tests.conformance.judge import judge
from tests.conformance.runtimes.wasm import EmulatedWasm
from tests.wasm.glue.interpreted import InterpretedGuest


class Interpreted(EmulatedWasm):
    def build(self, filters: Sequence[type[Filter]], machine: Machine) -> Guest:
        files, chain = to_files(filters)
        adds = any(RESPONSE_HEADERS in text for text in files.values())
        return InterpretedGuest(write_program(chain, FACTS, adds=adds), files, machine)


def to_files(filters: Sequence[type[Filter]]) -> tuple[dict[str, str], list[Seated]]:
    """The sources of a case's filters, each module cut down to what they need."""
    wanted: dict[str, set[str]] = {}
    for cls in filters:
        wanted.setdefault(cls.__module__, set()).add(cls.__qualname__)
    stems = {module: f"case_{number}" for number, module in enumerate(wanted)}
    files = {
        stems[module]: slice_module(inspect.getsource(sys.modules[module]), names)
        for module, names in wanted.items()
    }
    chain = [
        Seated(
            cls=cls,
            needs=class_needs(cls),
            module=stems[cls.__module__],
            number=number,
            has_config=hasattr(cls, "Config"),
            has_state=hasattr(cls, "State"),
        )
        for number, cls in enumerate(filters)
    ]
    return files, chain


BEYOND = re.compile(r"self\.store|asyncio|sleep|while |exit|SystemExit|KeyboardInterrupt|await ")
"""What no module can do, or what only a step budget can end: none of it is run by CPython here."""


def is_carried(case: Case) -> bool:
    """Whether the filters of a case get as far as being seated."""
    if any(line for cls in case.filters for line in find_refusals(cls, class_needs(cls))):
        return False
    files, _ = to_files(case.filters)
    return not any(BEYOND.search(text) for text in files.values())


CARRIED = [case for case in CASES if is_carried(case)]


@pytest.mark.parametrize("case", CARRIED, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    NOTES.clear()
    judge(adapt(case), Interpreted().run(case))


def test_most_cases_are_carried() -> None:
    assert len(CARRIED) >= 290
