"""What every call has to pass: the peer's standing, as gRPC statuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc

from meshext.errors import MeshextError
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import BannedError, PeerError
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.server.admission import Find, NotAdmitted, admit_node
from meshext_controlplane.server.roles import Account, refusal_of
from meshext_controlplane.server.standing import Standing
from meshext_controlplane.state.worker import StateThread
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.limits import Node

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


log = logging.getLogger("meshext.admin")


class Gates:
    """Lets in: `admit_proxy` to ADS, `admit_workload` to registration, `admit_operator` to the admin API."""

    def __init__(
        self,
        standing: Standing,
        enrollment: Enrollment,
        thread: StateThread,
        find: Find,
        roles: Mapping[Account, str],
    ) -> None:
        self._roles = roles
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

    async def admit_operator(self, context: Context, method: str) -> None:
        """Whether the peer may call that method of the admin API; the call is aborted where it may not."""
        try:
            identity = self._standing.peer_of(_auth_context(context)).identity
        except MeshextError as error:
            await context.abort(_status(error), str(error))
            raise AssertionError("abort returns nothing") from None
        refused = refusal_of(self._roles, (identity.namespace, identity.service_account), method)
        log.log(
            logging.WARNING if refused else logging.INFO, "%s: %s %s", identity, method, refused or "admitted"
        )
        if refused:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, refused)


def _status(error: MeshextError) -> grpc.StatusCode:
    if isinstance(error, PeerError):
        return grpc.StatusCode.UNAUTHENTICATED
    if isinstance(error, BannedError) or (isinstance(error, NotAdmitted) and not error.later):
        return grpc.StatusCode.PERMISSION_DENIED
    return grpc.StatusCode.UNAVAILABLE


def _auth_context(context: Context) -> dict[str, list[bytes]]:
    return {name: list(values) for name, values in context.auth_context().items()}
