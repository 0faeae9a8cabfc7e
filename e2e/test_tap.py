"""The receiver of access logs and spans, told by a real Envoy."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority
from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.client import send
from meshext_controlplane.tap.calls import Call
from meshext_controlplane.tap.receiver import Receiver
from meshext_controlplane.tap.spans import Span

TYPES = "type.googleapis.com/envoy."
CALLER = "spiffe://cluster.local/ns/shop/sa/customers"
SERVER = "spiffe://cluster.local/ns/shop/sa/storefront"
POLICY = "ns[shop]-policy[no-admin]-rule[0]"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Told:
    """What has arrived, and a way to wait for it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.spans: list[Span] = []
        self._more = asyncio.Event()

    def on_call(self, call: Call) -> None:
        self.calls.append(call)
        self._more.set()

    def on_span(self, span: Span) -> None:
        self.spans.append(span)
        self._more.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not enough():
                self._more.clear()
                await self._more.wait()


@pytest.mark.envoy
def test_who_called_whom_and_what_refused_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    server = authority.issue(
        "server", [x509.UniformResourceIdentifier(SERVER)], usage=ExtendedKeyUsageOID.SERVER_AUTH
    )
    client = authority.issue("client", [x509.UniformResourceIdentifier(CALLER)])

    async def play() -> Told:
        told = Told()
        async with Receiver("127.0.0.1:0", on_call=told.on_call, on_span=told.on_span) as receiver:
            files = [str(path) for path in (server.certificate, server.key, authority.file)]
            bootstrap = build_bootstrap(receiver.port, files)
            async with await EnvoyProcess.start(
                json.dumps(bootstrap), tmp_path / "envoy", concurrency=1
            ) as e:
                url = f"https://127.0.0.1:{e.port('in')}"
                for target in ("/orders?n=1", "/admin"):
                    await asyncio.to_thread(ask, url, target, client.to_client())
                await told.until(lambda: len(told.calls) >= 2 and len(told.spans) >= 2)
        return told

    told = asyncio.run(play())
    allowed, denied = sorted(told.calls, key=lambda call: call.start)
    assert (allowed.node, allowed.peer, allowed.server) == ("storefront.shop", CALLER, SERVER)
    assert (allowed.method, allowed.authority, allowed.path) == ("GET", "storefront.shop", "/orders?n=1")
    assert (allowed.code, allowed.refused_by, allowed.cluster) == (200, "", "inbound|8080||")
    assert 0 <= allowed.duration < 30
    assert (denied.code, denied.refused_by) == (403, "AuthorizationPolicy shop/no-admin")
    assert denied.inbound
    assert denied.peer == CALLER
    assert {(span.service, span.trace) for span in told.spans} == {("storefront.shop", TRACE)}


def ask(url: str, target: str, tls: ssl.SSLContext) -> None:
    send(
        url,
        target=target,
        host="storefront.shop",
        tls=tls,
        headers=[("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")],
    )


def build_bootstrap(receiver: int, files: list[str]) -> dict[str, Any]:
    """A sidecar in small: mTLS, a policy, access logs and spans for the receiver; the upstream is itself."""
    grpc = {"envoy_grpc": {"cluster_name": "receiver"}}
    log = {
        "@type": TYPES + "extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
        "common_config": {
            "log_name": "mesh",
            "grpc_service": grpc,
            "transport_api_version": "V3",
            "buffer_flush_interval": "0.1s",
        },
    }
    tracing = {
        "@type": TYPES.replace("envoy.", "envoy.config.trace.v3.OpenTelemetryConfig"),
        "grpc_service": grpc,
        "service_name": "storefront.shop",
    }
    rules = {
        "action": "DENY",
        "policies": {
            POLICY: {
                "permissions": [{"url_path": {"path": {"prefix": "/admin"}}}],
                "principals": [{"any": True}],
            }
        },
    }
    http = TYPES + "extensions.filters.http."
    manager = {
        "@type": TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "access_log": [{"name": "als", "typed_config": log}],
        "tracing": {"provider": {"name": "otel", "typed_config": tracing}},
        "http_filters": [
            {"name": "rbac", "typed_config": {"@type": http + "rbac.v3.RBAC", "rules": rules}},
            {"name": "router", "typed_config": {"@type": http + "router.v3.Router"}},
        ],
        "route_config": hosts({"cluster": "inbound|8080||"}),
    }
    answering = {
        "@type": TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "application",
        "http_filters": [{"name": "router", "typed_config": {"@type": http + "router.v3.Router"}}],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
    }
    certificate, key, authority = files
    tls = {
        "@type": TYPES + "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
            ],
            "validation_context": {"trusted_ca": {"filename": authority}},
        },
    }
    application = str(Path(certificate).parent / "application.sock")
    return {
        "node": {"id": "storefront.shop", "cluster": "storefront"},
        "static_resources": {
            "listeners": [
                listener("in", {"socket_address": {"address": "127.0.0.1", "port_value": 0}}, manager, tls),
                listener("application", {"pipe": {"path": application}}, answering, None),
            ],
            "clusters": [
                cluster(
                    "receiver",
                    {"socket_address": {"address": "127.0.0.1", "port_value": receiver}},
                    http2=True,
                ),
                cluster("inbound|8080||", {"pipe": {"path": application}}, http2=False),
            ],
        },
    }


def hosts(action: dict[str, Any]) -> dict[str, Any]:
    routes = [{"match": {"prefix": "/"}, "route": action}]
    return {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


def listener(name: str, address: Any, manager: Any, tls: Any) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [{"name": "http", "typed_config": manager}]}
    if tls is not None:
        chain["transport_socket"] = {"name": "tls", "typed_config": tls}
    return {"name": name, "address": address, "filter_chains": [chain]}


def cluster(name: str, address: Any, *, http2: bool) -> dict[str, Any]:
    protocol: dict[str, Any] = {"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}}
    options = {
        "@type": TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": protocol,
    }
    return {
        "name": name,
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            TYPES.split("/")[1] + "extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
