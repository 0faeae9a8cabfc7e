"""Tokens over gRPC (`proto/meshext/svids.proto`): for the port of ADS, to whom its certificate says."""

from __future__ import annotations

from typing import Any

import grpc

from meshext_controlplane.identity.jwt_authority import JwtAuthority
from meshext_controlplane.identity.pace import Pace
from meshext_controlplane.identity.peer import Peer, parse_peer
from meshext_controlplane.identity.refusals import Refusals
from meshext_controlplane.identity.services import Context, answer, parse
from meshext_controlplane.state.worker import StateThread
from meshext_proto.meshext import svids_pb2

TOKENS = "meshext.svids.Tokens"
MOST, PERIOD = 200, 10.0
"""One certificate gets at most that many tokens in so many seconds; a sidecar keeps what it has got."""


class TokensService:
    """Gives a caller tokens of its own identity."""

    def __init__(self, authority: JwtAuthority, thread: StateThread, *, pace: Pace | None = None) -> None:
        self._authority = authority
        self._thread = thread
        self._pace = pace or Pace(MOST, PERIOD)
        self._refusals = Refusals()

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """To add to a grpc.aio server."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Issue": grpc.unary_unary_rpc_method_handler(self._issue)
        }
        return (grpc.method_handlers_generic_handler(TOKENS, methods),)

    async def _issue(self, body: bytes, context: Context) -> bytes:
        request = await parse(svids_pb2.IssueRequest, body, context)
        token = await answer(self._sign(request, context), context, self._refusals)
        return svids_pb2.Jwt(token=token).SerializeToString()

    async def _sign(self, request: svids_pb2.IssueRequest, context: Context) -> str:
        peer: Peer = parse_peer(context.auth_context())
        self._pace.note(peer.serial)
        issue = self._authority.issue
        return await self._thread.run(issue, peer, tuple(request.audiences), subject=request.subject)
