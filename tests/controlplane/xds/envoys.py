"""A real Envoy that has nothing but a bootstrap: everything else comes from the control plane."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from meshext.envoy.process import EnvoyProcess

SOON = 20.0  # seconds within which a condition has to hold
_POLL = 0.02


def bootstrap(
    port: int, *, delta: bool, node_id: str = "web-1.shop", tls: Mapping[str, Any] | None = None
) -> str:
    """`tls` is an UpstreamTlsContext for the connection to the control plane."""
    xds: dict[str, Any] = {
        "name": "xds",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [_endpoint(port)]}]},
    }
    if tls is not None:
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        xds["transport_socket"] = {"name": "tls", "typed_config": {"@type": kind, **tls}}
    source = {"ads": {}, "resource_api_version": "V3"}
    ads = {
        "api_type": "DELTA_GRPC" if delta else "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
    }
    return json.dumps(
        {
            "node": {"id": node_id, "cluster": "test"},
            "dynamic_resources": {"ads_config": ads, "cds_config": source, "lds_config": source},
            "static_resources": {"clusters": [xds]},
        }
    )


def _endpoint(port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}


async def start(
    port: int,
    directory: Path,
    *,
    delta: bool,
    listeners: tuple[str, ...] = ("main",),
    envoy: Path | None = None,
    node_id: str = "web-1.shop",
    tls: Mapping[str, Any] | None = None,
) -> EnvoyProcess:
    text = bootstrap(port, delta=delta, node_id=node_id, tls=tls)
    return await EnvoyProcess.start(text, directory, listeners=listeners, concurrency=1, envoy=envoy)


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until that holds."""
    async with asyncio.timeout(SOON):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(_POLL)


async def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    status = re.match(rb"HTTP/1.1 (\d+)", answer)
    assert status is not None, answer
    return int(status[1]), answer.partition(b"\r\n\r\n")[2].decode()


async def answering(text: str) -> asyncio.Server:
    """An upstream that answers every request with `text`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
        writer.write(f"{head}{text}".encode())
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
