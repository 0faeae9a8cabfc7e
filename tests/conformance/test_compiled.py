"""The table of what no module can carry says what the compiler says, and names nothing that compiles."""

from __future__ import annotations

import pytest

from tests.conformance.catalogue import CASES, ENVOY_CASES
from tests.conformance.compiled.module import Reasons, find_reasons
from tests.conformance.compiled.table import NOT_CARRIED, WITHOUT_REQUEST_BODY, WITHOUT_RESPONSE_BODY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]  # the run-time library may have to be compiled first


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    return find_reasons(list(NOT_CARRIED))


@pytest.mark.parametrize("cls", NOT_CARRIED, ids=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
def test_what_the_table_names_is_refused_with_that_reason(cls: type, reasons: Reasons) -> None:
    found = reasons.get(cls, [])
    assert found, "it compiles: take it out of the table"
    assert any(NOT_CARRIED[cls] in line for line in found), found


def test_the_table_names_filters_of_cases() -> None:
    used = {cls for case in (*CASES, *ENVOY_CASES) for cls in case.filters}
    assert NOT_CARRIED.keys() <= used


def test_the_cases_without_room_for_a_body_are_cases() -> None:
    names = {case.name for case in CASES}
    assert names >= WITHOUT_REQUEST_BODY | WITHOUT_RESPONSE_BODY
