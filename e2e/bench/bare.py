"""The yardstick: the same decisions as a plain grpcio aio servicer, written as its documentation shows.

Typed messages in and out (upb), nothing kept for later, no check of what Envoy sent, no time limits, no log:
what anybody would write who wants nothing but the decision. `python -m e2e.bench.bare authz Gate` prints
`serving HOST:PORT` and serves until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import uvloop

from e2e.bench.filters import FORBIDDEN, REFUSED, USERS
from meshext_proto.envoy.config.core.v3 import base_pb2 as core
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2 as auth
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2 as proc

SET = core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
PERMISSION_DENIED = 7  # google.rpc.Code
LARGEST = 64 << 20  # bytes of a message

Answer = proc.ProcessingResponse


def find(headers: Any, name: str) -> str:
    """The first line of a header, "" where there is none."""
    for header in headers:
        if header.key == name:
            value: bytes = header.raw_value
            return value.decode()
    return ""


async def check_gate(request: auth.CheckRequest, _: Any) -> auth.CheckResponse:
    """`Gate` over ext_authz."""
    if find(request.attributes.request.http.header_map.headers, "x-key") not in USERS:
        return deny()
    return auth.CheckResponse(ok_response=auth.OkHttpResponse())


async def check_mark(request: auth.CheckRequest, _: Any) -> auth.CheckResponse:
    """`Mark` over ext_authz."""
    user = USERS.get(find(request.attributes.request.http.header_map.headers, "x-key"))
    if user is None:
        return deny()
    option = core.HeaderValueOption(header=core.HeaderValue(key="x-user", value=user), append_action=SET)
    return auth.CheckResponse(ok_response=auth.OkHttpResponse(headers=[option]))


async def check_whole(request: auth.CheckRequest, _: Any) -> auth.CheckResponse:
    """`Whole` over ext_authz."""
    if FORBIDDEN in request.attributes.request.http.raw_body:
        return deny()
    return auth.CheckResponse(ok_response=auth.OkHttpResponse())


def deny() -> auth.CheckResponse:
    """403 over ext_authz."""
    reply = auth.CheckResponse()
    reply.status.code = PERMISSION_DENIED
    reply.denied_response.status.code = 403  # type: ignore[assignment]  # an open enum
    reply.denied_response.body = REFUSED
    return reply


def headers_gate(message: Any) -> Answer:
    """The request's headers, for `Gate` and `Both`."""
    if find(message.request_headers.headers.headers, "x-key") not in USERS:
        return refuse()
    return Answer(request_headers=proc.HeadersResponse())


def headers_mark(message: Any) -> Answer:
    """The request's headers, for `Mark`."""
    user = USERS.get(find(message.request_headers.headers.headers, "x-key"))
    if user is None:
        return refuse()
    option = core.HeaderValueOption(
        header=core.HeaderValue(key="x-user", raw_value=user.encode()), append_action=SET
    )
    common = proc.CommonResponse(
        header_mutation=proc.HeaderMutation(set_headers=[option]), clear_route_cache=True
    )
    return Answer(request_headers=proc.HeadersResponse(response=common))


def body_whole(message: Any) -> Answer:
    """The request's body, or a piece of it."""
    if FORBIDDEN in message.request_body.body:
        return refuse()
    return Answer(request_body=proc.BodyResponse())


def back(message: Any) -> Answer:
    """The response's headers."""
    if find(message.response_headers.headers.headers, "x-leak"):
        return refuse()
    return Answer(response_headers=proc.HeadersResponse())


def refuse() -> Answer:
    """403 over ext_proc."""
    reply = Answer()
    reply.immediate_response.status.code = 403  # type: ignore[assignment]  # an open enum
    reply.immediate_response.body = REFUSED.encode()
    return reply


OTHERS: dict[str, Callable[[Any], Answer]] = {
    "request_headers": lambda _: Answer(request_headers=proc.HeadersResponse()),
    "request_body": body_whole,
    "response_headers": back,
    "request_trailers": lambda _: Answer(request_trailers=proc.TrailersResponse()),
}
CHECKS = {"Gate": check_gate, "Mark": check_mark, "Whole": check_whole}
STEPS = {
    "Gate": OTHERS | {"request_headers": headers_gate},
    "Mark": OTHERS | {"request_headers": headers_mark},
    "Both": OTHERS | {"request_headers": headers_gate},
    "Whole": OTHERS,
    "Pieces": OTHERS,
}


def processor(steps: dict[str, Callable[[Any], Answer]]) -> Any:
    """A stream's handler."""

    async def process(requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Answer]:
        async for request in requests:
            yield steps[request.WhichOneof("request") or ""](request)

    return process


def build_handler(mode: str, decision: str) -> grpc.GenericRpcHandler:
    """What the generated `add_..._to_server` makes of a servicer."""
    if mode == "authz":
        check: Any = grpc.unary_unary_rpc_method_handler(
            CHECKS[decision],
            request_deserializer=auth.CheckRequest.FromString,
            response_serializer=auth.CheckResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("envoy.service.auth.v3.Authorization", {"Check": check})
    process: Any = grpc.stream_stream_rpc_method_handler(
        processor(STEPS[decision]),
        request_deserializer=proc.ProcessingRequest.FromString,
        response_serializer=Answer.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(
        "envoy.service.ext_proc.v3.ExternalProcessor", {"Process": process}
    )


async def serve(handler: grpc.GenericRpcHandler) -> None:
    """Serve on a free port until SIGTERM."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", LARGEST)])
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    sys.stdout.write(f"serving 127.0.0.1:{port}\n")
    sys.stdout.flush()
    await told.wait()
    await server.stop(1.0)


def main() -> None:
    """Read what to serve, and serve it."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.bare")
    parser.add_argument("mode", choices=["authz", "proc"])
    parser.add_argument("decision", choices=sorted(STEPS))
    parser.add_argument("--uvloop", action="store_true", help="on the event loop that meshext's workers use")
    given = parser.parse_args()
    factory = uvloop.new_event_loop if given.uvloop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(build_handler(given.mode, given.decision)))


if __name__ == "__main__":
    main()
