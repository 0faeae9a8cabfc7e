"""Ports of this machine that nobody listens on."""

from __future__ import annotations

import socket
from contextlib import ExitStack


def free_port() -> int:
    """One that was free a moment ago, at every address: ended connections hold it at theirs."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int) -> list[int]:
    """So many at once: asked for one after the other, two of a few dozen may well be the same."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in taken]
