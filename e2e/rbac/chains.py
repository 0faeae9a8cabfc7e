"""The filters that policies are translated to, as they are, on listeners of a real Envoy: of TCP and of HTTP.

A listener of TCP gives back what it gets, one of HTTP answers 200 and tells RBAC's dynamic metadata.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.rbac.native import TYPES, Caller, build_chain, build_router, connect, issue_all, read_head
from meshext.envoy.process import EnvoyProcess
from meshext.policy.model import Policy
from meshext.policy.trust import TrustDomains
from meshext_controlplane.translate.rbac import HTTP_FILTER, Target, emit_rbac_filters
from tests.conformance.background import Background

NETWORK = TYPES + "extensions.filters.network."
TOLD = f"%DYNAMIC_METADATA({HTTP_FILTER})%"


@dataclass(frozen=True, slots=True)
class Chain:
    """A listener's policies; port 0 is any that is free."""

    policies: Sequence[Policy]
    tcp: bool = True
    port: int = 0


@dataclass(frozen=True, slots=True)
class Chains:
    """The running Envoy."""

    envoy: EnvoyProcess
    background: Background
    contexts: Sequence[ssl.SSLContext]

    def passes(self, name: str, caller: Caller) -> bool:
        """Whether a listener of TCP lets a caller's first bytes pass; else it closes the connection."""
        with connect(caller, self.envoy.port(name), self.contexts) as link, suppress(OSError):
            link.sendall(b"ping")
            return link.recv(16) == b"ping"
        return False

    def ask(self, name: str, caller: Caller, path: str) -> tuple[int, dict[str, str]]:
        """The status of a GET, and what RBAC wrote into metadata."""
        with connect(caller, self.envoy.port(name), self.contexts) as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nhost: a.test\r\n\r\n".encode())
            lines = read_head(link, "GET").decode().split("\r\n")
        told = next((line.partition(": ")[2] for line in lines if line.startswith("x-told: ")), "{}")
        return int(lines[0].split(" ")[1]), json.loads(told)

    def stats(self, pattern: str) -> dict[str, int]:
        """Counters that are not 0."""
        found = self.background.run(self.envoy.admin.stats(pattern))
        return {name: value for name, value in found.items() if value}


@contextmanager
def chains(folder: Path, wanted: Mapping[str, Chain], trust: TrustDomains) -> Iterator[Chains]:
    """An Envoy with these listeners."""
    files, contexts = issue_all(folder)
    listeners = [build(name, chain, files, trust) for name, chain in wanted.items()]
    bootstrap = {"static_resources": {"listeners": listeners}}
    background = Background()
    try:
        start = EnvoyProcess.start(json.dumps(bootstrap), folder / "envoy", concurrency=1)
        envoy = background.run(start)
        try:
            yield Chains(envoy, background, contexts)
        finally:
            background.run(envoy.stop())
    finally:
        background.close()


def build(name: str, chain: Chain, files: Sequence[str], trust: TrustDomains) -> dict[str, Any]:
    """One listener."""
    filters = emit_rbac_filters(chain.policies, Target(trust=trust, tcp=chain.tcp))
    end = build_echo() if chain.tcp else build_manager(name, filters)
    return build_chain(name, chain.port, [*filters, end] if chain.tcp else [end], files)


def build_echo() -> dict[str, Any]:
    """Gives back what comes."""
    return {"name": "echo", "typed_config": {"@type": NETWORK + "echo.v3.Echo"}}


def build_manager(name: str, filters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """HTTP with these filters; every answer tells what they wrote."""
    told = {"header": {"key": "x-told", "value": TOLD}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    manager = {
        "@type": NETWORK + "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [*filters, build_router()],
        "route_config": {
            "response_headers_to_add": [told],
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ],
        },
    }
    return {"name": "http", "typed_config": manager}
