"""Standard error that takes nothing any more, as a full disk for logs does: traffic goes on as declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pytest

from e2e.front import at, fronting
from e2e.stage import FILTERS, wait_for
from e2e.watched import started
from meshext.needs import FailureMode
from meshext.sandbox.client import send

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

FULL = "/dev/full"
MANY = 100  # requests; what they log is more than any buffer holds


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    with open(FULL, "wb", buffering=0) as disk:
        yield disk


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_a_service_goes_on(policy: FailureMode, full: IO[bytes]) -> None:
    """Hooks log, fail with a traceback, overrun and end their worker."""
    spec = f"{FILTERS}/misbehaving.py:{'Open' if policy == 'open' else ''}Requests"
    options = ("--listen", "127.0.0.1:0", "--log-level", "debug")
    with (
        started("serve", spec, *options, errors=full.fileno()) as address,
        fronting(spec, "proc", at(int(address.rpartition(":")[2]))) as front,
    ):
        for what in ("Exception", "sleep", "_exit", "Exception"):
            answers = [front.send() for _ in range(MANY)]
            assert {(each.status, each.header("x-early")) for each in answers} == {(200, "kept")}
            failed = front.send(**{"x-do": what})
            assert (failed.status, failed.header("x-early")) == (500 if policy == "closed" else 200, None)
            assert wait_for(lambda: front.send().header("x-early") == "kept")


def test_run_goes_on(full: IO[bytes]) -> None:
    """What service and Envoy log comes to us first: it has to be read although it can not be written."""
    with started("run", f"{FILTERS}/misbehaving.py:Requests", errors=full.fileno()) as url:
        for _ in range(MANY):
            assert send(url, "GET", "/").status == 200
        assert send(url, "GET", "/", headers=[("x-do", "Exception")]).status == 500
