"""Policies as Envoy's own filters in a real Envoy: on a chain without HTTP, and in dry run on both."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.rbac.chains import Chain, Chains, chains
from e2e.rbac.generated import callers, policy_sets
from e2e.rbac.native import DESTINATIONS, NAMES, PRINCIPALS, SOURCES, Caller
from e2e.stage import report
from meshext.config import Document
from meshext.policy.decide import Decider
from meshext.policy.documents import parse_policies
from meshext.policy.facts import Facts
from meshext.policy.model import Action, Policy
from meshext.policy.scope import Workload, select_policies
from meshext.policy.trust import TrustDomains
from meshext_controlplane.translate.rbac import HTTP_ONLY, all_terms, without_http
from tests.ports import free_ports

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TRUST = TrustDomains("cluster.local", ("old.example",))
WORKLOAD = Workload(namespace="shop", trust=TRUST)
HTTP_SHADOWS = "^http.dry_http.rbac.*shadow"
EXAMPLES = int(os.environ.get("MESHEXT_RBAC_EXAMPLES", "40"))
SETS = 20  # of policies in one Envoy
DRY = 'annotations: {istio.io/dry-run: "true"}'
WEB, API, OLD, ELSEWHERE, NOBODY = (
    Caller(principal=PRINCIPALS.index(each))
    for each in (
        "spiffe://cluster.local/ns/shop/sa/web",
        "spiffe://cluster.local/ns/shop/sa/api",
        "spiffe://old.example/ns/shop/sa/web",
        "spiffe://ns/ns/foo/sa/bar",
        None,
    )
)
AWAY = Caller(source=SOURCES.index("127.0.1.9"))
INSIDE = Caller(destination=DESTINATIONS.index("127.0.0.2"))
NAMED = Caller(name=NAMES.index("shop.test"))
EVERYBODY = {"web": WEB, "api": API, "old": OLD, "elsewhere": ELSEWHERE, "nobody": NOBODY, "away": AWAY}
EVERYBODY |= {"inside": INSIDE, "named": NAMED}
ALL = set(EVERYBODY)


def read(text: str) -> tuple[Policy, ...]:
    return select_policies(parse_policies(Document(text, "policy.yaml")), WORKLOAD)


def policy(spec: str, name: str = "p", annotations: str = "annotations: {}") -> str:
    head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: shop, {annotations}}}\nspec: {spec}\n"


def source(action: str, fields: str) -> str:
    return policy(f"{{action: {action}, rules: [{{from: [{{source: {{{fields}}}}}]}}]}}", action.lower())


def condition(action: str, key: str, value: str) -> str:
    return policy(f"{{action: {action}, rules: [{{when: [{{key: {key}, values: [{value}]}}]}}]}}")


def operation(action: str, *fields: str) -> str:
    rules = ", ".join(f"{{to: [{{operation: {{{each}}}}}]}}" for each in fields)
    return policy(f"{{action: {action}, rules: [{rules}]}}")


WEBS = "cluster.local/ns/shop/sa/web"
SET_OF_WEB = {"web", "old", "away", "inside", "named"}  # an alias counts as the trust domain
PORT = "ports: ['%d']"
CASES: dict[str, tuple[str, set[str]]] = {
    "no policy": ("", ALL),
    "allow nothing": (policy("{}"), set()),
    "allow everything": (policy("{rules: [{}]}"), ALL),
    "deny everything": (policy("{action: DENY, rules: [{}]}"), set()),
    "allow a principal": (source("ALLOW", f"principals: [{WEBS}]"), SET_OF_WEB),
    "deny a principal": (source("DENY", f"principals: [{WEBS}]"), ALL - SET_OF_WEB),
    "allow all but a principal": (source("ALLOW", f"notPrincipals: [{WEBS}]"), ALL - SET_OF_WEB),
    "allow a namespace": (source("ALLOW", "namespaces: [foo]"), {"elsewhere"}),
    "allow a service account": (source("ALLOW", "serviceAccounts: [api]"), {"api"}),
    "allow who has an identity": (source("ALLOW", "principals: ['*']"), ALL - {"nobody"}),
    "allow an address": (source("ALLOW", "ipBlocks: [127.0.1.0/24]"), {"away"}),
    "deny an address": (source("DENY", "remoteIpBlocks: [127.0.1.9]"), ALL - {"away"}),
    "deny a destination": (condition("DENY", "destination.ip", "127.0.0.2"), ALL - {"inside"}),
    "allow a server name": (condition("ALLOW", "connection.sni", "'shop.*'"), {"named"}),
    "allow the port": (operation("ALLOW", PORT), ALL),
    "allow another port": (operation("ALLOW", "ports: ['1']"), set()),
    "deny the port": (operation("DENY", PORT), set()),
    "deny another port": (operation("DENY", "ports: ['1']"), ALL),
    "allow a method, which drops to nothing": (operation("ALLOW", "methods: [GET]"), set()),
    "allow a port and a path, which drops to nothing": (operation("ALLOW", f"{PORT}, paths: [/a]"), set()),
    "allow a method or the port": (operation("ALLOW", "methods: [GET]", PORT), ALL),
    "deny a port and a path, which widens to the port": (operation("DENY", f"{PORT}, paths: [/a]"), set()),
    "deny another port and a path": (operation("DENY", "ports: ['1'], paths: [/a]"), ALL),
    "deny a method, which widens to all": (operation("DENY", "methods: [GET]"), set()),
    "deny a token of a namespace, which widens to it": (
        source("DENY", "namespaces: [foo], requestPrincipals: ['*']"),
        ALL - {"elsewhere"},
    ),
    "deny before allow": (
        source("ALLOW", f"principals: [{WEBS}]") + "---\n" + source("DENY", "ipBlocks: [127.0.1.9]"),
        SET_OF_WEB - {"away"},
    ),
    "audit stops nobody": (policy("{action: AUDIT, rules: [{}]}"), ALL),
}
DRY_RUNS = "---\n".join(
    [
        policy(f"{{action: DENY, rules: [{{from: [{{source: {{principals: [{WEBS}]}}}}]}}]}}", "deny", DRY),
        policy("{rules: [{from: [{source: {serviceAccounts: [api]}}]}]}", "allow", DRY),
    ]
)
ENFORCED = policy("{action: DENY, rules: [{from: [{source: {namespaces: [foo]}}]}]}", "enforced")


def build_chain(text: str, port: int, *, tcp: bool = True) -> Chain:
    """A listener's policies, in which `%d` is its port."""
    return Chain(read(text.replace("%d", str(port))), tcp=tcp, port=port)


@pytest.fixture(scope="module")
def running() -> Iterator[Chains]:
    dry, http, *others = free_ports(len(CASES) + 2)
    texts = {name.replace(" ", "_"): text for name, (text, _) in CASES.items()}
    wanted = {name: build_chain(text, port) for (name, text), port in zip(texts.items(), others, strict=True)}
    wanted["dry_tcp"] = build_chain(f"{DRY_RUNS}---\n{ENFORCED}", dry)
    wanted["dry_http"] = build_chain(f"{DRY_RUNS}---\n{ENFORCED}", http, tcp=False)
    with TemporaryDirectory(prefix="mx-") as name, chains(Path(name), wanted, TRUST) as found:
        yield found


@pytest.mark.parametrize("name", CASES)
def test_a_chain_without_http(name: str, running: Chains) -> None:
    passed = {who for who, caller in EVERYBODY.items() if running.passes(name.replace(" ", "_"), caller)}
    assert passed == CASES[name][1]


@pytest.mark.parametrize(
    ("caller", "deny", "allow"),
    [(WEB, "denied", "denied"), (API, "allowed", "allowed"), (NOBODY, "allowed", "denied")],
)
def test_a_dry_run_on_http_is_told_and_refuses_nobody(
    caller: Caller, deny: str, allow: str, running: Chains
) -> None:
    before = running.stats(HTTP_SHADOWS)
    status, told = running.ask("dry_http", caller, "/a")
    assert status == 200
    assert told["enforced_engine_result"] == "allowed"
    assert told["istio_dry_run_deny_shadow_engine_result"] == deny
    assert told["istio_dry_run_allow_shadow_engine_result"] == allow
    named = {key: value for key, value in told.items() if key.endswith("shadow_effective_policy_id")}
    assert named == {
        f"istio_dry_run_{name}_shadow_effective_policy_id": f"ns[shop]-policy[{name}]-rule[0]"
        for name, matched in (("deny", deny == "denied"), ("allow", allow == "allowed"))
        if matched
    }
    moved = {name for name, value in running.stats(HTTP_SHADOWS).items() if value != before.get(name, 0)}
    assert moved == {
        f"http.dry_http.rbac.istio_dry_run_{kind}_.shadow_{result}"
        for kind, result in (("deny", deny), ("allow", allow))
    }


def test_what_is_enforced_is_so_beside_a_dry_run(running: Chains) -> None:
    assert running.ask("dry_http", ELSEWHERE, "/a")[0] == 403


def test_a_dry_run_on_tcp_is_counted_and_closes_nothing(running: Chains) -> None:
    """The filter of ALLOW is not asked about a connection that the one of DENY closes."""
    passed = {who for who, caller in EVERYBODY.items() if running.passes("dry_tcp", caller)}
    assert passed == ALL - {"elsewhere"}
    assert running.stats("^tcp.*rbac.*shadow") == {
        "tcp.rbac.istio_dry_run_deny_.shadow_denied": len(SET_OF_WEB),
        "tcp.rbac.istio_dry_run_deny_.shadow_allowed": len(ALL - SET_OF_WEB),
        "tcp.rbac.istio_dry_run_allow_.shadow_allowed": 1,
        "tcp.rbac.istio_dry_run_allow_.shadow_denied": len(ALL) - 2,
    }


def bare_facts(caller: Caller, port: int) -> Facts:
    """What is known of a connection."""
    return Facts(
        method="",
        target="",
        principal=PRINCIPALS[caller.principal],
        peer_address=SOURCES[caller.source],
        client_address=SOURCES[caller.source],
        destination_address=DESTINATIONS[caller.destination],
        destination_port=port,
        sni=(NAMES[caller.name] or "").lower(),
    )


def as_without_http(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """What is left of policies on a connection: ALLOW less the rules of HTTP, others less the fields."""
    return tuple(
        replace(
            each,
            rules=tuple(
                without_http(rule)
                for rule in each.rules
                if each.action is not Action.ALLOW
                or not any(term.field in HTTP_ONLY for term in all_terms(rule))
            ),
        )
        for each in policies
    )


def test_verdicts_on_connections_are_those_of_native_rbac() -> None:
    counts = {True: 0, False: 0}
    ports = free_ports(SETS)

    @settings(
        max_examples=max(EXAMPLES // SETS, 1),
        suppress_health_check=list(HealthCheck),
        derandomize="MESHEXT_RBAC_EXAMPLES" not in os.environ,
        database=None,
    )
    @given(
        st.lists(policy_sets((ports[0], ports[1])), min_size=SETS, max_size=SETS),
        st.lists(callers, min_size=20, max_size=20, unique=True),
    )
    def try_them(documents: list[list[dict[str, Any]]], asking: list[Caller]) -> None:
        sets = [read("\n---\n".join(json.dumps(one) for one in each)) for each in documents]
        wanted = {str(port): Chain(each, port=port) for port, each in zip(ports, sets, strict=True)}
        with TemporaryDirectory(prefix="mx-") as name, chains(Path(name), wanted, TRUST) as running:
            for number, port in enumerate(ports):
                decider = Decider(as_without_http(sets[number]), TRUST)
                for caller in asking:
                    verdict = decider.decide(bare_facts(caller, port))
                    assert running.passes(str(port), caller) == verdict.allowed, (documents[number], caller)
                    counts[verdict.allowed] += 1

    try_them()
    report(f"native RBAC without HTTP: {counts[True]} connections passed, {counts[False]} did not")
    assert min(counts.values()) > 20
