"""Route templates against a slow reading of their rules."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_filters.telemetry.route_templates import RouteTable

TABLE = RouteTable(
    [
        "/",
        "/users",
        "/users/{id}",
        "/users/me",
        "/users/{id}/orders/{order}",
        "/users/me/**",
        "/reports/{name}.json",
        "/reports/v{version}.json",
        "/reports/{name}",
        "/static/**",
        "/a/{x}/c",
        "/a/b/{y}",
    ]
)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/users", "/users"),
        ("/users/7", "/users/{id}"),
        ("/users/me", "/users/me"),
        ("/users/", None),
        ("/users/7/", None),
        ("/users/7/orders/9", "/users/{id}/orders/{order}"),
        ("/users/me/orders/9", "/users/me/**"),
        ("/users/me/", "/users/me/**"),
        ("/reports/q3.json", "/reports/{name}.json"),
        ("/reports/v2.json", "/reports/v{version}.json"),
        ("/reports/v.json", "/reports/{name}.json"),
        ("/reports/.json", "/reports/{name}"),
        ("/reports/q3.xml", "/reports/{name}"),
        ("/static", None),
        ("/static/", "/static/**"),
        ("/static/a//b/../c", "/static/**"),
        ("/a/b/c", "/a/b/{y}"),
        ("/a/z/c", "/a/{x}/c"),
        ("/%75sers/7", None),
        ("//users/7", None),
        ("*", None),
        ("", None),
    ],
)
def test_which_template_a_path_belongs_to(path: str, template: str | None) -> None:
    assert TABLE.match(path) == template


def rank(segment: str) -> tuple[int, int, str, str]:
    """How exact a segment of a template is: the least wins."""
    prefix, opened, rest = segment.partition("{")
    if segment == "**":
        return 3, 0, "", ""
    if not opened:
        return 0, 0, "", ""
    suffix = rest.partition("}")[2]
    return (1, -len(prefix + suffix), prefix, suffix) if prefix or suffix else (2, 0, "", "")


def fits(template: str, path: str) -> bool:
    wanted, found = template.split("/")[1:], path.split("/")[1:]
    if wanted[-1] == "**":
        wanted.pop()
        if len(found) <= len(wanted):
            return False
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(map(fits_segment, wanted, found))


def fits_segment(wanted: str, found: str) -> bool:
    if "{" not in wanted:
        return wanted == found
    prefix, _, rest = wanted.partition("{")
    suffix = rest.partition("}")[2]
    room = len(found) - len(prefix) - len(suffix)
    return room > 0 and found.startswith(prefix) and found.endswith(suffix)


def slow_match(templates: list[str], path: str) -> str | None:
    found = [each for each in templates if path.startswith("/") and fits(each, path)]
    return min(found, key=lambda each: [rank(segment) for segment in each.split("/")], default=None)


segments = st.sampled_from(["a", "b", "", "{x}", "a{x}", "{x}b", "a{x}b", "ab{x}"])
templates = st.builds(
    lambda parts, rest: "/" + "/".join([*parts, *rest]),
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from([[], [], ["**"]]),
)
paths = st.lists(st.sampled_from(["a", "b", "ab", "aab", "abb", "c", ""]), min_size=1, max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)


@settings(max_examples=400)
@given(st.lists(templates, max_size=12), st.lists(paths, min_size=1, max_size=8))
def test_the_tree_finds_what_looking_at_all_templates_finds(given_ones: list[str], some: list[str]) -> None:
    table, kept = RouteTable(()), []
    for template in given_ones:
        numbered = "/".join(part.replace("{x}", f"{{x{at}}}") for at, part in enumerate(template.split("/")))
        with contextlib.suppress(ValueError):
            table.add(numbered)
            kept.append(numbered)
    for path in some:
        assert table.match(path) == slow_match(kept, path)


def test_a_hostile_path_costs_no_more_than_the_tree_is_large() -> None:
    names = [f"{{p{at}}}" for at in range(14)]
    table = RouteTable(
        [
            "/" + "/".join([*(f"{'a' if bits >> at & 1 else ''}{names[at]}" for at in range(8)), f"z{bits}"])
            for bits in range(256)
        ]
    )
    began = time.process_time()
    assert table.match("/aa" * 8 + "/never" + "/x" * 50_000) is None
    assert time.process_time() - began < 0.2
