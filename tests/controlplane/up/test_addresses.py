"""Loopback addresses are given out once."""

from __future__ import annotations

import socket
import sys
from contextlib import closing

import pytest

from meshext_controlplane.up.addresses import Addresses
from meshext_controlplane.up.errors import UpError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
PORT = 18_080


def test_nobody_gets_an_address_twice() -> None:
    with closing(Addresses()) as ours, closing(Addresses()) as theirs:
        taken = [pool.take([PORT]) for _ in range(4) for pool in (ours, theirs)]
        assert len(set(taken)) == len(taken)


def test_one_that_is_given_free_is_taken_again() -> None:
    with closing(Addresses()) as ours:
        first = ours.take([PORT])
        ours.close()
        assert ours.take([PORT]) == first


def test_one_whose_port_is_in_use_is_passed_over() -> None:
    with closing(Addresses()) as ours:
        first = ours.take([PORT])
        ours.close()
        with socket.create_server((first, PORT)):
            assert ours.take([PORT + 1, PORT]) != first
            assert ours.take([PORT + 1]) == first


def test_a_machine_without_such_addresses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshext_controlplane.up.addresses._candidates", lambda: iter(["203.0.113.1"]))
    with closing(Addresses()) as ours, pytest.raises(UpError, match=r"203\.0\.113\.1 is no address of this"):
        ours.take([PORT])
