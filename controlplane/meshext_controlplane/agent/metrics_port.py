"""Where Prometheus asks the sidecar itself: `/metrics`, and `/ready` for who starts and stops it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing

from meshext.envoy.upstreams import TcpAddress
from meshext.errors import ListenError
from meshext.hosts.address import Address, explain
from meshext.telemetry.endpoint import MetricsEndpoint, Page
from meshext.telemetry.families import Family
from meshext_controlplane.agent.metrics import Counts


def bind(address: TcpAddress) -> socket.socket:
    """A socket that listens there; ListenError says why none can."""
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ListenError(explain(Address(host=address.host, port=address.port), error)) from error


async def show(listening: socket.socket, counts: Counts, ready: Page) -> None:
    """Answer on that socket for ever."""

    async def gather() -> Sequence[Family]:
        return counts.families()

    with closing(listening):
        await MetricsEndpoint(gather, pages={b"/ready": ready}).serve(listening)
