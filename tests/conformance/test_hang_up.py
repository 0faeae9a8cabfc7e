"""A client that goes away in the middle of its request."""

from __future__ import annotations

import socket

import pytest

from tests.conformance.case import NOTES, Case
from tests.conformance.client import to_bytes
from tests.conformance.envoys_own import HANGS_UP
from tests.conformance.runtimes.envoy import RealEnvoy
from tests.conformance.waiting import is_over, wait_for


@pytest.mark.envoy
def test_the_exchange_is_completed_without_a_status(envoy_proc: RealEnvoy) -> None:
    hang_up(envoy_proc, HANGS_UP)


@pytest.mark.envoy
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_so_it_is_inside_of_envoy(envoy_wasm: RealEnvoy) -> None:
    hang_up(envoy_wasm, HANGS_UP)


def hang_up(envoy: RealEnvoy, case: Case) -> None:
    NOTES.clear()
    with (
        envoy.keep_logs(case),
        socket.create_connection(("127.0.0.1", envoy.port(case))) as link,
    ):
        link.sendall(to_bytes(case.send))
        wait_for(lambda: NOTES)
        link.close()
        wait_for(lambda: is_over(case, ()))
    assert case.notes is not None
    assert tuple(NOTES) == case.notes
