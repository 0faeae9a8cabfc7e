"""`authorization-policy` in process: what it asks of Envoy, what it answers, logs, counts and writes."""

from __future__ import annotations

from typing import Any

import pytest

from meshext.config import Document
from meshext.errors import ConfigError
from meshext.http.peer import Peer
from meshext.loading import build_config, load_needs
from meshext.plugins import load_filter
from meshext.testing import Harness
from tests.policy.reading import WEB, write

JWT = "envoy.filters.http.jwt_authn"
DEMO = "envoy.filters.http.demo"
DRY = '{istio.io/dry-run: "true"}'


def harness(*documents: str) -> Harness:
    return Harness(load_filter("authorization-policy"), "---\n".join(documents))


def rule(key: str, value: str) -> str:
    return write(f'{{rules: [{{when: [{{key: "{key}", values: ["{value}"]}}]}}]}}')


def needs_of(document: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    cls = load_filter("authorization-policy")
    needs = cls.needs(build_config(cls, Document(document)))
    return needs.attributes, needs.metadata_namespaces


@pytest.mark.parametrize(
    ("key", "attributes", "namespaces"),
    [
        ("request.headers[a]", (), ()),
        ("source.ip", (), ()),
        ("destination.ip", ("destination.address",), ()),
        ("destination.port", ("destination.port",), ()),
        ("connection.sni", ("connection.requested_server_name",), ()),
        ("request.auth.claims[a]", (), (JWT,)),
        ("request.auth.principal", (), (JWT,)),
        (f"experimental.{DEMO}[k]", (), (DEMO,)),
    ],
)
def test_only_what_policies_look_at_is_asked_for(key: str, attributes: Any, namespaces: Any) -> None:
    value = {"source.ip": "10.0.0.1", "destination.ip": "10.0.0.1", "destination.port": "80"}.get(key, "a")
    assert needs_of(rule(key, value)) == (attributes, namespaces)


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("request.headers[x-a]", "b", {"headers": [("x-a", "a"), ("X-A", "b")]}),
    ("source.ip", "10.0.0.1", {"peer": Peer(address="10.0.0.1")}),
    ("remote.ip", "203.0.113.0/24", {"client_address": "203.0.113.9"}),
    ("source.principal", "cluster.local/ns/shop/sa/web", {"peer": Peer(principal=WEB)}),
    ("destination.ip", "10.0.0.2", {"attributes": {"destination.address": "10.0.0.2:80"}}),
    ("destination.ip", "2001:db8::/32", {"attributes": {"destination.address": "[2001:db8::1]:80"}}),
    ("destination.ip", "2001:db8::1", {"attributes": {"destination.address": "2001:db8::1"}}),
    ("destination.port", "8080", {"attributes": {"destination.port": 8080}}),
    ("connection.sni", "shop.test", {"attributes": {"connection.requested_server_name": "shop.test"}}),
    ("request.auth.claims[a][b]", "c", {"metadata": {JWT: {"payload": {"a": {"b": ["c"]}}}}}),
    ("request.auth.principal", "iss/ann", {"metadata": {JWT: {"payload": {"iss": "iss", "sub": "ann"}}}}),
    (f"experimental.{DEMO}[k]", "v", {"metadata": {DEMO: {"k": "v"}}}),
]


@pytest.mark.parametrize(("key", "value", "parts"), CASES)
def test_every_input_reaches_the_decision(key: str, value: str, parts: dict[str, Any]) -> None:
    ready = harness(rule(key, value))
    assert ready.request(**parts).status == 200
    assert ready.request().status == 403


def test_claims_of_another_provider_are_not_read() -> None:
    claims = {"roles": ["admin"]}
    ready = harness(rule("request.auth.claims[roles]", "admin"))
    assert ready.request(metadata={JWT: {"payload": claims}}).status == 200
    assert ready.request(metadata={JWT: {"other": claims}}).status == 403
    assert ready.request(metadata={JWT: {"payload": "text"}}).status == 403


def test_a_refusal_says_to_the_log_alone_why() -> None:
    ready = harness(write("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", name="d"))
    refused = ready.request("GET", "/admin?x=y")
    assert (refused.status, refused.body) == (403, b"RBAC: access denied")
    assert refused.details == "rbac_access_denied_matched_policy[ns[shop]-policy[d]-rule[0]]"
    assert harness(write("{}")).request().details == "rbac_access_denied_matched_policy[none]"
    assert ready.request().status == 200
    assert ready.value("authorization_decisions_total", verdict="denied", policy="shop/d") == 1
    assert ready.value("authorization_decisions_total", verdict="allowed", policy="none") == 1


def test_audit_and_dry_run_are_told_and_change_nothing() -> None:
    ready = harness(
        write("{action: AUDIT, rules: [{to: [{operation: {methods: [DELETE]}}]}]}", name="log"),
        write(
            "{action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}", name="soon", annotations=DRY
        ),
    )
    outcome = ready.request("DELETE", "/orders/7", peer=Peer(principal=WEB))
    assert outcome.status == 200
    assert outcome.metadata["meshext.authorization-policy"] == {
        "audit": ["ns[shop]-policy[log]-rule[0]"],
        "dry_run": "denied",
        "dry_run_policy": "ns[shop]-policy[soon]-rule[0]",
    }
    assert [log.message for log in outcome.logs] == [
        f"audit ns[shop]-policy[log]-rule[0]: DELETE /orders/7 by {WEB}"
    ]
    assert ready.value("authorization_audits_total", policy="shop/log") == 1
    assert ready.value("authorization_dry_runs_total", verdict="denied", policy="shop/soon") == 1
    plain = ready.request("GET", "/")
    assert plain.metadata["meshext.authorization-policy"] == {"dry_run": "allowed", "dry_run_policy": "none"}
    assert plain.logs == ()


def test_a_tunnel_has_no_path() -> None:
    ready = harness(write("{action: DENY, rules: [{to: [{operation: {notPaths: ['/*']}}]}]}"))
    assert ready.request("CONNECT", "").status == 403


def test_a_file_that_is_refused_is_named(tmp_path: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(write("{rules: [{to: [{operation: {ports: [80]}}]}]}"))
    with pytest.raises(ConfigError) as refused:
        load_needs(["authorization-policy"], [str(file)])
    assert str(refused.value).startswith(f"{file}: line 4: shop/p: spec.rules[0].to[0].operation.ports[0]: ")
    with pytest.raises(ConfigError, match="needs a text as its configuration"):
        load_needs(["authorization-policy"])


@pytest.mark.slow
def test_ten_thousand_rules_load_in_two_seconds() -> None:
    """With room: a core with a busy neighbour takes up to twice the CPU; see `e2e/bench/results`."""
    from e2e.bench.policies import measure_loading

    figures = measure_loading(3)
    cpu = figures["cpu_seconds"]
    assert isinstance(cpu, list)
    assert min(cpu) < 2.0 * 2.5
