"""A gRPC server on a Unix socket that only our own user may open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio

from meshext_controlplane.agent.errors import DirectoryError

MAX_STREAMS = 200
"""Calls at once; Envoy needs one for each secret of each place that uses it differently, and one for ADS."""

Options = Sequence[tuple[str, int]]

ENVOYS: Options = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", MAX_STREAMS),
    ("grpc.max_metadata_size", 16_384),
    # The first request names every extension that Envoy has, 100 KB, and each resource that it holds.
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # Envoy asks every 30 s whether we are there; who asks all the time is turned away.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
)
"""For the server that Envoy asks."""


async def start_local_server(
    path: Path, handlers: Sequence[grpc.GenericRpcHandler], *, options: Options = ENVOYS
) -> grpc.aio.Server:
    """Serve `handlers` on the socket `path` (mode 0600); stopping it is the caller's.

    DirectoryError where the socket can not be made.
    """
    path.unlink(missing_ok=True)  # of a life that was killed; the folder's lock says that it is over
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MAX_STREAMS)
    server.add_generic_rpc_handlers(tuple(handlers))
    try:
        server.add_insecure_port(f"unix:{path}")
        os.chmod(path, 0o600)
    except (RuntimeError, OSError) as error:
        raise DirectoryError(f"can not listen on {str(path)!r}: {error}") from None
    await server.start()
    return server
