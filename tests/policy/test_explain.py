"""Why a request is allowed or refused, and what came closest."""

from __future__ import annotations

import pytest

from meshext.config import Document
from meshext.errors import ConfigError
from meshext.policy.advice import advise
from meshext.policy.explain import Explanation, explain
from meshext.policy.normalize import Normalization, PathRefused, normalize_target
from meshext.policy.requests import parse_request
from meshext.policy.trust import TrustDomains
from tests.policy.reading import WEB, decider, facts, read, write

ORDERS = write(
    "{rules: [{from: [{source: {namespaces: [shop]}}], "
    "to: [{operation: {methods: [GET], paths: ['/orders/*']}}]}, "
    "{to: [{operation: {paths: [/health]}}], when: [{key: 'request.headers[x-a]', notValues: [b, c]}]}]}",
    name="orders",
)
DENY = write("{action: DENY, rules: [{to: [{operation: {paths: ['/orders/secret*']}}]}]}", name="deny")


def told(found: Explanation) -> list[tuple[str, int, str, tuple[str, ...], object]]:
    return [
        (trial.rule.policy.name, trial.rule.number, failure.field, failure.wanted, failure.seen)
        for trial in found.closest
        for failure in trial.failures
    ]


def test_the_one_condition_that_failed() -> None:
    found = explain(decider(ORDERS, DENY), facts("POST", "/orders/7", principal=WEB))
    assert told(found) == [
        ("orders", 0, "methods", ("GET",), "POST"),
        ("orders", 1, "paths", ("/health",), "/orders/7"),
    ]
    assert found.reason == 'no ALLOW policy matches; closest is shop/orders rule 0: methods GET, saw "POST"'


def test_a_negated_condition_that_failed() -> None:
    found = explain(decider(ORDERS), facts("POST", "/health", [("x-a", "b")]))
    assert told(found) == [("orders", 1, "not request.headers[x-a]", ("b", "c"), "b")]


def test_nothing_was_seen() -> None:
    found = explain(decider(ORDERS), facts("GET", "/orders/7", headers=[("x-a", "b")]))
    assert told(found) == [("orders", 0, "namespaces", ("shop",), None)]


def test_what_decided() -> None:
    allowed = explain(decider(ORDERS, DENY), facts("GET", "/orders/7", principal=WEB))
    assert allowed.verdict.allowed
    assert allowed.closest == ()
    assert 'methods GET, saw "GET"; paths /orders/*, saw "/orders/7"' in allowed.reason
    denied = explain(decider(ORDERS, DENY), facts("GET", "/orders/secret/1", principal=WEB))
    assert denied.reason == 'DENY shop/deny rule 0 matches: paths /orders/secret*, saw "/orders/secret/1"'
    assert [trial.matched for trial in denied.trials] == [True, True, False]


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ((), "no policy applies to this workload"),
        ((DENY,), "no DENY policy matches, and there is no ALLOW policy"),
        ((write("{action: AUDIT}"),), "there is no ALLOW policy"),
        ((write("{}"),), "no ALLOW policy has a rule (shop/p), so nothing is allowed"),
        ((write("{rules: [{}]}"),), "ALLOW shop/p rule 0 matches every request"),
    ],
)
def test_reasons(documents: tuple[str, ...], reason: str) -> None:
    assert explain(decider(*documents), facts()).reason == reason


def test_of_many_rules_the_likest_come_first() -> None:
    rules = ", ".join(
        f"{{to: [{{operation: {{paths: [/service/{number}/items]}}}}]}}" for number in range(300)
    )
    found = explain(decider(write(f"{{rules: [{rules}]}}")), facts("GET", "/service/77/item"))
    assert len(found.closest) == 5
    assert found.closest[0].rule.number == 77


REQUEST = """{"method": "GET", "path": "/a?b=c", "host": "shop.test",
"headers": {"X-A": ["1", "2"], "x-b": "3"}, "peer": {"principal": "spiffe://td/x", "address": "10.0.0.1"},
"destination": {"address": "10.0.0.2", "port": 80}, "sni": "shop.test",
"claims": {"a": {"b": [1]}}, "metadata": {"envoy.filters.x": {"k": "v"}}}"""


def test_a_request_is_read() -> None:
    found = parse_request(Document(REQUEST))
    assert (found.method, found.path, found.host, found.principal) == (
        "GET",
        "/a",
        "shop.test",
        "spiffe://td/x",
    )
    assert (found.header("x-a"), found.header("host")) == (["1", "2"], ["shop.test"])
    assert (found.client_address, found.destination_port, found.sni) == ("10.0.0.1", 80, "shop.test")
    assert found.claim(("a", "b")) == [1]
    assert found.metadatum("envoy.filters.x", "k") == "v"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "line 1: expected a mapping, got a list; write"),
        ("{}", "line 1: has no method; write for example"),
        ('{"method": "G T", "path": "/"}', "method: 'G T' is no method"),
        ('{"method": "GET", "path": "a"}', "path: 'a' is no path; begin it with /"),
        ('{"method": "GET", "path": "/", "hots": "a"}', "hots: unknown key; did you mean 'host'?"),
        ('{"method": "GET", "path": "/", "headers": {"host": "a"}}', "headers.host: is no header line here"),
        (
            '{"method": "GET", "path": "/", "headers": {"a": 1}}',
            "headers.a: expected text or a list of texts, got 1",
        ),
        ('{"method": "GET", "path": "/", "headers": {"a b": "c"}}', "headers.a b: "),
        ('{"method": "GET", "path": "/", "peer": {"principal": "td/x"}}', "write spiffe://td/x"),
        ('{"method": "GET", "path": "/", "peer": {"address": "1.2.3.4:5"}}', "is no IP address"),
        (
            '{"method": "GET", "path": "/", "destination": {"port": "80"}}',
            "expected a number from 1 to 65535",
        ),
        ('{"method": "GET", "path": "/", "claims": []}', "claims: expected a mapping, got a list"),
        ('{"method": "GET", "path": "/", "metadata": {"a": "b"}}', "metadata.a: expected a mapping, got 'b'"),
    ],
)
def test_what_is_no_request_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_request(Document(text, "request.json"))
    assert any(problem in each for each in refused.value.problems), refused.value.problems


@pytest.mark.parametrize(
    ("target", "how", "expected"),
    [
        ("/a/../b?c=/../d", "BASE", "/b?c=/../d"),
        ("/a//b/%2F%5c", "BASE", "/a//b/%2F%5c"),
        ("/a\\..\\b/%61%2e", "BASE", "/b/a."),
        ("/x/..;/admin", "BASE", "/admin"),
        ("/a//b", "MERGE_SLASHES", "/a/b"),
        ("//", "MERGE_SLASHES", "//"),
        ("/%2Fadmin%5Cx", "MERGE_SLASHES", "/%2Fadmin%5Cx"),
        ("/%2Fadmin%5Cx", "DECODE_AND_MERGE_SLASHES", "/admin/x"),
        ("/%0%61", "BASE", "/%250a"),
        ("/a/%2e%2E/..//b", "NONE", "/a/%2e%2E/..//b"),
        ('/a"|', "BASE", "/a%22%7C"),
    ],
)
def test_paths_are_normalised(target: str, how: str, expected: str) -> None:
    assert normalize_target(target, Normalization[how]) == expected


@pytest.mark.parametrize("target", ["/a#b", "/a%00", "/a b", "/\xe4"])
def test_paths_that_envoy_refuses(target: str) -> None:
    with pytest.raises(PathRefused, match="Envoy answers 400"):
        normalize_target(target, Normalization.BASE)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("{rules: [{to: [{operation: {hosts: [a.test]}}]}]}", "'a.test' misses 'a.test:8080'"),
        ("{rules: [{to: [{operation: {methods: [get]}}]}]}", "write 'GET'"),
        ("{rules: [{to: [{operation: {paths: [admin]}}]}]}", "write '/admin'"),
        ("{rules: [{to: [{operation: {paths: ['/a?b']}}]}]}", "the query is no part of it"),
        ("{rules: [{to: [{operation: {paths: ['/a*b']}}]}]}", "a * inside stands for itself"),
        ('{rules: [{to: [{operation: {ports: ["0"]}}]}]}', "no request comes to port 0"),
        ("{rules: [{from: [{source: {principals: ['spiffe://td/x']}}]}]}", "write 'td/x'"),
        ("{rules: [{from: [{source: {principals: [td/ns/a/sa/b]}}]}]}", "of the trust domain 'td'"),
        ("{rules: [{when: [{key: connection.sni, values: [A.test]}]}]}", "write 'a.test'"),
        ("{action: AUDIT}", "AUDIT without rules never matches"),
    ],
)
def test_what_is_seldom_meant_is_said(spec: str, words: str) -> None:
    (line,) = advise(read(write(spec)), TrustDomains())
    assert words in line


def test_of_many_hints_a_few_are_said() -> None:
    rules = ", ".join("{to: [{operation: {methods: [get]}}]}" for _ in range(300))
    assert advise(read(write(f"{{rules: [{rules}]}}")), TrustDomains())[-1] == "and more like these"
    silent = "{rules: [{to: [{operation: {hosts: [a.test, 'a.test:*'], paths: ['/a/*']}}]}]}"
    assert advise(read(write(silent)), TrustDomains()) == []
