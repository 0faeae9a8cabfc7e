from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from meshext.envoy.preflight import Address, check_free, prepare_bootstrap
from meshext.errors import EnvoyError, ListenError

SOCKET = Path("/run/admin.sock")


def test_an_admin_socket_that_only_we_may_open_is_added(bootstrap: Callable[..., str]) -> None:
    prepared = prepare_bootstrap(bootstrap(port=8080), SOCKET)
    pipe = {"path": "/run/admin.sock", "mode": 0o600}
    assert json.loads(prepared.text)["admin"] == {"address": {"pipe": pipe}}
    assert prepared.listeners == {"main"}
    assert prepared.addresses == (Address("127.0.0.1", 8080),)


def test_both_spellings_and_the_own_admin_socket_are_read() -> None:
    sock = {"address": "::1", "portValue": 80, "protocol": "TCP"}
    text = json.dumps(
        {
            "admin": {"address": {"pipe": {"path": "/own.sock"}}},
            "staticResources": {"listeners": [{"name": "a", "address": {"socketAddress": sock}}]},
        }
    )
    prepared = prepare_bootstrap(text, SOCKET)
    assert (prepared.text, prepared.admin_socket) == (text, Path("/own.sock"))
    assert [str(address) for address in prepared.addresses] == ["[::1]:80"]


@pytest.mark.parametrize(
    "listener",
    [
        {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 53, "protocol": "UDP"}}},
        {"address": {"socket_address": {"address": "not-an-ip", "port_value": 53}}},
        {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 53}}, "bind_to_port": False},
        {"address": {"pipe": {"path": "/x"}}},
        {"address": []},
        {},
    ],
)
def test_what_needs_no_port_is_left_to_envoy(listener: dict[str, object]) -> None:
    text = json.dumps({"static_resources": {"listeners": [listener, "nonsense"]}})
    assert prepare_bootstrap(text, SOCKET).addresses == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "the bootstrap is not JSON: "),
        ("[]", "the bootstrap must be a JSON object, not list"),
        ('{"admin": {"address": {"socket_address": {}}}}', r"the bootstrap's admin\.address must be a pipe"),
    ],
)
def test_refusals(text: str, error: str) -> None:
    with pytest.raises(EnvoyError, match=error):
        prepare_bootstrap(text, SOCKET)


def test_a_path_too_long_for_a_socket() -> None:
    with pytest.raises(EnvoyError, match=r"is too long for a socket \(at most 107 bytes\): set TMPDIR"):
        prepare_bootstrap("{}", Path("/" + "x" * 107))


def test_a_port_that_others_share_is_not_free() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(
            ListenError, match=rf"^can not listen on {address}: Address already in use; choose"
        ):
            check_free(address)
    check_free(address)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ListenError, match=r"can not listen on 192\.0\.2\.1:80: "):
        check_free(Address("192.0.2.1", 80))
