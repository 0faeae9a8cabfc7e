"""What a document means: each field, form and order. Vectors are Istio's, and what Envoy was seen to do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.rbac.generated import policy_sets, requests
from e2e.rbac.native import Sent
from meshext.policy.compiled import build_rules
from meshext.policy.decide import Why
from meshext.policy.model import Action
from meshext.policy.patterns import Account, namespace_glob
from meshext.policy.scope import Workload
from meshext.policy.trust import TrustDomains
from tests.policy.reading import WEB, decide, decider, facts, holds, to_facts, write


def source(fields: str) -> str:
    return f"{{from: [{{source: {{{fields}}}}}]}}"


def operation(fields: str) -> str:
    return f"{{to: [{{operation: {{{fields}}}}}]}}"


def when(key: str, values: str, part: str = "values") -> str:
    return f'{{when: [{{key: "{key}", {part}: {values}}}]}}'


PATHS = [
    ("/admin", "/admin", True),
    ("/admin", "/admin/", False),
    ("/admin", "/admin?x=/other", True),
    ("/admin", "/ADMIN", False),
    ("/admin*", "/administrator", True),
    ("*/admin", "/x/admin", True),
    ("/a*b", "/a*b", True),
    ("/a*b", "/axb", False),
    ("*", "/", True),
    ("/allow/admin/{**}", "/allow/admin/", True),
    ("/allow/admin/{**}", "/allow/admin", False),
    ("/store/{**}/cart", "/store//cart", True),
    ("/store/{**}/cart", "/store/foo/bar/cart", True),
    ("/store/{**}/cart", "/store/cart", False),
    ("/foo/{*}/bar/{**}", "/foo//bar/x", False),
    ("/foo/{*}/bar/{**}", "/foo/a%2Fb;v=1/bar/", True),
    ("/foo/{*}", "/foo/a?b=/c", True),
    ("/foo/{*}", "/foo/a*b", True),
    ("/foo/{*}", "/foo/a|b", False),
    ("/a.b/{*}", "/aXb/c", False),
]


@pytest.mark.parametrize(("pattern", "target", "expected"), PATHS)
def test_paths(pattern: str, target: str, expected: bool) -> None:
    assert holds(operation(f'paths: ["{pattern}"]'), target=target) is expected
    assert holds(operation(f'notPaths: ["{pattern}"]'), target=target) is not expected


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("shop.test", "SHOP.test", True),
        ("SHOP.test", "shop.TEST", True),
        ("shop.test", "shop.test:8080", False),
        ("shop.test:*", "shop.test:8080", True),
        ("*.test", "a.TEST", True),
        ("*", "", True),
    ],
)
def test_hosts(pattern: str, host: str, expected: bool) -> None:
    assert holds(operation(f'hosts: ["{pattern}"]'), host=host) is expected


def test_methods_and_ports() -> None:
    assert holds(operation("methods: [GET]"))
    assert not holds(operation("methods: [get]"))
    assert holds(operation('ports: ["8080"]'), destination_port=8080)
    assert holds(operation('notPorts: ["8080"]'))


PRINCIPALS: list[tuple[str, str | None, bool]] = [
    ('principals: ["cluster.local/ns/shop/sa/web"]', WEB, True),
    ('principals: ["cluster.local/*"]', WEB, True),
    ('principals: ["*/web"]', WEB, True),
    ('principals: ["*/shop/sa/web"]', WEB + "x", False),
    ('principals: ["*//cluster.local/ns/shop/sa/web"]', WEB, False),
    ('principals: ["*"]', WEB, True),
    ('principals: ["*"]', None, False),
    ('notPrincipals: ["*"]', None, True),
    ('principals: ["cluster.local*"]', "spiffe://cluster.local.evil/ns/shop/sa/web", True),
    ('principals: ["cluster.local/*"]', "spiffe://cluster.local.evil/ns/shop/sa/web", False),
    ("namespaces: [shop]", WEB, True),
    ("namespaces: [ns]", "spiffe://ns/ns/foo/sa/bar", True),
    ('namespaces: ["s*"]', "spiffe://td/ns/s/x/y/sa/web", True),
    ("namespaces: [sho]", WEB, False),
    ("notNamespaces: [shop]", None, True),
    ("serviceAccounts: [web]", WEB, True),
    ("serviceAccounts: [bank/web]", WEB, False),
    ("serviceAccounts: [shop/web]", "spiffe://td/a/ns/shop/b/sa/web/c", True),
    ("serviceAccounts: [shop/w.b]", WEB, False),
    ("trustDomains: [cluster.local]", WEB, True),
    ('trustDomains: ["cluster*"]', WEB, True),
    ('trustDomains: ["*.local"]', "spiffe://a/b.local/x", False),
    ("trustDomains: [Cluster.local]", WEB, False),
    ('notTrustDomains: ["*"]', None, True),
]


@pytest.mark.parametrize(("fields", "principal", "expected"), PRINCIPALS)
def test_identities(fields: str, principal: str | None, expected: bool) -> None:
    assert holds(source(fields), principal=principal) is expected


def test_aliases_stand_for_the_trust_domain() -> None:
    trust = TrustDomains("new.test", ("old.test",))
    for domain in ("cluster.local", "new.test", "old.test"):
        rule = source(f'principals: ["{domain}/ns/shop/sa/web"]')
        for caller, expected in (("new.test", True), ("old.test", True), ("other.test", False)):
            assert holds(rule, trust, principal=f"spiffe://{caller}/ns/shop/sa/web") is expected
    assert not holds(source('principals: ["other/ns/shop/sa/web"]'), trust, principal=WEB)
    assert holds(source("trustDomains: [cluster.local]"), trust, principal="spiffe://old.test/x")


TOKENS: list[tuple[str, dict[str, Any], bool]] = [
    ("iss/ann", {"iss": "iss", "sub": "ann"}, True),
    ("https://i/x/ann", {"iss": "https://i/x", "sub": "ann"}, True),
    ("*/ann", {"iss": "any", "sub": "ann"}, True),
    ("*/ann", {"iss": "", "sub": "ann"}, False),
    ("iss/*", {"iss": "iss", "sub": "x"}, True),
    ("iss/a*", {"iss": "iss", "sub": "bob"}, False),
    ("is*", {"iss": "issuer", "sub": "x"}, True),
    ("*nn", {"iss": "i", "sub": "ann"}, True),
    ("*", {"iss": "i", "sub": "s"}, True),
    ("*", {"iss": "i"}, False),
    ("iss", {"iss": "iss", "sub": ""}, True),
    ("iss", {"iss": "iss"}, False),
]


@pytest.mark.parametrize(("pattern", "claims", "expected"), TOKENS)
def test_request_principals(pattern: str, claims: dict[str, Any], expected: bool) -> None:
    assert holds(source(f'requestPrincipals: ["{pattern}"]'), claims=claims) is expected
    assert holds(when("request.auth.principal", f'["{pattern}"]'), claims=claims) is expected


CLAIMS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("request.auth.claims[a]", "[x]", {"a": "x"}, True),
    ("request.auth.claims[a]", "[x]", {"a": ["y", "x"]}, True),
    ("request.auth.claims[a]", "[x]", {"a": "y x"}, False),
    ("request.auth.claims[a][b]", "[x]", {"a": {"b": ["x"]}}, True),
    ("request.auth.claims[a][b]", "[x]", {"a": ["b"]}, False),
    ("request.auth.claims[a]", '["*"]', {"a": 1}, False),
    ("request.auth.claims[a]", '["*"]', {"a": True}, False),
    ("request.auth.claims[a]", '["*"]', {"a": ""}, False),
    ("request.auth.claims[a]", '["*"]', {"a": [["x"]]}, False),
    ("request.auth.claims[a]", '["1"]', {"a": 1}, False),
    ("request.auth.audiences", "[shop]", {"aud": ["bank", "shop"]}, True),
    ("request.auth.presenter", "[app]", {"azp": "app"}, True),
]


@pytest.mark.parametrize(("key", "values", "claims", "expected"), CLAIMS)
def test_claims(key: str, values: str, claims: dict[str, Any], expected: bool) -> None:
    assert holds(when(key, values), claims=claims) is expected
    assert holds(when(key, values, "notValues"), claims=claims) is not expected


def test_each_value_of_a_header_counts_alone() -> None:
    lines = [("X-Role", "user"), ("x-role", "admin")]
    assert holds(when("request.headers[x-role]", "[admin]"), headers=lines)
    assert not holds(when("request.headers[x-role]", "[admin]", "notValues"), headers=lines)
    assert not holds(when("request.headers[x-role]", "[admin]"), headers=[("x-role", "user,admin")])
    assert holds(when("request.headers[x-role]", '["*"]'), headers=[("x-role", "")])
    assert not holds(when("request.headers[x-role]", '["*"]'))


def test_addresses() -> None:
    assert holds(source('ipBlocks: ["10.1.2.3/8"]'), peer_address="10.9.9.9")
    assert not holds(source("ipBlocks: [10.0.0.0/8]"), client_address="10.9.9.9")
    assert holds(source("remoteIpBlocks: ['2001:db8::/32']"), client_address="2001:db8::7")
    assert not holds(source("ipBlocks: ['::/0']"), peer_address="10.9.9.9")
    assert holds(source("notIpBlocks: [10.0.0.0/8]"))
    assert holds(when("destination.ip", "[10.0.0.1]"), destination_address="10.0.0.1")


def test_server_name_and_metadata() -> None:
    assert holds(when("connection.sni", '["*.test"]'), sni="shop.test")
    assert not holds(when("connection.sni", '["*"]'))
    demo = {"envoy.filters.http.demo": {"k": "v", "l": ["v", 1]}}
    key = "experimental.envoy.filters.http.demo"
    assert holds(when(f"{key}[k]", "[v]"), metadata=demo)
    assert not holds(when(f"{key}[l]", "[v]"), metadata=demo)
    assert holds(when(f"{key}[l]", '["[v]"]'), metadata=demo)
    assert not holds(when(f"{key}[k]", '["[v]"]'), metadata=demo)


def test_sources_and_operations_are_alternatives_and_conditions_are_not() -> None:
    rule = (
        "{from: [{source: {namespaces: [shop]}}, {source: {namespaces: [bank]}}], "
        "to: [{operation: {methods: [GET]}}, {operation: {paths: [/open]}}], "
        "when: [{key: 'request.headers[a]', values: [x]}, {key: 'request.headers[b]', values: [y]}]}"
    )
    both = [("a", "x"), ("b", "y")]
    assert holds(rule, principal=WEB, headers=both)
    assert holds(rule, principal=WEB.replace("shop", "bank"), method="POST", target="/open", headers=both)
    assert not holds(rule, principal=WEB, method="POST", headers=both)
    assert not holds(rule, principal=WEB, headers=[("a", "x")])
    assert not holds(rule, headers=both)


def test_empties() -> None:
    assert decide(decider()).allowed
    assert decide(decider(write("{rules: [{}]}"))).allowed
    for nothing in ("{}", "{rules: []}", "{rules: null}"):
        verdict = decide(decider(write(nothing)))
        assert (verdict.allowed, verdict.why) == (False, Why.NOT_ALLOWED)
    nothing_and_all = decider(write("{}"), write("{rules: [{}]}", name="q"))
    assert decide(nothing_and_all).allowed
    assert decide(decider(write("{action: AUDIT}"))).allowed


def test_deny_comes_before_allow_and_policies_add_up() -> None:
    found = decider(
        write("{rules: [{to: [{operation: {paths: ['/a*']}}]}]}", name="a"),
        write("{rules: [{to: [{operation: {paths: [/b]}}]}]}", name="b"),
        write("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", name="d"),
    )
    assert [decide(found, "GET", path).allowed for path in ("/a", "/b", "/admin", "/c")] == [
        True,
        True,
        False,
        False,
    ]
    verdict = decide(found, "GET", "/admin")
    assert verdict.rule is not None
    assert (verdict.rule.policy.full_name, verdict.rule.number, verdict.why) == ("shop/d", 0, Why.DENIED)


def test_dry_run_and_audit_change_nothing() -> None:
    dry = '{istio.io/dry-run: "true"}'
    found = decider(
        write("{action: DENY, rules: [{}]}", name="d", annotations=dry),
        write("{rules: [{to: [{operation: {paths: [/a]}}]}]}", name="a", annotations=dry),
        write("{action: AUDIT, rules: [{to: [{operation: {methods: [GET]}}]}]}", name="l"),
    )
    assert decide(found).allowed
    told = found.dry_run(facts(), found.decide(facts()))
    assert told is not None
    assert (told.denies, told.allows, told.refuses) == (True, False, True)
    assert [rule.policy.name for rule in found.audited(facts())] == ["l"]
    assert found.audited(facts("POST")) == []
    plain = decider(write("{rules: [{}]}"))
    assert plain.dry_run(facts(), plain.decide(facts())) is None


def test_a_dry_run_is_told_beside_what_is_in_force() -> None:
    dry = '{istio.io/dry-run: "true"}'
    found = decider(
        write("{rules: [{to: [{operation: {paths: [/a]}}]}]}", name="a"),
        write("{rules: [{to: [{operation: {paths: [/b]}}]}]}", name="b", annotations=dry),
    )
    told = [found.dry_run(facts("GET", path), decide(found, "GET", path)) for path in ("/a", "/b", "/c")]
    assert [each and each.refuses for each in told] == [False, False, True]
    assert [decide(found, "GET", path).allowed for path in ("/a", "/b", "/c")] == [True, False, False]


@given(policy_sets((8080, 8081)), requests)
def test_one_deny_refuses_and_one_allow_is_needed(documents: list[dict[str, Any]], sent: Sent) -> None:
    """The rule of combination, read off the rules one by one: no two policies cancel each other out."""
    found = decider(*[json.dumps(each) for each in documents])
    asked = to_facts(sent)
    matching = [
        rule.policy.action for rule in build_rules(found.policies, TrustDomains()) if rule.matches(asked)
    ]
    allows = [policy for policy in found.policies if policy.action is Action.ALLOW]
    expected = Action.DENY not in matching and (not allows or Action.ALLOW in matching)
    assert found.decide(asked).allowed is expected


def test_scope() -> None:
    documents = (
        write("{action: DENY, rules: [{to: [{operation: {paths: [/root]}}]}]}", namespace="istio-system"),
        write("{action: DENY, rules: [{to: [{operation: {paths: [/own]}}]}]}"),
        write("{action: DENY, rules: [{}]}", namespace="bank"),
        write(
            "{selector: {matchLabels: {app: web}}, action: DENY, "
            "rules: [{to: [{operation: {paths: [/web]}}]}]}",
            name="s",
        ),
    )
    web = Workload(namespace="shop", labels=(("app", "web"), ("version", "v2")))
    api = Workload(namespace="shop", labels=(("app", "api"),))
    paths = ("/root", "/own", "/web", "/")
    assert [decide(decider(*documents, workload=web), "GET", path).allowed for path in paths] == [
        False
    ] * 3 + [True]
    assert [decide(decider(*documents, workload=api), "GET", path).allowed for path in paths] == [
        False
    ] * 2 + [True] * 2
    assert decider(*documents, workload=web).policies[0].namespace == "istio-system"


SEGMENTS = st.lists(st.sampled_from(["ns", "sa", "shop", "web", "td", "", "web/", "x"]), max_size=9).map(
    "/".join
)


@given(SEGMENTS, st.sampled_from(["shop", "ns", "sa"]), st.sampled_from(["web", "sa", "ns"]))
def test_service_accounts_are_found_as_the_expression_finds_them(
    rest: str, namespace: str, name: str
) -> None:
    principal = f"spiffe://{rest}"
    expression = rf"spiffe://.+/ns/{namespace}/(.+/|)sa/{name}(/.+)?"
    assert Account(namespace, name).found_in(principal) is bool(re.fullmatch(expression, principal))


@given(SEGMENTS, st.sampled_from(["s*", "*", "shop", "*h*p", "n*s"]))
def test_namespaces_are_found_as_the_expression_finds_them(rest: str, namespace: str) -> None:
    expression = f".*/ns/{namespace.replace('*', '.*')}/.*"
    assert namespace_glob(namespace).found_in(f"spiffe://{rest}") is bool(
        re.fullmatch(expression, f"spiffe://{rest}")
    )
