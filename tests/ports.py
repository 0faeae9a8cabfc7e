"""Ports of this machine that nobody listens on."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One that was free a moment ago, at every address: ended connections hold it at theirs."""
    with socket.create_server(("", 0)) as taken:
        return int(taken.getsockname()[1])
