"""A client that goes away in the middle of its request."""

from __future__ import annotations

import socket

import pytest

from tests.conformance.case import NOTES
from tests.conformance.client import to_bytes
from tests.conformance.envoys_own import HANGS_UP
from tests.conformance.runtimes.envoy import RealEnvoy
from tests.conformance.waiting import is_over, wait_for


@pytest.mark.envoy
def test_the_exchange_is_completed_without_a_status(envoy_proc: RealEnvoy) -> None:
    NOTES.clear()
    with socket.create_connection(("127.0.0.1", envoy_proc.port(HANGS_UP))) as link:
        link.sendall(to_bytes(HANGS_UP.send))
        wait_for(lambda: NOTES)
    wait_for(lambda: is_over(HANGS_UP, ()))
    assert HANGS_UP.notes is not None
    assert tuple(NOTES) == HANGS_UP.notes
