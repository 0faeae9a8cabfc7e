"""Where spans and metrics go in the benchmark: taken, and forgotten. `python -m e2e.bench.collector`."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from e2e.bench.bare import serve

SERVICES = ("trace.v1.TraceService", "metrics.v1.MetricsService")


class Taker(grpc.GenericRpcHandler):
    """Answers every Export of OTLP with an empty message."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler for a call, None for one that is not OTLP's."""
        known = [f"/opentelemetry.proto.collector.{name}/Export" for name in SERVICES]
        return grpc.unary_unary_rpc_method_handler(take) if handler_call_details.method in known else None


async def take(_request: bytes, _context: Any) -> bytes:
    """All is well."""
    return b""


if __name__ == "__main__":
    asyncio.run(serve(Taker()))
