"""What only a filter has, compiled into the real Envoy (`tests/wasm/glue/test_in_a_filter.py`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.inside import MINUTES, embedded
from e2e.stage import FILTERS, Stage
from meshext.sandbox import Setup

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    spec = f"{FILTERS / 'many_things.py'}:ManyThings"
    stage = Stage(embedded(Setup(specs=(spec,), mode="wasm", echoes=("echo",))))
    yield stage
    stage.close()


def test_a_generator_goes_on_in_another_hook(stage: Stage) -> None:
    for _ in range(20):
        answer = stage.send()
        assert answer.status == 200
        assert answer.header("x-next") == "n1"
        assert answer.header("x-sum") == str(sum(len(f"n{count}") for count in range(2, 1000)))


def test_its_name_and_the_root_of_the_errors(stage: Stage) -> None:
    told = stage.send().text
    assert "many-things many-things" in told
    assert "header undeclared own plain" in told


def test_a_request_writes_so_many_lines_and_no_more(stage: Stage) -> None:
    stage.send(headers=[("x-lines", "250"), ("x-request-id", "loud")])
    assert stage.logged("many-things [", "100 lines are logged for this request")
    assert stage.logged("many_things: line 99")
    assert not [line for line in stage.lines if "many_things: line 100" in line]
    assert stage.stats("wasmcustom.meshext_log_lines_left_out_total.*") == 151
