"""AuthorizationPolicy as Envoy's RBAC: order, names and shapes, as Istio writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from e2e.rbac.generated import policy_sets
from meshext.config import Document
from meshext.envoy.emit import emit_yaml
from meshext.policy.documents import parse_policies
from meshext.policy.model import Action, Policy
from meshext.policy.scope import Workload, select_policies
from meshext.policy.trust import TrustDomains
from meshext_controlplane.translate.rbac import Target, emit_rbac_filters

TRUST = TrustDomains("cluster.local", ("old.example",))


def policy(spec: str, name: str = "p", annotations: str = "{}") -> str:
    head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: shop, annotations: {annotations}}}\nspec: {spec}\n"


EVERY_FIELD = """{action: DENY, rules: [{
  from: [{source: {
    principals: ["cluster.local/ns/a/sa/b", "*/x", "c*", "*"],
    notRequestPrincipals: ["i/s", "*/s", "i*", "x"],
    notNamespaces: ["a.b", "c*"], trustDomains: ["cluster.local", "*", "a*"], ipBlocks: ["10.0.0.0/8"],
    notRemoteIpBlocks: ["::1"]}}, {source: {serviceAccounts: [web, other/api]}}],
  to: [{operation: {hosts: [a.test, "*.test", "*"], ports: ["80"], methods: [GET, "*"],
    notPaths: ["/a*", "/{*}/b/{**}"]}}],
  when: [{key: connection.sni, values: ["*.a"]},
    {key: "request.headers[X-A]", values: [a, "*"], notValues: [b]},
    {key: "request.auth.claims[a][b]", values: [x, "y*"]}, {key: destination.ip, notValues: [10.0.0.1]},
    {key: "experimental.envoy.filters.http.x[k]", values: ["[v]", w]}]}]}"""

CASES: dict[str, str] = {
    "every-field": policy(EVERY_FIELD),
    "empty-rule": policy("{rules: [{}]}"),
    "allow-nothing": policy("{}"),
    "order-of-actions": "---\n".join(
        [
            policy("{rules: [{}]}", "a"),
            policy("{action: DENY, rules: [{}]}", "d"),
            policy("{action: AUDIT, rules: [{}]}", "l"),
        ]
    ),
    "dry-run": "---\n".join(
        [
            policy("{action: DENY, rules: [{}]}", "d", '{istio.io/dry-run: "true"}'),
            policy("{rules: [{}]}", "a", '{istio.io/dry-run: "1"}'),
            policy("{rules: [{}]}", "b"),
        ]
    ),
    "several-sources": policy(
        "{rules: [{from: [{source: {namespaces: [a]}}, {source: {namespaces: [b]}}], "
        "when: [{key: 'request.headers[a]', values: [b]}]}]}"
    ),
}
MIXED = (
    "rules: [{to: [{operation: {ports: ['80'], paths: ['/a']}}]}, {to: [{operation: {ports: ['81']}}]}, "
    "{to: [{operation: {methods: [GET]}}]}]"
)
TCP_CASES = {"tcp-allow": policy(f"{{{MIXED}}}"), "tcp-deny": policy(f"{{action: DENY, {MIXED}}}")}


def read(text: str) -> tuple[Policy, ...]:
    return select_policies(parse_policies(Document(text)), Workload(namespace="shop", trust=TRUST))


@pytest.mark.parametrize("name", CASES)
def test_http(name: str, golden: Callable[[str, str], None]) -> None:
    filters = emit_rbac_filters(read(CASES[name]), Target(trust=TRUST))
    golden(emit_yaml(filters), f"{name}.yaml")


@pytest.mark.parametrize("name", TCP_CASES)
def test_tcp(name: str, golden: Callable[[str, str], None]) -> None:
    filters = emit_rbac_filters(read(TCP_CASES[name]), Target(trust=TRUST, tcp=True))
    golden(emit_yaml(filters), f"{name}.yaml")


@given(policy_sets((8080, 8081)))
def test_every_rule_is_there_by_name(documents: list[dict[str, Any]]) -> None:
    policies = read("\n---\n".join(json.dumps(each) for each in documents))
    filters = emit_rbac_filters(policies, Target(trust=TRUST))
    order = [each["typed_config"]["rules"]["action"] for each in filters]
    assert order == [action for action in ("LOG", "DENY", "ALLOW") if action in order]
    names = [name for each in filters for name in each["typed_config"]["rules"]["policies"]]
    assert len(names) == sum(max(len(policy.rules), 1) for policy in policies)
    assert {policy.action for policy in policies} <= {Action.ALLOW, Action.DENY, Action.AUDIT}
    json.dumps(filters)
