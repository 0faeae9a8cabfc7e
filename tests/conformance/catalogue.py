"""All cases."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.conformance import envoys_own, http2_cases
from tests.conformance.case import Case

ENVOY_CASES = (*envoys_own.CASES, *http2_cases.CASES)
"""Those that no other runtime has a say in."""


def collect() -> tuple[Case, ...]:
    files = sorted((Path(__file__).parent / "cases").glob("*.py"))
    found: list[Case] = []
    for file in files:
        found += import_module(f"tests.conformance.cases.{file.stem}").CASES
    names = [case.name for case in (*found, *ENVOY_CASES)]
    assert len(set(names)) == len(names), "two cases have one name"
    return tuple(found)


CASES = collect()
