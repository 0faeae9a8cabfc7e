"""Short ways to policies, facts and verdicts."""

from __future__ import annotations

from typing import Any

from e2e.rbac.native import DESTINATIONS, NAMES, PRINCIPALS, SOURCES, Sent
from meshext.config import Document
from meshext.http.headers import Headers
from meshext.policy.decide import Decider, Verdict
from meshext.policy.documents import parse_policies
from meshext.policy.facts import Facts
from meshext.policy.model import Policy
from meshext.policy.scope import Workload, select_policies
from meshext.policy.trust import TrustDomains

WEB = "spiffe://cluster.local/ns/shop/sa/web"


def write(spec: str, *, name: str = "p", namespace: str = "shop", annotations: str = "{}") -> str:
    """A document with this spec."""
    head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
    metadata = f"metadata: {{name: {name}, namespace: {namespace}, annotations: {annotations}}}\n"
    return f"{head}{metadata}spec: {spec}\n"


def read(*documents: str) -> tuple[Policy, ...]:
    return parse_policies(Document("\n---\n".join(documents), "policy.yaml"))


def decider(*documents: str, workload: Workload | None = None) -> Decider:
    about = workload or Workload(namespace="shop")
    return Decider(select_policies(read(*documents), about), about.trust)


def facts(method: str = "GET", target: str = "/", headers: Any = (), **parts: Any) -> Facts:
    return Facts(method=method, target=target, headers=Headers(headers), **{"host": "shop.test", **parts})


def decide(found: Decider, *arguments: Any, **parts: Any) -> Verdict:
    return found.decide(facts(*arguments, **parts))


def holds(rule: str, trust: TrustDomains | None = None, **parts: Any) -> bool:
    """Whether a rule matches, as the only one of an ALLOW policy."""
    about = Workload(namespace="shop", trust=trust or TrustDomains())
    return decider(write(f"{{rules: [{rule}]}}"), workload=about).decide(facts(**parts)).allowed


def to_facts(sent: Sent) -> Facts:
    """A generated request as the filter would be told of it."""
    caller = sent.caller
    return Facts(
        method=sent.method,
        target=sent.target.decode("latin-1"),
        host=sent.host.decode(),
        headers=Headers.from_lines(tuple((name.lower(), value) for name, value in sent.lines)),
        principal=PRINCIPALS[caller.principal],
        peer_address=SOURCES[caller.source],
        client_address=sent.client,
        destination_address=DESTINATIONS[caller.destination],
        destination_port=8080,
        sni=NAMES[caller.name] or "",
        claims=sent.claims or {},
    )
