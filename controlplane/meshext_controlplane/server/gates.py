"""What every call has to pass: the peer's standing, as gRPC statuses."""

from __future__ import annotations

from typing import Any, TypeAlias

import grpc

from meshext.errors import MeshextError
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import BannedError, PeerError
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.server.admission import Find, NotAdmitted, admit_node
from meshext_controlplane.server.standing import Standing
from meshext_controlplane.state.worker import StateThread
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.limits import Node

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Gates:
    """Lets streams in: `admit_proxy` for ADS, `admit_workload` for registrations."""

    def __init__(self, standing: Standing, enrollment: Enrollment, thread: StateThread, find: Find) -> None:
        self._standing = standing
        self._enrollment = enrollment
        self._thread = thread
        self._find = find

    def admit_proxy(self, context: Context, node: Node) -> Proxy:
        """Whose configuration a stream gets; StreamEnded where it gets none."""
        try:
            peer = self._standing.peer_of(_auth_context(context))
            return admit_node(node, peer, self._find)
        except (PeerError, BannedError, NotAdmitted) as error:
            raise StreamEnded(_status(error), str(error)) from None

    async def admit_workload(self, context: Context) -> tuple[Peer, Limits]:
        """Who registers, and what it may; the call is aborted where it may nothing."""
        try:
            peer = self._standing.peer_of(_auth_context(context))
            limits = await self._thread.run(self._enrollment.limits_of, peer)
            self._standing.check(peer)  # a ban that came meanwhile has ended only streams that it found
            return peer, limits
        except MeshextError as error:
            await context.abort(_status(error), str(error))
        raise AssertionError("abort returns nothing")


def _status(error: MeshextError) -> grpc.StatusCode:
    if isinstance(error, PeerError):
        return grpc.StatusCode.UNAUTHENTICATED
    if isinstance(error, BannedError) or (isinstance(error, NotAdmitted) and not error.later):
        return grpc.StatusCode.PERMISSION_DENIED
    return grpc.StatusCode.UNAVAILABLE


def _auth_context(context: Context) -> dict[str, list[bytes]]:
    return {name: list(values) for name, values in context.auth_context().items()}
