"""Routes: the file, its mistakes, and where the real Envoy sends requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.config import Document
from meshext.envoy.routes import Match, Route, build_default_routes, parse_routes
from meshext.envoy.upstreams import parse_upstream
from meshext.errors import ConfigError
from meshext.plan import Plan
from tests.envoy_config.conftest import Lab

UPSTREAMS = tuple(map(parse_upstream, ("v1=127.0.0.1:1", "v2=127.0.0.1:2")))

FILE = """\
- name: beta
  match: {prefix: /shop, headers: {X-Version: v2}}
  upstream: v2
- name: exact
  match: {path: /health}
  upstream: v2
- name: all
  match: {prefix: /}
  upstream: v1
"""


def parse(text: str) -> tuple[Route, ...]:
    return parse_routes(Document(text, "routes.yaml"), UPSTREAMS)


def test_parse() -> None:
    assert parse(FILE) == (
        Route("beta", Match(prefix="/shop", headers={"X-Version": "v2"}), "v2"),
        Route("exact", Match(path="/health"), "v2"),
        Route("all", Match(prefix="/"), "v1"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a list of routes"),
        ("routes: []", "is not a list of routes"),
        ("- {name: a, match: {prefix: /}, upstream: v3}", "routes[0].upstream: there is no upstream 'v3'"),
        ("- {name: a, match: {}, upstream: v1}", "write either prefix or path"),
        ("- {name: a, match: {prefix: /, path: /}, upstream: v1}", "write either prefix or path"),
        ("- {name: a, match: {prefix: shop}, upstream: v1}", "'shop' does not begin with '/'"),
        ("- {name: a, match: {path: '/a?b'}, upstream: v1}", "without the query"),
        ("- {name: a, match: {prefix: /, headers: {'a b': c}}, upstream: v1}", "'a b' is no header name"),
        ('- {name: a, match: {prefix: /, headers: {a: "b\\n"}}, upstream: v1}', "is no value of a header"),
        ("- {name: '', match: {prefix: /}, upstream: v1}", "'' is no name"),
        ("- {name: a, match: {prefix: /}, upstreem: v1}", "upstream"),
        ("- {name: 1, match: {prefix: /}, upstream: v1}", "routes[0].name"),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert told in str(caught.value)
    assert all(line.startswith("routes.yaml: ") for line in str(caught.value).splitlines())


def test_every_mistake_is_told() -> None:
    route = "- {name: a, match: {prefix: /}, upstream: no}\n"
    with pytest.raises(ConfigError) as caught:
        parse(route * 2)
    assert len(caught.value.problems) == 3


def test_default_routes() -> None:
    assert [route.name for route in build_default_routes(UPSTREAMS)] == ["v1", "v2", "default"]
    assert build_default_routes(UPSTREAMS[:1]) == (Route("default", Match(prefix="/"), "v1"),)


PATHS = st.from_regex(r"/[a-z0-9/%.-]{0,20}", fullmatch=True)
HEADERS = st.dictionaries(
    st.from_regex("[a-z-]{1,8}", fullmatch=True), st.from_regex("[!-~]{1,8}", fullmatch=True)
)
MATCHES = st.builds(Match, prefix=PATHS, headers=HEADERS) | st.builds(Match, path=PATHS, headers=HEADERS)


@given(st.lists(MATCHES, max_size=4))
def test_what_is_written_is_what_is_read(matches: list[Match]) -> None:
    routes = [
        {
            "name": f"r{index}",
            "match": ({"path": match.path} if match.path else {"prefix": match.prefix})
            | {"headers": match.headers},
            "upstream": "v1",
        }
        for index, match in enumerate(matches)
    ]
    assert [route.match for route in parse(json.dumps(routes))] == matches


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ConfigError):
        parse(text)


@pytest.mark.envoy
def test_envoy_routes(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).json()["upstream"] == "v1"
        assert (await lab.ask("/shop/a", {"x-version": "v2"})).json()["upstream"] == "v2"
        assert (await lab.ask("/shop/a", {"x-version": "v22"})).json()["upstream"] == "v1"
        assert (await lab.ask("/health")).json()["upstream"] == "v2"
        assert (await lab.ask("/healthy")).json()["upstream"] == "v1"

    in_lab(steps, names=("v1", "v2"), routes=parse(FILE))


@pytest.mark.envoy
def test_envoy_default_routes(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).json()["upstream"] == "v1"
        assert (await lab.ask("/", {"x-upstream": "v2"})).json()["upstream"] == "v2"
        assert (await lab.ask("/", {"x-upstream": "v3"})).json()["upstream"] == "v1"

    in_lab(steps, names=("v1", "v2"))


@pytest.mark.envoy
def test_envoy_asks_about_a_request_that_no_route_takes(
    in_lab: Callable[..., None], make_plan: Callable[..., Plan]
) -> None:
    async def steps(lab: Lab) -> None:
        assert [(await lab.ask(path)).status for path in ("/shop", "/deny", "/other")] == [200, 403, 404]

    routes = (Route("shop", Match(prefix="/shop"), "one"),)
    in_lab(steps, make_plan(), routes=routes)
    in_lab(steps, make_plan(), routes=(Route("beta", Match("/", headers={"x": "y"}), "one"), *routes))
