"""A gRPC server for what Envoys tell: access logs (ALS) and spans (OTLP), handed on as plain records.

It is for a person who watches on this machine: records are handed to a function at once, and none is kept
here. Messages have a size limit, so no peer can make us hold more than `MAX_MESSAGE` bytes a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from meshext.errors import ListenError
from meshext_controlplane.tap.calls import Call, to_call
from meshext_controlplane.tap.spans import Span, to_spans
from meshext_proto.envoy.service.accesslog.v3 import als_pb2
from meshext_proto.opentelemetry.proto.collector.trace.v1 import trace_service_pb2

MAX_MESSAGE = 4 * 1024 * 1024  # bytes
MAX_STREAMS = 1_000  # calls at once; each sidecar's worker has one
ACCESS_LOGS = "envoy.service.accesslog.v3.AccessLogService"
TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"


class Receiver:
    """Serves both on one address; an async context manager that listens while it is open.

    `on_call` and `on_span` are called on the event loop for every record, in the order of arrival.
    """

    def __init__(
        self, listen: str, *, on_call: Callable[[Call], None], on_span: Callable[[Span], None]
    ) -> None:
        self._listen = listen
        self._on_call = on_call
        self._on_span = on_span
        self.port = 0
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.so_reuseport", 0),
            ("grpc.max_concurrent_streams", MAX_STREAMS),
        ]
        server = grpc.aio.server(options=options)
        server.add_generic_rpc_handlers(self.handlers())
        try:
            self.port = server.add_insecure_port(self._listen)
        except RuntimeError as error:
            raise ListenError(
                f"can not listen on {self._listen} for access logs and spans: {error}"
            ) from None
        await server.start()
        self._server = server
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.stop(None)

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """What a `grpc.aio` server of somebody else's takes."""
        logs: Any = grpc.stream_unary_rpc_method_handler(
            self._take_logs,
            request_deserializer=als_pb2.StreamAccessLogsMessage.FromString,
            response_serializer=als_pb2.StreamAccessLogsResponse.SerializeToString,
        )
        spans: Any = grpc.unary_unary_rpc_method_handler(
            self._take_spans,
            request_deserializer=trace_service_pb2.ExportTraceServiceRequest.FromString,
            response_serializer=trace_service_pb2.ExportTraceServiceResponse.SerializeToString,
        )
        return (
            grpc.method_handlers_generic_handler(ACCESS_LOGS, {"StreamAccessLogs": logs}),
            grpc.method_handlers_generic_handler(TRACES, {"Export": spans}),
        )

    async def _take_logs(
        self, messages: AsyncIterator[als_pb2.StreamAccessLogsMessage], _context: Any
    ) -> als_pb2.StreamAccessLogsResponse:
        node = ""
        async for message in messages:
            node = message.identifier.node.id or node  # in a stream's first message only
            for entry in message.http_logs.log_entry:
                self._on_call(to_call(entry, node))
        return als_pb2.StreamAccessLogsResponse()

    async def _take_spans(
        self, request: trace_service_pb2.ExportTraceServiceRequest, _context: Any
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for span in to_spans(request):
            self._on_span(span)
        return trace_service_pb2.ExportTraceServiceResponse()
