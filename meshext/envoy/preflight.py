"""What we read in a bootstrap before Envoy sees it: its admin socket, its listeners, whether ports are free.

Envoy sets SO_REUSEPORT on its listeners (`Listener.enable_reuse_port` is on by default), so a second Envoy
of the same user takes a used port without an error and gets a part of the other's traffic. Hence a try to
bind without that option first.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from meshext.errors import EnvoyError, ListenError

_MAX_SOCKET_PATH = 107  # bytes, Linux's sockaddr_un less the final NUL


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and TCP port that Envoy shall listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A bootstrap ready to be started.

    `text` is the JSON for Envoy, `listeners` the names of its static listeners, `addresses` those of them
    with a port that somebody else may hold.
    """

    text: str
    admin_socket: Path
    listeners: frozenset[str]
    addresses: tuple[Address, ...]


def prepare_bootstrap(text: str, admin_socket: Path) -> Prepared:
    """Read `envoy.config.bootstrap.v3.Bootstrap` as JSON (either spelling of proto3 names).

    A bootstrap without `admin` gets one on `admin_socket`. EnvoyError if the text is not a JSON object, its
    admin interface is a port, or the path of the socket is too long for the system.
    """
    bootstrap = _parse(text)
    if not bootstrap.get("admin"):
        pipe = {"path": str(admin_socket), "mode": 0o600}
        bootstrap["admin"] = {"address": {"pipe": pipe}}
        text = json.dumps(bootstrap)
    path = _get(bootstrap, "admin", "address", "pipe", "path")
    if not isinstance(path, str) or not path:
        raise EnvoyError("the bootstrap's admin.address must be a pipe: {'pipe': {'path': ..., 'mode': 384}}")
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        limit = f"at most {_MAX_SOCKET_PATH} bytes"
        raise EnvoyError(f"{path!r} is too long for a socket ({limit}): set TMPDIR to a shorter one")
    listeners = _static_listeners(bootstrap)
    return Prepared(
        text=text,
        admin_socket=Path(path),
        listeners=frozenset(str(listener["name"]) for listener in listeners if listener.get("name")),
        addresses=tuple(address for listener in listeners if (address := _to_address(listener)) is not None),
    )


def check_free(address: Address) -> None:
    """Raise ListenError if somebody listens on the address or we may not."""
    try:
        _try_bind(address)
    except OSError as error:
        raise listen_error(str(address), error.strerror or str(error)) from None


def listen_error(address: str, why: str) -> ListenError:
    """The error for an address that can not be listened on."""
    return ListenError(f"can not listen on {address}: {why}; choose another (port 0 takes a free one)")


def _try_bind(address: Address) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Envoy's own: connections of a server that has just ended do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((address.host, address.port))


def _parse(text: str) -> dict[str, object]:
    try:
        bootstrap = json.loads(text)
    except ValueError as error:
        raise EnvoyError(f"the bootstrap is not JSON: {error}") from None
    if not isinstance(bootstrap, dict):
        raise EnvoyError(f"the bootstrap must be a JSON object, not {type(bootstrap).__name__}")
    return bootstrap


def _get(value: object, *names: str) -> object:
    """The value under these names, each written `snake_case` or `lowerCamelCase`; None if there is none."""
    for name in names:
        if not isinstance(value, dict):
            return None
        first, *others = name.split("_")
        camel = first + "".join(word.title() for word in others)
        value = value.get(name, value.get(camel))
    return value


def _static_listeners(bootstrap: dict[str, object]) -> list[dict[str, object]]:
    listeners = _get(bootstrap, "static_resources", "listeners")
    return [each for each in listeners if isinstance(each, dict)] if isinstance(listeners, list) else []


def _to_address(listener: dict[str, object]) -> Address | None:
    """None for a port of the system's choice, a socket file, UDP, and what Envoy itself shall judge."""
    sock = _get(listener, "address", "socket_address")
    host, port = _get(sock, "address"), _get(sock, "port_value")
    if _get(sock, "protocol") not in (None, "TCP", 0) or _get(listener, "bind_to_port") is False:
        return None
    if not isinstance(host, str) or not isinstance(port, int) or not 0 < port < 65_536:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return Address(host, port)
