"""What each part of the configuration does, one case for one sentence of its documentation."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext import Peer, Store, StoreError, StoreUnavailable, UnsupportedError
from meshext.needs import Hook, Needs
from meshext.plan import build_plan
from meshext.testing import Harness, Outcome, Reply
from meshext_filters.rate_limit import RateLimit
from meshext_filters.rate_limit.config import Config, Match, Quota, Rule
from meshext_filters.rate_limit.index import RuleIndex
from meshext_filters.rate_limit.patterns import parse_pattern
from meshext_filters.rate_limit.rules import ReadyRule, build_rules
from meshext_filters.rate_limit.sources import JWT, Scope, Source, network, scalars

NOW = 1_000_000.0  # 40 s into a minute
ONE: dict[str, Any] = {"rate": 1, "per": "1m", "algorithm": "fixed_window"}


def harness(*rules: dict[str, Any], **rest: Any) -> Harness:
    """Rules `r0`, `r1` ..., each of one request a minute unless it says otherwise."""
    named = [{"name": f"r{number}", "limits": [ONE], **rule} for number, rule in enumerate(rules)]
    return Harness(RateLimit, {"rules": named, **rest}, now=NOW)


def passes(ready: Harness, *requests: dict[str, Any]) -> list[int]:
    """The status of each."""
    return [ready.request(**request).status for request in requests]


def user(*names: str) -> dict[str, Any]:
    return {"headers": [("x-user", name) for name in names]}


BY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "header:x-user": (user("ann"), user("bob")),
    "cookie:sid": ({"headers": {"cookie": "a=b; sid=1"}}, {"headers": {"cookie": "sid=2"}}),
    "query:t": ({"target": "/?t=1"}, {"target": "/?t=2"}),
    "client_address": ({"client_address": "192.0.2.1"}, {"client_address": "192.0.2.2"}),
    "peer": ({"peer": Peer(principal="spiffe://td/a")}, {"peer": Peer(principal="spiffe://td/b")}),
    "peer_address": ({"peer": Peer(address="192.0.2.1")}, {"peer": Peer(address="192.0.2.2")}),
    "path": ({"target": "/a?x"}, {"target": "/b?x"}),
    "method": ({"method": "GET"}, {"method": "POST"}),
    "host": ({"host": "a.test"}, {"host": "b.test"}),
    "route": ({"route": "a"}, {"route": "b"}),
    "claim:sub": ({"metadata": {JWT: {"p": {"sub": "a"}}}}, {"metadata": {JWT: {"p": {"sub": "b"}}}}),
    "claim:realm.id": (
        {"metadata": {JWT: {"p": {"realm": {"id": 7}}}}},
        {"metadata": {JWT: {"p": {"realm": {"id": 8.0}}}}},
    ),
    "{header:x-user}@{query:t}": ({**user("a"), "target": "/?t=1"}, {**user("a"), "target": "/?t=2"}),
}


@pytest.mark.parametrize("source", BY)
def test_callers_are_told_apart_by(source: str) -> None:
    one, other = BY[source]
    ready = harness({"by": [source]}, **({"jwt_provider": "p"} if "claim" in source else {}))
    assert passes(ready, one, one, other, other) == [200, 429, 200, 429]


SAME: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "query of a path": ("path", {"target": "/a?x=1"}, {"target": "/a?x=2"}),
    "port, capitals and dot of a host": ("host", {"host": "A.test.:80"}, {"host": "a.test"}),
    "capitals of a header's name": (
        "header:X-User",
        {"headers": {"X-USER": "a"}},
        {"headers": {"x-user": "a"}},
    ),
    "encoding of a query": ("query:t", {"target": "/?%74=%61+b"}, {"target": "/?t=a%20b"}),
    "quotes of a cookie": ("cookie:s", {"headers": {"cookie": 's="1"'}}, {"headers": {"cookie": "s=1"}}),
    "an IPv4 address in IPv6": (
        "client_address",
        {"client_address": "::ffff:192.0.2.1"},
        {"client_address": "192.0.2.1"},
    ),
    "a /64": ("client_address", {"client_address": "2001:db8::1"}, {"client_address": "2001:db8::ffff:2"}),
    "requests that lack the header": ("header:x-user", {}, {"headers": {"x-user": ""}}),
    "another provider's claims": (
        "claim:sub",
        {"metadata": {JWT: {"q": {"sub": "a"}}}},
        {"metadata": {JWT: {"q": {"sub": "b"}, "p": "text"}}},
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_no_counter_of_its_own_for(what: str) -> None:
    source, one, other = SAME[what]
    ready = harness({"by": [source]}, **({"jwt_provider": "p"} if "claim" in source else {}))
    assert passes(ready, one, other) == [200, 429]


def test_prefixes_are_configurable() -> None:
    ready = harness({"by": ["client_address"]}, ipv4_prefix=24, ipv6_prefix=128)
    assert passes(ready, *({"client_address": f"192.0.2.{n}"} for n in (1, 2))) == [200, 429]
    assert passes(ready, *({"client_address": f"2001:db8::{n}"} for n in (1, 2))) == [200, 200]
    assert network("/run/socket", Scope("", 32, 64)) == "/run/socket"


@given(st.text("0123456789abcdef:.%/", max_size=20), st.integers(1, 32), st.integers(1, 128))
def test_no_address_is_too_odd(address: str, ipv4: int, ipv6: int) -> None:
    assert bool(network(address, Scope("", ipv4, ipv6))) == bool(address)


def test_zones_of_an_address_do_not_count() -> None:
    scope = Scope("", 32, 64)
    assert network("fe80::1%eth0", scope) == network("fe80::1%1", scope) == "fe80::/64"


def test_a_request_counts_for_each_of_its_values() -> None:
    ready = harness({"by": ["header:x-user"]})
    assert passes(ready, user("ann", "bob"), user("bob"), user("ann"), user("bob", "cid")) == [
        200,
        429,
        429,
        429,
    ]
    assert passes(ready, user("cid", "cid")) == [200]  # the refused one above moved no counter


def test_too_many_values_are_refused() -> None:
    ready = harness({"by": ["header:x-user", "query:t"]})
    answer = ready.request(target="/?t=1&t=2&t=3", **user("a", "b", "c"))
    assert (answer.status, answer.body) == (400, b"too many values of query:t\n")
    many = harness(*({"by": ["header:x-user"]} for _ in range(9)))
    assert passes(many, user(*"abcdefgh"), user(*"abcdefg")) == [400, 200]
    assert many.request(**user(*"abcdefgh")).body == b"this request counts for more than 64 limits\n"


@pytest.mark.parametrize(
    ("missing", "statuses"), [("shared", [200, 429]), ("skip", [200, 200]), ("refuse", [400, 400])]
)
def test_missing(missing: str, statuses: list[int]) -> None:
    ready = harness({"by": ["header:x-user"], "missing": missing})
    assert passes(ready, {}, {}) == statuses
    assert passes(ready, user("ann"), user("ann")) == [200, 429]


def test_a_missing_value_is_nobodys_value() -> None:
    ready = harness({"by": ["header:x-user", "query:t"]})
    assert passes(ready, user("-"), {"target": "/?t=-"}, {}, user("-")) == [200, 200, 200, 429]


MATCHES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "paths": ({"paths": ["/api/*", "/x"]}, {"target": "/api/y?z"}, {"target": "/apis"}),
    "suffix": ({"paths": ["*.json"]}, {"target": "/a.json?x"}, {"target": "/a.xml"}),
    "not_paths": ({"not_paths": ["/healthz"]}, {"target": "/x"}, {"target": "/healthz?x"}),
    "methods": ({"methods": ["POST"]}, {"method": "POST"}, {"method": "GET"}),
    "hosts": ({"hosts": ["*.a.test"]}, {"host": "X.a.test:8080"}, {"host": "a.test"}),
    "headers": ({"headers": {"X-Plan": ["free", "trial*"]}}, {"headers": {"x-plan": "trial-2"}}, {}),
    "any line of a header": (
        {"headers": {"x-plan": ["free"]}},
        {"headers": [("x-plan", "gold"), ("x-plan", "free")]},
        {"headers": [("x-plan", "gold")]},
    ),
    "all of them": (
        {"paths": ["/a"], "methods": ["POST"]},
        {"target": "/a", "method": "POST"},
        {"target": "/a"},
    ),
}


@pytest.mark.parametrize("what", MATCHES)
def test_a_rule_is_for(what: str) -> None:
    match, meant, other = MATCHES[what]
    ready = harness({"match": match})
    assert passes(ready, other, other, meant, meant, other) == [200, 200, 200, 429, 200]


PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/b", "/b/a", "//a", "/a.json", "*"])
PATTERNS = st.sampled_from(
    ["/a", "/a/*", "/a*", "*", "*/b", "/a/b", "/a/b*", "/*", "/b", "/b/*", "//*", "*.json"]
)


@given(st.lists(st.lists(PATTERNS, max_size=3), min_size=1, max_size=8), PATHS)
def test_the_index_leaves_out_no_rule(rules: list[list[str]], path: str) -> None:
    """And those that it gives are in order, each once."""
    config = Config(
        rules=[
            Rule(name=f"r{number}", limits=[Quota(rate=1, per="1m")], match=Match(paths=paths))
            for number, paths in enumerate(rules)
        ]
    )
    ready = build_rules(config)
    candidates = RuleIndex(ready).candidates(path)
    assert candidates == [rule for rule in ready if rule in candidates]
    meant = [any(parse_pattern("", text).matches(path) for text in paths) or not paths for paths in rules]
    assert [rule for rule, fits in zip(ready, meant, strict=True) if fits and rule not in candidates] == []


def test_a_thousand_rules_for_paths_are_not_tried() -> None:
    rules = [{"match": {"paths": [f"/{number}", f"/{number}/*"]}} for number in range(1000)]
    ready = harness(*rules, {})
    assert [rule.name for rule in ready.filter.index.candidates("/7/x")] == ["r7", "r1000"]
    assert passes(ready, {"target": "/7"}, {"target": "/8"}) == [200, 429]


def test_a_refused_request_moves_no_counter_of_any_rule() -> None:
    wide = {"name": "wide", "limits": [{**ONE, "rate": 3}]}
    ready = harness(wide, {"by": ["header:x-user"]})
    assert passes(ready, user("a"), user("a"), user("a"), user("b"), user("c"), user("d")) == [
        200,
        429,
        429,
        200,
        200,
        429,
    ]
    assert ready.value("rate_limit_requests_total", rule="wide", outcome="refused") == 1
    assert ready.value("rate_limit_hits_total", rule="wide") == 3


def test_fields_tell_of_every_limit() -> None:
    limits = [
        {"rate": 2, "per": "1m", "algorithm": "fixed_window"},
        {"rate": 5, "per": "1h30m", "algorithm": "gcra", "burst": 3, "name": "slow"},
    ]
    ready = harness({"limits": limits}, {"by": ["header:x-user"], "limits": [{**ONE, "rate": 9}]})
    first = ready.request(**user("a", "b"))
    assert first.headers.get_all("ratelimit-policy") == ['"r0-1m";q=2;w=60, "slow";q=3;w=3240, "r1";q=9;w=60']
    assert first.headers.get_all("ratelimit") == ['"r0-1m";r=1;t=20, "slow";r=2;t=1080, "r1";r=8;t=20']
    ready.request(**user("a"))
    refused = ready.request(**user("a", "b"))
    assert (refused.status, refused.details) == (429, "rate_limited")
    assert refused.headers.get_all("ratelimit") == ['"r0-1m";r=0;t=20, "slow";r=1;t=2160, "r1";r=7;t=20']
    assert refused.headers["retry-after"] == "20"
    assert refused.metadata == {"meshext.rate-limit": {"refused": ["r0"]}}


def test_fields_stand_beside_the_upstreams_own_and_can_be_left_out() -> None:
    own = Reply(headers={"ratelimit": '"own";r=1'})
    assert harness({}).request(response=own).headers.get_all("ratelimit") == ['"own";r=1', '"r0";r=0;t=20']
    quiet = harness({}, headers=False)
    quiet.request()
    refused = quiet.request()
    assert (refused.status, refused.headers.get("ratelimit"), refused.headers.get("retry-after")) == (
        429,
        None,
        None,
    )


def test_what_can_never_pass_gets_no_time_to_come_back() -> None:
    ready = harness({"hits": {"header": "x-hits"}})
    refused = ready.request(headers={"x-hits": "2"})
    assert (refused.status, "retry-after" in refused.headers) == (429, False)


@pytest.mark.parametrize(
    ("lines", "status", "left"),
    [
        ([], 200, 8),
        (["3"], 200, 7),
        (["0"], 200, 9),
        (["2", "5"], 200, 5),
        (["10"], 200, 0),
        (["11"], 429, 10),
        (["21"], 400, None),
        (["-1"], 400, None),
        (["1.5"], 400, None),
        (["1", "x"], 400, None),
        (["9" * 30], 400, None),
        (["\u0663"], 400, None),  # a digit, and not of ASCII
    ],
)
def test_hits_of_a_header(lines: list[str], status: int, left: int | None) -> None:
    hits = {"header": "X-Hits", "default": 2, "most": 20}
    ready = harness({"limits": [{**ONE, "rate": 10}], "hits": hits})
    answer = ready.request(headers=[("x-hits", line) for line in lines])
    assert answer.status == status
    assert answer.headers.get("ratelimit") == (
        None if left is None else f'"r0";r={left};t={20 * (left < 10)}'
    )


def cost(told: str | None, ready: Harness) -> Outcome:
    return ready.request(response=Reply(headers={} if told is None else {"x-cost": told}))


def test_the_response_tells_the_cost_and_debts_are_paid_back() -> None:
    limits = [{"rate": 10, "per": "10s", "algorithm": "token_bucket"}]
    ready = harness({"limits": limits, "hits": {"response_header": "X-Cost", "most": 30}})
    assert cost("4", ready).headers["ratelimit"] == '"r0";r=6;t=4'
    assert cost(None, ready).headers["ratelimit"] == '"r0";r=5;t=5'
    assert cost("nonsense", ready).headers["ratelimit"] == '"r0";r=4;t=6'
    assert cost("0", ready).headers["ratelimit"] == '"r0";r=3;t=7'
    assert cost("99", ready).headers["ratelimit"] == '"r0";r=0;t=37'
    refused = cost("1", ready)
    assert (refused.status, refused.headers["retry-after"]) == (429, "28")
    ready.advance(28)
    assert cost("1", ready).status == 200
    assert ready.value("rate_limit_hits_total", rule="r0") == 4 + 1 + 1 + 1 + 30 + 1


def test_only_what_is_used_is_asked_of_envoy() -> None:
    def needs(rule: dict[str, Any], **rest: Any) -> Needs:
        (found,) = harness(rule, **rest).chain.needs
        return found

    plain, claims = needs({}), needs({"by": ["claim:sub"]}, jwt_provider="p")
    assert plain.hooks == claims.hooks == {Hook.ON_REQUEST}
    assert (plain.metadata_namespaces, claims.metadata_namespaces) == ((), (JWT,))
    assert build_plan([plain], "authz").mode == "authz"
    costly = needs({"hits": {"response_header": "x-cost"}})
    assert costly.hooks == {Hook.ON_REQUEST, Hook.ON_RESPONSE}
    with pytest.raises(UnsupportedError, match="on_response"):
        build_plan([costly], "authz")


def test_a_dry_run_refuses_nobody_and_hinders_nothing() -> None:
    trial = {"name": "trial", "dry_run": True}
    ready = harness(trial, {"limits": [{**ONE, "rate": 2}]})
    answers = [ready.request() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.metadata.get("meshext.rate-limit") for answer in answers] == [
        None,
        {"would_refuse": ["trial"]},
        {"refused": ["r1"], "would_refuse": ["trial"]},
    ]
    assert answers[0].headers["ratelimit"] == '"r1";r=1;t=20'
    assert ready.value("rate_limit_requests_total", rule="trial", outcome="would_refuse") == 2
    unclear = harness({"dry_run": True, "by": ["header:x-user"], "missing": "refuse"})
    assert passes(unclear, {}, {}) == [200, 200]


def test_overrides_for_named_callers() -> None:
    overrides = [
        {"callers": {"header:x-user": ["root"]}, "unlimited": True},
        {"callers": {"header:x-user": ["ann", "b*"]}, "limits": [{**ONE, "rate": 2}]},
    ]
    ready = harness({"by": ["header:x-user"], "overrides": overrides})
    assert passes(ready, *[user("root")] * 3) == [200] * 3
    assert passes(ready, *[user("bob")] * 3) == [200, 200, 429]
    assert passes(ready, *[user("cid")] * 2) == [200, 429]
    assert "ratelimit" not in ready.request(**user("root")).headers
    assert passes(ready, user("root", "cid")) == [429]  # who names a friend too gets nothing for it
    assert ready.value("rate_limit_requests_total", rule="r0", outcome="unlimited") == 5


def test_overrides_by_what_is_not_in_the_key_hold_for_all_values() -> None:
    override = {"callers": {"peer": ["spiffe://td/ns/batch/*"], "query:plan": ["gold"]}, "unlimited": True}
    ready = harness({"by": ["client_address"], "overrides": [override]})
    batch = {"peer": Peer(principal="spiffe://td/ns/batch/sa/a"), "client_address": "192.0.2.1"}
    assert passes(ready, *[{**batch, "target": "/?plan=gold"}] * 3) == [200] * 3
    assert passes(ready, *[{**batch, "target": "/?plan=gold&plan=free"}] * 2) == [200, 429]
    assert passes(ready, {**batch, "target": "/"}) == [429]


class Away(Store):
    """A store that nobody reaches."""

    error: StoreError = StoreUnavailable("gone")

    async def take(self, limits: object) -> Any:
        raise self.error

    get = set = delete = add = compare_and_set = take  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("then", "statuses"), [("closed", [503, 503]), ("open", [200, 200]), ("local", [200, 429])]
)
def test_when_the_store_is_away(then: str, statuses: list[int]) -> None:
    ready = harness({}, {"dry_run": True}, store_away=then)
    ready.filter.store = Away()
    answers = [ready.request() for _ in range(2)]
    assert [answer.status for answer in answers] == statuses
    assert answers[0].failures == ()
    assert ready.value("rate_limit_store_away_total", then=then) == 2
    if then == "closed":
        assert (answers[0].headers["retry-after"], answers[0].details) == ("1", "rate_limit_store_away")
        assert ready.value("rate_limit_requests_total", rule="r0", outcome="uncounted") == 2
    trial = harness({"dry_run": True}, store_away=then)
    trial.filter.store = Away()
    assert passes(trial, {}) == [200]


def test_a_store_that_is_wrong_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    ready = harness({}, store_away="open")
    ready.filter.store = Away()
    ready.filter.store.error = StoreError("not ours")
    with caplog.at_level(logging.ERROR):
        assert [log.message for log in ready.request().logs] == ["the store refuses to count: not ours"]


def test_a_response_that_can_not_be_counted_keeps_its_fields() -> None:
    ready = harness({"limits": [{**ONE, "rate": 5}], "hits": {"response_header": "x-cost"}})

    def lose(_: object) -> Reply:
        ready.filter.store = Away()
        return Reply(headers={"x-cost": "3"})

    assert ready.request(response=lose).headers["ratelimit"] == '"r0";r=4;t=20'


def test_workers_may_count_for_themselves() -> None:
    ready = harness({}, counters="worker")
    ready.filter.store = Away()
    assert passes(ready, {}, {}) == [200, 429]


TEXTS = st.text("a:1-,\udcff", max_size=4)


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=2, max_size=2))
def test_keys_never_run_into_each_other(callers: list[list[str]]) -> None:
    sources = [Source("header", name) for name in ("a", "b", "c")]
    config = {"name": "r", "by": [source.text for source in sources], "limits": [ONE]}
    rule = Harness(RateLimit, {"rules": [config]}).filter.rules[0]
    assert isinstance(rule, ReadyRule)
    keys = {rule.key({s.text: v for s, v in zip(sources, each, strict=True) if v}) for each in callers}
    assert len(keys) == len({tuple(each) for each in callers})


def test_keys_hold_the_rule_and_its_sources_and_no_secret() -> None:
    keys = {
        Harness(RateLimit, {"rules": [{"name": name, "by": [by], "limits": [ONE]}]})
        .filter.rules[0]
        .key({by: "s3cret" * 1000})
        for name in ("a", "b")
        for by in ("header:x", "cookie:x")
    }
    assert len(keys) == 4
    assert all(len(key) == 42 and "s3cret" not in key for key in keys)


def test_claims_of_every_kind() -> None:
    assert scalars(["a", 1, 2.5, True, None, ["b"], {"c": 1}]) == ["a", "1", "2.5", "true"]
