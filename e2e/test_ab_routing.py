"""`ab-routing` in the real Envoy, in both modes and over two workers: who gets where, who can not choose."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from e2e.prometheus import total
from e2e.raw import send_bytes, status_of
from e2e.stage import received, wait_for
from meshext.loading import load_needs
from meshext.plan import Mode
from meshext.sandbox import Answer, Options, Proxy, Setup, build_setup
from meshext_filters.ab_routing import make_override
from meshext_filters.ab_routing.visits import Visit, write_visit

pytestmark = pytest.mark.envoy

USERS = 300
KEY, OTHER_KEY = "k" * 40, "o" * 40
ROUTES = [
    {"name": "beta", "match": {"prefix": "/", "headers": {"x-version": "v2"}}, "upstream": "v2"},
    {"name": "dark", "match": {"prefix": "/", "headers": {"x-version": "dark"}}, "upstream": "dark"},
    {"name": "stable", "match": {"prefix": "/"}, "upstream": "v1"},
]
CHECKOUT = {
    "name": "checkout",
    "header": "x-version",
    "sticky": True,
    "variants": {"v1": 70, "v2": 30, "dark": 0},
}
CONFIG = {
    "user": ["header:x-user"],
    "keys": [KEY],
    "testers": {"query": "try", "cookie": "try"},
    "experiments": [
        CHECKOUT,
        {"name": "search", "layer": "results", "share": 50, "variants": {"control": 50, "fuzzy": 50}},
        {"name": "prices", "layer": "results", "share": 50, "variants": {"control": 50, "rounded": 50}},
    ],
}


class Ground:
    """A proxy with two workers behind it, and three upstreams."""

    def __init__(self, mode: Mode, config: dict[str, Any]) -> None:
        options = Options(
            specs=("ab-routing",),
            config=(json.dumps(config),),
            mode=mode,
            upstream=("v1=echo", "v2=echo", "dark=echo"),
            routes=json.dumps(ROUTES),
            workers=2,
            metrics="127.0.0.1:0",
        )
        self.start(build_setup(options))

    def start(self, setup: Setup) -> None:
        self.proxy = Proxy.start(setup)
        self.needs = load_needs(setup.specs, setup.configs)
        self.metrics_url = self.proxy.wait_for_log("metrics are at http").rpartition(" ")[2]

    def get(self, target: str = "/", *headers: tuple[str, str], user: str = "") -> Answer:
        lines = [*headers, *([("x-user", user)] if user else [])]
        answer = self.proxy.request("GET", target, headers=lines)
        assert answer.status == 200, [line for line in self.proxy.logs if " access " not in line]
        return answer

    def went_to(self, answer: Answer) -> str:
        """The upstream, which agrees with the header that it got."""
        name: str = self.proxy.upstream(answer)["upstream"]
        assert received(answer, "x-version") == [name]
        return name

    def total(self, name: str, **labels: str) -> float:
        return total(urlsplit(self.metrics_url).port or 0, name, **labels)


@pytest.fixture(scope="module", params=["authz", "proc"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    found = Ground(request.param, CONFIG)
    yield found
    found.proxy.stop()


def cookie_of(answer: Answer) -> str | None:
    """`meshext-ab=VALUE`, as a browser sends it back."""
    line = answer.header("set-cookie")
    return line.partition("; ")[0] if line else None


def user_of(ground: Ground, upstream: str) -> str:
    return next(
        user
        for user in (f"user-{number}" for number in range(100))
        if ground.went_to(ground.get(user=user)) == upstream
    )


def test_users_are_split_and_stay(ground: Ground) -> None:
    before = {
        how: ground.total("ab_routing_exposures_total", how=how) for how in ("split", "sticky", "tester")
    }
    first = [ground.went_to(ground.get(user=f"user-{number}")) for number in range(USERS)]
    again = [ground.went_to(ground.get(user=f"user-{number}")) for number in range(USERS)]
    assert first == again
    shares = Counter(first)
    assert abs(shares["v2"] - 0.3 * USERS) <= 5 * (USERS * 0.3 * 0.7) ** 0.5
    assert shares["dark"] == 0
    counted = 2 * 2 * USERS  # two rounds; each user meets checkout, and one of search and prices
    assert wait_for(
        lambda: ground.total("ab_routing_exposures_total", how="split") - before["split"] == counted
    )
    assert ground.total("ab_routing_exposures_total", how="tester") == before["tester"]


def test_a_layer_gives_one_of_its_experiments(ground: Ground) -> None:
    for number in range(30):
        answer = ground.get(user=f"user-{number}")
        assert len(received(answer, "x-ab-search")) + len(received(answer, "x-ab-prices")) == 1


def test_a_visitor_is_known_by_the_cookie(ground: Ground) -> None:
    first = ground.get()
    line, cookie = first.header("set-cookie"), cookie_of(first)
    assert line is not None
    assert cookie is not None
    assert re.fullmatch(
        r"meshext-ab=[\w-]{22}\.\.checkout:v[12]\.\d+\.[\w-]{43}; "
        "Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
        line,
    )
    for _ in range(10):
        answer = ground.get("/", ("cookie", f"a=b; {cookie}; c=d"))
        assert ground.went_to(answer) == ground.went_to(first)
        assert answer.header("set-cookie") is None
        assert received(answer, "cookie") == [f"a=b; {cookie}; c=d"]
    assert {cookie_of(ground.get()) for _ in range(5)}.isdisjoint({cookie})


def test_a_sticky_variant_outlives_the_weights(ground: Ground) -> None:
    user = user_of(ground, "v1")
    cookie = cookie_of(ground.get(user=user))
    assert cookie is not None
    turned = {**CHECKOUT, "variants": {"v1": 0.1, "v2": 99.9, "dark": 0}}
    later = type(ground)(ground.proxy.plan.mode, {**CONFIG, "experiments": [turned]})
    try:
        assert later.went_to(later.get(user=user)) == "v2"
        kept = later.get("/", ("cookie", cookie), user=user)
        assert later.went_to(kept) == "v1"
        assert later.went_to(later.get("/", ("cookie", cookie), user=user_of(ground, "v2"))) == "v2"
    finally:
        later.proxy.stop()


def test_a_tester_gets_what_is_signed(ground: Ground) -> None:
    token = make_override({"checkout": "dark"}, key=KEY, expires=int(time.time()) + 3600)
    before = ground.total("ab_routing_exposures_total", how="tester")
    for answer in (
        ground.get("/", ("x-ab-override", token), user="user-1"),
        ground.get(f"/?a=1&try={token}&b=2", user="user-1"),
        ground.get("/", ("cookie", f"try={token}"), user="user-1"),
        ground.get("/", ("x-ab-override", token)),
    ):
        assert ground.went_to(answer) == "dark"
        assert received(answer, "x-ab-override") == []
        assert "try" not in ground.proxy.upstream(answer)["target"]
    assert wait_for(lambda: ground.total("ab_routing_exposures_total", how="tester") == before + 4)


def forged_tokens() -> dict[str, str]:
    soon = int(time.time()) + 3600
    good = make_override({"checkout": "dark"}, key=KEY, expires=soon)
    return {
        "another key": make_override({"checkout": "dark"}, key=OTHER_KEY, expires=soon),
        "an empty key": make_override({"checkout": "dark"}, key="", expires=soon),
        "expired": make_override({"checkout": "dark"}, key=KEY, expires=soon - 7200),
        "another end": good.replace(str(soon), str(soon + 1)),
        "another variant": make_override({"checkout": "v1"}, key=KEY, expires=soon).replace("v1", "dark"),
        "no signature": good.rpartition(".")[0] + ".",
        "a cookie's signature": write_visit(Visit("", "", {"checkout": "dark"}, soon), [KEY]),
        "bare": "checkout:dark",
        "nothing": "",
        "much": "x" * 8000,
    }


@pytest.mark.parametrize("name", forged_tokens())
def test_others_are_no_testers(name: str, ground: Ground) -> None:
    token = forged_tokens()[name]
    user = user_of(ground, "v1")
    for answer in (
        ground.get("/", ("x-ab-override", token), user=user),
        ground.get(f"/?try={token}", user=user),
        ground.get("/", ("cookie", f"try={token}"), user=user),
    ):
        assert ground.went_to(answer) == "v1"


@pytest.mark.parametrize(
    "lines",
    [
        [("x-version", "dark")],
        [("X-Version", "dark"), ("x-version", "v2")],
        [("x-version", "v1, dark")],
        [("x-version", "")],
        [("x-version", "dark"), ("connection", "x-version")],
        [("x-ab-search", "fuzzy"), ("x-ab-prices", "rounded"), ("x-version", "dark")],
    ],
)
def test_nobody_chooses_by_a_header(lines: list[tuple[str, str]], ground: Ground) -> None:
    user = user_of(ground, "v1")
    plain, answer = ground.get(user=user), ground.get("/", *lines, user=user)
    assert ground.went_to(answer) == "v1"
    for name in ("x-ab-search", "x-ab-prices"):
        assert received(answer, name) == received(plain, name)


def test_a_header_with_an_underscore_or_a_space_chooses_nothing(ground: Ground) -> None:
    for line in (b"x_version: dark", b"x-version : dark", b" x-version: dark", b"x-version:\tdark"):
        got = send_bytes(
            int(ground.proxy.url.rpartition(":")[2]),
            b"GET / HTTP/1.1\r\nhost: a\r\nx-user: user-1\r\n" + line + b"\r\nconnection: close\r\n\r\n",
        )
        assert status_of(got) == 400 or b'["x-version", "v' in got
        assert b'"dark"' not in got


@pytest.mark.parametrize(
    "name", ["another key", "another choice", "no signature", "rubbish", "a choice alone"]
)
def test_nobody_chooses_by_a_cookie(name: str, ground: Ground) -> None:
    soon = int(time.time()) + 86_400
    dark = Visit("A" * 22, "", {"checkout": "dark"}, soon)
    value = {
        "another key": write_visit(dark, [OTHER_KEY]),
        "another choice": write_visit(Visit("A" * 22, "", {"checkout": "v1"}, soon), [KEY]).replace(
            "v1", "dark"
        ),
        "no signature": write_visit(dark, []),
        "rubbish": '\\"....%00',
        "a choice alone": "checkout:dark",
    }[name]
    before = ground.total("ab_routing_refused_total", what="cookie")
    answer = ground.get("/", ("cookie", f"meshext-ab={value}"))
    assert ground.went_to(answer) in ("v1", "v2")
    assert "A" * 22 not in (cookie_of(answer) or "")
    assert wait_for(lambda: ground.total("ab_routing_refused_total", what="cookie") == before + 1)


def test_bytes_that_are_no_text_are_a_key_and_no_harm(ground: Ground) -> None:
    port = int(ground.proxy.url.rpartition(":")[2])
    for value in (b"\xff\xfe", b"\xc3\x28", "ü".encode(), b"a" * 8000):
        head = b"GET / HTTP/1.1\r\nhost: a\r\nx-user: " + value + b"\r\nconnection: close\r\n\r\n"
        assert {status_of(send_bytes(port, head)) for _ in range(2)} == {200}


def test_the_least_mode_is_authz(ground: Ground) -> None:
    assert [needs.hooks for needs in ground.needs] == [{"on_request"}]
