"""The policy as a client and an upstream see it: variants, the cookie, testers, and what is forged."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.http.peer import Peer
from meshext.testing import Harness, Outcome, Reply
from meshext_filters.ab_routing import ABRouting, make_override
from meshext_filters.ab_routing.signing import sign
from meshext_filters.ab_routing.visits import Visit, write_visit

NOW = 1_800_000_000
DAY = 86_400
KEY, OLD_KEY, OTHER_KEY = ("new" * 20, "old" * 20, "his" * 20)
CHECKOUT: dict[str, object] = {"name": "checkout", "variants": {"control": 50, "v2": 50, "dark": 0}}
RESULTS: list[dict[str, object]] = [
    {"name": "search", "layer": "results", "share": 50, "variants": {"control": 50, "fuzzy": 50}},
    {"name": "prices", "layer": "results", "share": 50, "variants": {"control": 50, "rounded": 50}},
]


def harness(*experiments: Mapping[str, object], **fields: object) -> Harness:
    config = {
        "experiments": list(experiments) or [CHECKOUT],
        "user": ["header:x-user"],
        "keys": [KEY],
        **fields,
    }
    return Harness(ABRouting, config, now=NOW)


def got(outcome: Outcome, name: str = "x-ab-checkout") -> str | None:
    assert outcome.failures == ()
    assert outcome.upstream is not None
    assert len(outcome.upstream.headers.get_all(name)) <= 1
    return outcome.upstream.headers.get(name)


def written_cookie(outcome: Outcome, name: str = "meshext-ab") -> str | None:
    """The value that a browser would keep."""
    lines = outcome.headers.get_all("set-cookie")
    assert len(lines) <= 1
    return SimpleCookie(lines[0])[name].value if lines else None


def visit(harness: Harness, cookie: str | None, **headers: str) -> Outcome:
    sent = {**headers, **({"cookie": f"a=b; meshext-ab={cookie}"} if cookie else {})}
    return harness.request(headers=sent)


def user_of(variant: str, *, avoiding: int = 0) -> str:
    """A user that the weights give this variant of `checkout`."""
    bench = harness()
    users = (f"u{number}@example.com" for number in range(avoiding, 1000))  # no random text has such names
    return next(user for user in users if got(bench.request(headers={"x-user": user})) == variant)


# -- variants ----------------------------------------------------------------------------------------


def test_a_user_stays_and_nobody_chooses() -> None:
    bench = harness()
    seen = set()
    for number in range(50):
        variants = {
            got(bench.request(headers={"x-user": f"u{number}", "x-ab-checkout": claimed}))
            for claimed in ("v2", "control", "dark", "")
        }
        assert len(variants) == 1
        seen |= variants
    assert seen == {"control", "v2"}


def test_every_copy_of_the_header_is_gone() -> None:
    sent = [("x-user", "u1"), ("X-AB-Checkout", "dark"), ("x-ab-checkout", "dark"), ("x-ab-override", "x")]
    outcome = harness().request(headers=sent)
    assert got(outcome) in ("control", "v2")
    assert got(outcome, "x-ab-override") is None


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("header:x-user", {"headers": {"x-user": "ann"}}),
        ("cookie:uid", {"headers": {"cookie": "a=b; uid=ann"}}),
        ("cookie:uid", {"headers": {"cookie": 'uid="ann"'}}),
        ("query:user", {"target": "/?x=1&user=%61nn"}),
        ("path:2", {"target": "/users/ann/orders?user=eve"}),
        ("peer_address", {"peer": Peer(address="ann")}),
        ("peer", {"peer": Peer(principal="ann")}),
        ("client_address", {"client_address": "ann"}),
        ("metadata:a.b:who.id", {"metadata": {"a.b": {"who": {"id": "ann"}}}}),
        ("claim:sub", {"metadata": {"envoy.filters.http.jwt_authn": {"idp": {"sub": "ann"}}}}),
        ("claim:user.id", {"metadata": {"envoy.filters.http.jwt_authn": {"idp": {"user": {"id": "ann"}}}}}),
    ],
)
def test_where_a_key_comes_from(source: str, sent: dict[str, Any]) -> None:
    experiment = {"name": "checkout", "variants": {f"v{number}": 5 for number in range(20)}}
    ann = got(harness(experiment).request(headers={"x-user": "ann"}))
    fields = {"user": ["header:x-absent", source], "jwt_provider": "idp", "anonymous": "outside"}
    assert got(harness(experiment, **fields).request(**sent)) == ann
    assert got(harness(experiment, **fields).request()) == ("v0" if source == "path" else None)


def test_another_providers_claims_are_not_read() -> None:
    bench = harness(user=["claim:sub"], jwt_provider="idp", anonymous="outside")
    others = {"envoy.filters.http.jwt_authn": {"stranger": {"sub": "ann"}}}
    assert got(bench.request(metadata=others)) is None


def test_bytes_that_are_no_text_are_a_key_like_others() -> None:
    assert got(harness().request(headers=[("x-user", "\udcff\udc80")])) in ("control", "v2")


@pytest.mark.parametrize(
    ("anonymous", "variant"), [("control", "control"), ("outside", "nobody"), ("cookie", None)]
)
def test_who_has_no_key(anonymous: str, variant: str | None) -> None:
    outcome = harness({**CHECKOUT, "outside": "nobody"}, anonymous=anonymous).request()
    assert got(outcome) in ([variant] if variant else ["control", "v2"])
    assert (written_cookie(outcome) is None) == (variant is not None)


def test_experiments_of_a_layer_exclude_each_other() -> None:
    bench = harness(*RESULTS)
    for number in range(200):
        outcome = bench.request(headers={"x-user": f"u{number}"})
        assert (got(outcome, "x-ab-search") is None) != (got(outcome, "x-ab-prices") is None)


def test_exposures_are_counted_once_and_told() -> None:
    bench = harness(*RESULTS)
    outcomes = [
        bench.request(headers={"x-user": f"u{number}", "x-ab-search": "fuzzy"}) for number in range(100)
    ]
    for experiment, variants in (("search", ("control", "fuzzy")), ("prices", ("control", "rounded"))):
        for variant in variants:
            met = [each for each in outcomes if got(each, f"x-ab-{experiment}") == variant]
            count = bench.value(
                "ab_routing_exposures_total", experiment=experiment, variant=variant, how="split"
            )
            assert count == len(met) > 0
            assert all(each.metadata["meshext.ab-routing"] == {experiment: variant} for each in met)


# -- the cookie --------------------------------------------------------------------------------------


def test_a_visitor_is_known_again() -> None:
    bench = harness()
    first = bench.request()
    cookie = written_cookie(first)
    rules = first.headers["set-cookie"].partition("; ")[2]
    assert rules == "Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"
    for _ in range(5):
        again = visit(bench, cookie)
        assert (got(again), written_cookie(again)) == (got(first), None)
    assert written_cookie(harness().request()) != cookie


def test_the_upstreams_own_cookies_stay() -> None:
    outcome = harness().request(response=Reply(headers=[("set-cookie", "mine=1"), ("set-cookie", "yours=2")]))
    lines = outcome.headers.get_all("set-cookie")
    assert [line.partition("=")[0] for line in lines] == ["mine", "yours", "meshext-ab"]


def test_a_cookie_is_renewed_when_half_its_life_is_over() -> None:
    bench = harness()
    first = bench.request()
    cookie = written_cookie(first)
    bench.advance(15 * DAY - 1)
    assert written_cookie(visit(bench, cookie)) is None
    bench.advance(2)
    renewed = visit(bench, cookie)
    newer = written_cookie(renewed)
    assert newer is not None
    assert newer != cookie
    assert newer.partition(".")[0] == (cookie or "").partition(".")[0]
    assert got(renewed) == got(first)
    bench.advance(15 * DAY)
    assert written_cookie(visit(bench, cookie)) not in (None, cookie)
    assert bench.value("ab_routing_refused_total", what="cookie", why="expired") == 1


def test_attributes_of_the_cookie() -> None:
    cookie = {
        "name": "__Secure-ab",
        "max_age": 60,
        "path": "/shop",
        "domain": "example.com",
        "same_site": "None",
    }
    line = harness(cookie=cookie).request().headers["set-cookie"]
    assert line.startswith("__Secure-ab=")
    assert (
        line.partition("; ")[2]
        == "Path=/shop; Max-Age=60; Domain=example.com; HttpOnly; Secure; SameSite=None"
    )


STICKY = {**CHECKOUT, "sticky": True}


@pytest.mark.parametrize("user", ["ann", ""])
def test_a_sticky_variant_outlives_the_weights(user: str) -> None:
    who = {"x-user": user} if user else {}
    first = harness(STICKY).request(headers=who)
    cookie, variant = written_cookie(first), got(first)
    assert variant is not None
    turned = {"control": 0.0, "v2": 0.0, "dark": 99.9, variant: 0.1}
    later = harness({**STICKY, "variants": turned})
    again = visit(later, cookie, **who)
    assert (got(again), written_cookie(again)) == (variant, None)
    assert (
        later.value("ab_routing_exposures_total", experiment="checkout", variant=variant, how="sticky") == 1
    )
    ended = harness({**STICKY, "variants": {"dark": 100, "control": 0, "v2": 0}})
    assert got(visit(ended, cookie, **who)) == "dark"


def test_a_sticky_user_takes_part_in_one_experiment_of_a_layer() -> None:
    sticky = [{**each, "sticky": True} for each in RESULTS]
    for number in range(20):
        who = {"x-user": f"u{number}"}
        first = harness(*sticky).request(headers=who)
        other = harness({**sticky[0], "share": 1}, {**sticky[1], "share": 99})
        again = visit(other, written_cookie(first), **who)
        for name in ("x-ab-search", "x-ab-prices"):
            assert got(again, name) == got(first, name)


def test_a_sticky_cookie_is_its_owners_alone() -> None:
    bench = harness({**STICKY, "variants": {"control": 50, "v2": 50}})
    control, v2 = user_of("control"), user_of("v2")
    cookie = written_cookie(visit(bench, None, **{"x-user": v2}))
    assert v2 not in (cookie or "")
    stolen = visit(bench, cookie, **{"x-user": control})
    assert got(stolen) == "control"
    assert ":control." in (written_cookie(stolen) or "")


def forged_cookies() -> dict[str, str]:
    visitor = "A" * 22
    good = Visit(visitor, "", {"checkout": "dark"}, NOW + DAY)
    signed = write_visit(good, [KEY])
    return {
        "unsigned": write_visit(good, []),
        "another key": write_visit(good, [OTHER_KEY]),
        "the signature of another": signed.replace("dark", "v2"),
        "a longer life": signed.replace(str(NOW + DAY), str(NOW + 9 * DAY)),
        "no signature": signed.rpartition(".")[0],
        "a tester's token": make_override({"checkout": "dark"}, key=KEY, expires=NOW + DAY),
        "not ASCII": "\udcff.\udcff.\udcff.\udcff.\udcff",
        "digits of others": f"{visitor}...١٢٣.x",
        "long": "x" * 10_000,
        "empty parts": "....",
        "a bare visitor": visitor,
    }


@pytest.mark.parametrize("name", forged_cookies())
def test_a_forged_cookie_is_as_none(name: str) -> None:
    bench = harness(STICKY, user=[])
    outcome = visit(bench, forged_cookies()[name])
    assert got(outcome) in ("control", "v2")
    fresh = written_cookie(outcome)
    assert fresh is not None
    assert not fresh.startswith("A" * 22)
    why = "form" if name == "long" else "signature"
    assert bench.value("ab_routing_refused_total", what="cookie", why=why) == 1


def test_what_is_signed_may_still_be_nothing() -> None:
    """Whoever has a key writes nonsense, or an older version of this filter wrote something else."""
    for text in (
        "a.b.c",
        "A" * 22 + "..checkout.1900000000",
        "A" * 22 + "...-1",
        "A" * 22 + "..a:b~a:c.1900000000",
    ):
        assert got(visit(harness(STICKY, user=[]), sign("cookie", text, KEY))) in ("control", "v2")


def test_without_keys_a_visitor_may_say_who_but_not_what() -> None:
    bench = harness(user=[], keys=[])
    written = write_visit(Visit("A" * 22, "", {"checkout": "dark"}, NOW + 20 * DAY), [])
    variants = {got(visit(bench, written)) for _ in range(5)}
    assert len(variants) == 1
    assert variants <= {"control", "v2"}
    outcome = visit(bench, written.replace("A" * 22, "B" * 21))
    assert (written_cookie(outcome) or "").count(".") == 4


@given(
    cookie=st.text(st.characters(codec="ascii", exclude_characters="\r\n\0;"), max_size=80),
    user=st.text(max_size=9),
)
def test_no_cookie_harms(cookie: str, user: str) -> None:
    sent = [("cookie", f"meshext-ab={cookie}"), ("x-user", user.encode("ascii", "ignore").decode())]
    clean = [(name, "".join(char for char in value if char.isprintable()).strip()) for name, value in sent]
    for keys in ([], [KEY]):
        assert got(harness(keys=keys).request(headers=clean)) in ("control", "v2")


# -- testers -----------------------------------------------------------------------------------------


def token(*, variant: str = "dark", key: str = KEY, life: int = 60, experiment: str = "checkout") -> str:
    return make_override({experiment: variant}, key=key, expires=NOW + life)


@pytest.mark.parametrize(
    ("testers", "sent"),
    [
        ({}, {"headers": {"x-ab-override": token(), "x-user": "ann"}}),
        ({}, {"headers": {"x-ab-override": token()}}),
        ({}, {"headers": {"x-ab-override": token(key=OLD_KEY), "x-user": "ann"}}),
        ({"header": "X-Try"}, {"headers": {"x-try": token(), "x-user": "ann"}}),
        ({"query": "try"}, {"target": f"/cart?a=%20&try={token()}&b=1", "headers": {"x-user": "ann"}}),
        ({"cookie": "try"}, {"headers": {"cookie": f"try={token()}", "x-user": "ann"}}),
    ],
)
def test_a_tester_has_what_is_signed(testers: dict[str, str], sent: dict[str, Any]) -> None:
    bench = harness(testers=testers, keys=[KEY, OLD_KEY])
    outcome = bench.request(**sent)
    assert got(outcome) == "dark"
    assert bench.value("ab_routing_exposures_total", experiment="checkout", variant="dark", how="tester") == 1
    assert outcome.upstream is not None
    assert outcome.upstream.target == ("/cart?a=%20&b=1" if "query" in testers else "/")
    assert got(outcome, "x-ab-override") is got(outcome, "x-try") is None


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (token(key=OTHER_KEY), "signature"),
        (token().replace("dark", "v2"), "signature"),
        (token().replace(str(NOW + 60), str(NOW + 6000)), "signature"),
        (token().rpartition(".")[0], "signature"),
        (token()[:-1], "signature"),
        ("checkout:dark", "signature"),
        (write_visit(Visit("", "", {"checkout": "dark"}, NOW + 60), [KEY]), "signature"),
        ("\udcff", "signature"),
        ("x" * 5000, "form"),
        (token(life=0), "expired"),
        (token(life=-5), "expired"),
        (token(variant="gone"), "unknown"),
        (token(experiment="gone"), "unknown"),
        (token(variant=""), "form"),
    ],
)
def test_others_are_no_testers(sent: str, why: str) -> None:
    bench = harness()
    plain = got(bench.request(headers={"x-user": "ann"}))
    assert got(bench.request(headers=[("x-user", "ann"), ("x-ab-override", sent)])) == plain
    assert bench.value("ab_routing_refused_total", what="override", why=why) == 1


def test_without_keys_there_are_no_testers() -> None:
    bench = harness(keys=[])
    for sent in (token(), make_override({"checkout": "dark"}, key="", expires=NOW + 60)):
        assert got(bench.request(headers={"x-user": "ann", "x-ab-override": sent})) in ("control", "v2")


def test_a_token_ends() -> None:
    bench = harness()
    who = {"x-user": "ann", "x-ab-override": token()}
    plain = got(bench.request(headers={"x-user": "ann"}))
    bench.advance(59)
    assert got(bench.request(headers=who)) == "dark"
    bench.advance(1)
    assert got(bench.request(headers=who)) == plain


def test_a_tester_meets_one_experiment_of_a_layer() -> None:
    both = make_override({"prices": "rounded", "search": "fuzzy"}, key=KEY, expires=NOW + 60)
    outcome = harness(*RESULTS).request(headers={"x-user": "ann", "x-ab-override": both})
    assert (got(outcome, "x-ab-search"), got(outcome, "x-ab-prices")) == ("fuzzy", None)


def test_a_testers_choice_is_not_kept() -> None:
    bench = harness(STICKY)
    first = bench.request(headers={"x-user": "ann"})
    tested = visit(bench, written_cookie(first), **{"x-user": "ann", "x-ab-override": token()})
    assert (got(tested), written_cookie(tested)) == ("dark", None)
    assert got(visit(bench, written_cookie(first), **{"x-user": "ann"})) == got(first)
