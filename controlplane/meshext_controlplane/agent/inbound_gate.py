"""The workload's own listeners, held back until it is ready where nobody can tell its peers that it is not.

With a control plane peers learn that a workload is not ready before its Envoy listens. Without one they go
on to come: a port that is closed sends them to another endpoint at once, one that is open would answer 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from meshext_controlplane.snapshot import LISTENER, Resource
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2


class InboundGate:
    """Opens once, for the life of a sidecar."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self.owes = False
        """Whether Envoy was given less than there is, and has not got the rest yet."""

    @property
    def opened(self) -> bool:
        """Whether nothing is held back."""
        return self._opened.is_set()

    def open(self) -> None:
        """The workload is ready, or the control plane tells its peers how it is."""
        self._opened.set()

    async def wait(self) -> None:
        """Until it opens."""
        await self._opened.wait()

    def visible(self, type_url: str, resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
        """What Envoy may have now."""
        if type_url != LISTENER:
            return resources
        shown = {name: each for name, each in resources.items() if self.opened or not is_inbound(each)}
        self.owes = len(shown) < len(resources)
        return shown


def is_inbound(listener: Resource) -> bool:
    """Whether a listener is for what comes to the workload (`Listener.traffic_direction`)."""
    try:
        direction = listener_pb2.Listener.FromString(listener.body).traffic_direction
    except DecodeError:  # Envoy says what is wrong with it
        return False
    return direction == base_pb2.INBOUND
