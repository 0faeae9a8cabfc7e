"""A real Envoy whose routes carry the RBAC of a mesh, changed while it runs, and callers with identities.

Claims and metadata of a request are what headers say (`header_to_metadata`), so that they need no tokens. One
listener normalises paths as our generated configuration does, the other one leaves them alone.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from google.protobuf.json_format import Parse
from google.protobuf.struct_pb2 import Value

from e2e.certificates import Authority, plain_client
from e2e.raw import DEADLINE
from e2e.stage import wait_for
from meshext.envoy.process import EnvoyProcess
from meshext.http.metadata import Json
from meshext.policy.model import Policy
from meshext.policy.trust import TrustDomains
from meshext_controlplane.translate import http_filters
from meshext_controlplane.translate.authorization import PLACES, build_route_rules
from meshext_controlplane.translate.decoding import to_data
from meshext_controlplane.translate.rbac import Target
from tests.conformance.background import Background

TYPES = "type.googleapis.com/envoy."
HTTP_FILTERS = TYPES + "extensions.filters.http."
JWT = "envoy.filters.http.jwt_authn"
DEMO = "envoy.filters.http.demo"
PRINCIPALS = (
    "spiffe://cluster.local/ns/shop/sa/web",
    "spiffe://cluster.local/ns/shop/sa/api",
    "spiffe://old.example/ns/shop/sa/web",
    "spiffe://cluster.local.evil/ns/shop/sa/web",
    "spiffe://ns/ns/foo/sa/bar",
    "spiffe://cluster.local/ns/a/ns/shop/x/sa/web/extra",
    "spiffe://cluster.local/x",
    None,
)
SOURCES = ("127.0.0.1", "127.0.0.7", "127.0.1.9")
DESTINATIONS = ("127.0.0.1", "127.0.0.2")
NAMES = (None, "shop.test", "API.shop.test")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who connects, from where, to where: positions in lists. The `raw` listener normalises nothing."""

    principal: int = 0
    source: int = 0
    destination: int = 0
    name: int = 0
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. Header lines are bytes; claims and metadata become dynamic metadata."""

    caller: Caller = Caller()
    method: str = "GET"
    target: bytes = b"/"
    host: bytes = b"a.test"
    lines: tuple[tuple[str, bytes], ...] = ()
    client: str = "203.0.113.9"
    claims: dict[str, Json] | None = None
    metadata: dict[str, Json] | None = None


@dataclass(slots=True)
class Got:
    """The status, and the target that a request which passed had after normalisation."""

    status: int
    target: bytes | None = None


def encode_value(value: Json) -> bytes:
    """A `google.protobuf.Value` as `header_to_metadata` reads it."""
    return base64.b64encode(Parse(json.dumps(value), Value()).SerializeToString())


def head_of(sent: Sent, case: int) -> bytes:
    """The request's bytes for the policies of that number."""
    lines = [
        ("host", sent.host),
        ("x-case", b"%d" % case),
        ("x-forwarded-for", sent.client.encode()),
        *sent.lines,
    ]
    if sent.claims is not None:
        lines.append(("x-claims", encode_value(sent.claims)))
    for name, value in (sent.metadata or {}).items():
        lines.append((f"x-demo-{name}", encode_value(value)))
    if sent.method in ("POST", "PUT"):
        lines.append(("content-length", b"0"))
    head = sent.method.encode() + b" " + sent.target + b" HTTP/1.1\r\n"
    return head + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in lines) + b"\r\n"


@dataclass(slots=True)
class NativeRbac:
    """The running Envoy."""

    folder: Path
    trust: TrustDomains
    background: Background = field(default_factory=Background)
    links: dict[Caller, ssl.SSLSocket] = field(default_factory=dict)
    contexts: list[ssl.SSLContext] = field(default_factory=list)
    version: int = 0
    port: int = 0
    raw_port: int = 0
    envoy: EnvoyProcess | None = None

    def start(self) -> None:
        """Make certificates, start Envoy, wait for its listeners."""
        files, self.contexts = issue_all(self.folder)
        self.write_routes([])
        bootstrap = build_bootstrap(str(self.folder / "routes.json"), files)
        self.envoy = self.background.run(
            EnvoyProcess.start(json.dumps(bootstrap), self.folder / "envoy", concurrency=1)
        )
        self.port, self.raw_port = (self.envoy.address(name)[1] for name in ("normalising", "raw"))

    def stop(self) -> None:
        for link in self.links.values():
            link.close()
        if self.envoy is not None:
            self.background.run(self.envoy.stop())
        self.background.close()

    def load(self, sets: Sequence[Sequence[Policy]]) -> None:
        """Put these policies into Envoy, each set on its route; fails where Envoy refuses them."""
        self.version += 1
        self.write_routes(sets)
        wanted = b"x-version: %d" % self.version
        probe = Sent(lines=(("x-probe", b"1"),))
        assert wait_for(lambda: wanted in self.exchange(probe, -1)), f"Envoy does not take {sets}"

    def write_routes(self, sets: Sequence[Sequence[Policy]]) -> None:
        """The routes as a file that Envoy watches."""
        routes = [build_route(number, policies, self.trust) for number, policies in enumerate(sets)]
        host = {
            "name": "all",
            "domains": ["*"],
            "routes": [*routes, build_probe()],
            "response_headers_to_add": [
                {"header": {"key": "x-version", "value": str(self.version)}},
                {"header": {"key": "x-path", "value": "%REQ(:PATH)%"}},
            ],
        }
        resource = {
            "@type": TYPES + "config.route.v3.RouteConfiguration",
            "name": "routes",
            "virtual_hosts": [host],
        }
        place = self.folder / "routes.json"
        place.with_suffix(".new").write_text(
            json.dumps({"version_info": str(self.version), "resources": [resource]}), encoding="utf-8"
        )
        os.replace(place.with_suffix(".new"), place)

    def send(self, sent: Sent, case: int) -> Got:
        """What becomes of a request under the policies of that number."""
        head = self.exchange(sent, case)
        lines = head.split(b"\r\n")
        target = next((line[8:] for line in lines if line.startswith(b"x-path: ")), None)
        return Got(int(lines[0].split(b" ")[1]), target)

    def exchange(self, sent: Sent, case: int) -> bytes:
        """The head of the answer; the connection is made anew where Envoy has closed it."""
        data = head_of(sent, case)
        for attempt in (1, 2):
            link = self.links.get(sent.caller) or self.connect(sent.caller)
            self.links[sent.caller] = link
            with suppress(OSError):
                link.sendall(data)
                if head := read_head(link, sent.method):
                    if b"connection: close" in head.lower():
                        self.links.pop(sent.caller).close()
                    return head
            self.links.pop(sent.caller).close()
            assert attempt == 1 or b"\r\n" in data
        raise AssertionError(f"no answer to {data!r}")

    def connect(self, caller: Caller) -> ssl.SSLSocket:
        """A TLS connection of that caller."""
        return connect(caller, self.raw_port if caller.raw else self.port, self.contexts)


def issue_all(folder: Path) -> tuple[list[str], list[ssl.SSLContext]]:
    """Files of a server (certificate, key, authority), and the TLS of a client for each of PRINCIPALS."""
    authority = Authority(folder, "ca")
    server = authority.issue("server", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    contexts = []
    for number, principal in enumerate(PRINCIPALS):
        context = plain_client()
        if principal is not None:
            pair = authority.issue(f"caller{number}", [x509.UniformResourceIdentifier(principal)])
            context.load_cert_chain(pair.certificate, pair.key)
        contexts.append(context)
    return [str(path) for path in (server.certificate, server.key, authority.file)], contexts


def connect(caller: Caller, port: int, contexts: Sequence[ssl.SSLContext]) -> ssl.SSLSocket:
    """A TLS connection of that caller."""
    address = (DESTINATIONS[caller.destination], port)
    plain = socket.create_connection(address, timeout=DEADLINE, source_address=(SOURCES[caller.source], 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return contexts[caller.principal].wrap_socket(plain, server_hostname=NAMES[caller.name])


def read_head(link: ssl.SSLSocket, method: str) -> bytes:
    """The head of one answer, its body read and dropped; b"" where the connection ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(65_536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while method != "HEAD" and len(body) < length:
        body += link.recv(65_536)
    return head


def build_route(number: int, policies: Sequence[Policy], trust: TrustDomains) -> dict[str, Any]:
    """A route that answers 200 where the RBAC of these policies lets the request pass."""
    rules = build_route_rules(policies, Target(trust=trust))
    filters = {name: to_data(packed) for name, packed in rules.items()}
    match = {"prefix": "/", "headers": [{"name": "x-case", "string_match": {"exact": str(number)}}]}
    return {"match": match, "direct_response": {"status": 200}, "typed_per_filter_config": filters}


def build_probe() -> dict[str, Any]:
    """The route that tells which version is in force."""
    return {"match": {"prefix": "/"}, "direct_response": {"status": 204}}


def build_bootstrap(routes: str, files: Sequence[str]) -> dict[str, Any]:
    """Two listeners over the same routes."""
    normalising = {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
    }
    listeners = [
        build_listener("normalising", routes, files, normalising),
        build_listener("raw", routes, files, {"normalize_path": False}),
    ]
    return {"node": {"id": "rbac", "cluster": "rbac"}, "static_resources": {"listeners": listeners}}


def build_listener(name: str, routes: str, files: Sequence[str], paths: dict[str, Any]) -> dict[str, Any]:
    """Metadata from headers, RBAC to fill by route."""
    source = {"path_config_source": {"path": routes}, "resource_api_version": "V3"}
    manager = {
        "@type": TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        "rds": {"route_config_name": "routes", "config_source": source},
        "http_filters": [build_metadata_filter(), *build_rbac_filters(), build_router()],
        **paths,
    }
    return build_chain(name, 0, [{"name": "http", "typed_config": manager}], files)


def build_chain(name: str, port: int, filters: list[dict[str, Any]], files: Sequence[str]) -> dict[str, Any]:
    """A listener of one chain: TLS with client certificates where there are any, server names read."""
    certificate, key, authority = files
    tls = {
        "@type": TYPES + "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
            ],
            "validation_context": {"trusted_ca": {"filename": authority}},
        },
    }
    inspector = {"@type": TYPES + "extensions.filters.listener.tls_inspector.v3.TlsInspector"}
    return {
        "name": name,
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        "listener_filters": [{"name": "tls", "typed_config": inspector}],
        "filter_chains": [{"filters": filters, "transport_socket": {"name": "tls", "typed_config": tls}}],
    }


def build_metadata_filter() -> dict[str, Any]:
    """Claims and demo metadata from headers, which nothing behind it sees."""

    def rule(header: str, namespace: str, key: str) -> dict[str, Any]:
        value = {"metadata_namespace": namespace, "key": key, "type": "PROTOBUF_VALUE", "encode": "BASE64"}
        return {"header": header, "on_header_present": value, "remove": True}

    rules = [rule("x-claims", JWT, "payload"), rule("x-demo-k", DEMO, "k"), rule("x-demo-l", DEMO, "l")]
    config = {"@type": HTTP_FILTERS + "header_to_metadata.v3.Config", "request_rules": rules}
    return {"name": "metadata", "typed_config": config}


def build_rbac_filters() -> list[dict[str, Any]]:
    """The RBAC filters of every inbound listener, in the order that they have there."""
    return [
        to_data(each)
        for each in http_filters.build_chain(http_filters.Direction.INBOUND)
        if each.name in PLACES.values()
    ]


def build_router() -> dict[str, Any]:
    """The end of the chain."""
    return {"name": "router", "typed_config": {"@type": HTTP_FILTERS + "router.v3.Router"}}
