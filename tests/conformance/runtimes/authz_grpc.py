"""ext_authz over real gRPC, with Envoy's side played by hand."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from meshext.engine.effects import Answer
from meshext.hosts.ext_authz import SERVICE
from meshext.http.parts import forbids_body, response_parts
from meshext.plan import DETAILS_NAMESPACE, Mode
from meshext.testing.outcome import lines_of
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from tests.conformance.runtimes.forged import FAILED, Exchange, ForgedRuntime, response_lines, set_options
from tests.conformance.runtimes.proc_grpc import to_plain


class AuthzGrpc(ForgedRuntime):
    """One check; what it says is done as Envoy does it."""

    mode: Mode = "authz"

    async def drive(self, channel: Any, exchange: Exchange) -> None:
        check = channel.unary_unary(f"/{SERVICE}/Check")
        try:
            raw = await check(to_check(exchange).SerializeToString(), metadata=exchange.call_metadata)
        except grpc.aio.AioRpcError:
            assert exchange.plan.failure == "closed", "Envoy would have let it pass"
            exchange.got = FAILED
            return
        reply = external_auth_pb2.CheckResponse.FromString(raw)
        for namespace, value in reply.dynamic_metadata.fields.items():
            exchange.metadata[namespace] = to_plain(value.struct_value)
        details = exchange.metadata.pop(DETAILS_NAMESPACE, {}).get("details", "")
        if reply.WhichOneof("http_response") == "denied_response":
            assert reply.status.code != 0
            exchange.answer(to_answer(reply.denied_response, details))
            return
        assert reply.status.code == 0
        proceed(exchange, reply.ok_response)


def to_check(exchange: Exchange) -> Any:
    check = external_auth_pb2.CheckRequest()
    http = check.attributes.request.http
    body, room = exchange.send.body, exchange.plan.max_body + 1
    lines = exchange.lines
    if exchange.plan.request_body:
        http.raw_body = body[:room]
    if exchange.plan.request_body == "partial":
        lines = (*lines, ("x-envoy-auth-partial-body", b"true" if len(body) > room else b"false"))
    for name, value in lines:
        http.header_map.headers.append(base_pb2.HeaderValue(key=name, raw_value=value))
    return check


def to_answer(denied: Any, details: str) -> Answer:
    return Answer(
        status=denied.status.code or 403,
        lines=set_options((), denied.headers),
        body=denied.body.encode(),
        details=details,
    )


def proceed(exchange: Exchange, ok: Any) -> None:
    """Let the request through, and put on its response what was asked for."""
    lines = tuple(line for line in exchange.lines if line[0] not in ok.headers_to_remove)
    exchange.lines = set_options(lines, ok.headers)
    exchange.routed = exchange.lines != lines or bool(ok.headers_to_remove)
    exchange.reach_upstream()
    reply = exchange.case.reply
    parts = response_parts(set_options(response_lines(exchange.case), ok.response_headers_to_add))
    bodiless = forbids_body(exchange.send.method, reply.status)
    trailers = () if bodiless else lines_of(reply.trailers)
    exchange.give(parts, b"" if bodiless else reply.body, trailers)
