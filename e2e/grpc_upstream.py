"""A gRPC service behind Envoy: what comes goes back, message by message, with trailing metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

TRAILER = ("x-trailer", "from the service")


class Echo(grpc.GenericRpcHandler):
    """Every kind of call; a message `stop` ends it with NOT_FOUND."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        handlers: dict[str, Callable[[], grpc.RpcMethodHandler[bytes, bytes]]] = {
            "/played.Echo/Unary": lambda: grpc.unary_unary_rpc_method_handler(unary),
            "/played.Echo/Server": lambda: grpc.unary_stream_rpc_method_handler(server),
            "/played.Echo/Client": lambda: grpc.stream_unary_rpc_method_handler(client),
            "/played.Echo/Both": lambda: grpc.stream_stream_rpc_method_handler(both),
        }
        make = handlers.get(details.method or "")
        return make() if make else None


def unary(message: bytes, context: Any) -> bytes:
    check(message, context)
    return message


def server(message: bytes, context: Any) -> Iterator[bytes]:
    check(message, context)
    yield from (b"%d of %s" % (number, message) for number in range(100))


def client(messages: Iterator[bytes], context: Any) -> bytes:
    check(b"", context)
    return b",".join(messages)


def both(messages: Iterator[bytes], context: Any) -> Iterator[bytes]:
    for message in messages:
        check(message, context)
        yield message


def check(message: bytes, context: Any) -> None:
    """Only what the filter has seen is served, with a trailer; `stop` is a status of our own."""
    context.set_trailing_metadata((TRAILER,))
    if ("x-decided", "yes") not in [tuple(pair) for pair in context.invocation_metadata()]:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "no filter has seen it")
    if message == b"stop":
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing of that name: 100%")


@contextmanager
def grpc_upstream() -> Iterator[str]:
    """The address of a running one."""
    with ThreadPoolExecutor(8) as pool:
        running = grpc.server(pool, handlers=[Echo()], options=[("grpc.so_reuseport", 0)])
        port = running.add_insecure_port("127.0.0.1:0")
        running.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            running.stop(None).wait()
