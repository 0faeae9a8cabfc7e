"""Envoy for one service: the configuration that operators get, less what would only add noise.

The access log goes, and the answer comes from Envoy itself: right away, or from a second Envoy that reads the
whole body first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meshext.envoy.bootstrap import Gateway, build_bootstrap
from meshext.envoy.emit import to_data
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import TcpAddress, UnixAddress, Upstream
from meshext.envoy.wasm_filter import Module
from meshext.plan import Plan

ANSWER = {"status": 200, "body": {"inline_string": "ok\n"}}
TYPES = "type.googleapis.com/envoy.extensions.filters"


def build_gateway(
    folder: Path,
    plan: Plan | None,
    service: TcpAddress | None,
    sink: Path | None,
    *,
    module: Module | None = None,
) -> str:
    """The bootstrap for a service or a module (none: Envoy alone); bodies go to the Envoy at `sink`."""
    gateway = Gateway(
        upstreams=(Upstream("sink", UnixAddress(str(sink or "/nowhere")), grpc=False),),
        admin=folder / "admin.sock",
        plan=plan,
        service=Backend(addresses=(service,)) if service else None,
        module=module,
    )
    data = to_data(build_bootstrap(gateway))
    manager = find_manager(data)
    del manager["access_log"]
    if sink is None:
        for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
            del route["route"]
            route["direct_response"] = ANSWER
    return json.dumps(data)


def find_manager(bootstrap: dict[str, Any]) -> dict[str, Any]:
    """The connection manager of the only listener."""
    (listener,) = bootstrap["static_resources"]["listeners"]
    manager: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def build_sink(path: Path) -> str:
    """The bootstrap of an Envoy on a Unix socket that reads whole bodies and answers."""
    filters: list[dict[str, Any]] = [
        {
            "name": "buffer",
            "typed_config": {"@type": f"{TYPES}.http.buffer.v3.Buffer", "max_request_bytes": 1 << 24},
        },
        {"name": "router", "typed_config": {"@type": f"{TYPES}.http.router.v3.Router"}},
    ]
    route = {"match": {"prefix": "/"}, "direct_response": ANSWER}
    manager = {
        "@type": f"{TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "sink",
        "http_filters": filters,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    listener = {
        "name": "sink",
        "address": {"pipe": {"path": str(path)}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return json.dumps({"static_resources": {"listeners": [listener]}})


async def start_envoy(
    bootstrap: str, folder: Path, *, listeners: tuple[str, ...], threads: int = 1
) -> EnvoyProcess:
    """An Envoy with so many threads that serve."""
    return await EnvoyProcess.start(bootstrap, folder, concurrency=threads, listeners=listeners)
