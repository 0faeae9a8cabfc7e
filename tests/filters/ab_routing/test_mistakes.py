"""Every mistake in a configuration is said with its path, the value, and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from meshext.config import Document, parse_config
from meshext.errors import ConfigError
from meshext_filters.ab_routing import ABRouting

Plain = dict[str, object]
KEY = "k" * 40
TWO = {"a": 50, "b": 50}
LONG_NAMES = {f"{letter * 64}": 50 for letter in "ab"}


def one(**fields: object) -> Plain:
    """A configuration of one experiment."""
    return {"experiments": [{"name": "cart", "variants": TWO, **fields}]}


def both(first: Plain, second: Plain, **fields: object) -> Plain:
    """A configuration of two."""
    return {
        "experiments": [
            {"name": "cart", "variants": TWO, **first},
            {"name": "list", "variants": TWO, **second},
        ],
        **fields,
    }


def cookie(**fields: object) -> Plain:
    """A right experiment and a cookie."""
    return {**one(), "cookie": fields}


MISTAKES: dict[str, Plain | str] = {
    "nothing": {},
    "not YAML": "experiments: [",
    "no experiments": {"experiments": []},
    "experiments as a mapping": {"experiments": {"cart": TWO}},
    "an unknown field": {**one(), "sticky": True},
    "a misspelt field": one(varients=TWO),
    "a name in capitals": one(name="Cart"),
    "a name with a dot": one(name="cart.v2"),
    "an empty name": one(name=""),
    "one variant": one(variants={"a": 100}),
    "no variant": one(variants={}),
    "variants as a list": one(variants=["a", "b"]),
    "a variant with a space": one(variants={"a": 50, "b c": 50}),
    "a weight as text": one(variants={"a": "50%", "b": 50}),
    "a weight below zero": one(variants={"a": 101, "b": -1}),
    "a weight above all": one(variants={"a": 110, "b": 0}),
    "a weight too fine": one(variants={"a": 33.33, "b": 66.67}),
    "weights below all": one(variants={"a": 50, "b": 49.9}),
    "weights above all": one(variants={"a": 50, "b": 50.1}),
    "a share of nobody": one(share=0),
    "a share above all": one(share=101),
    "a share too fine": one(share=0.05),
    "weights of before": one(before=[TWO, {"a": 90, "b": 5}]),
    "a name of before": one(before=[{"a": 90, "B": 10}]),
    "a layer with a slash": one(layer="shop/front"),
    "a layer that is full": both({"layer": "shop", "share": 60}, {"layer": "shop", "share": 40.1}),
    "a layer that nobody is in": {**one(), "layers": {"shop": {}}},
    "a layer that was full": {
        **one(layer="shop"),
        "layers": {"shop": {"before": [{"cart": 60, "list": 41}]}},
    },
    "two of a name": both({}, {"name": "cart"}),
    "two of a header": both({"header": "x-variant"}, {"header": "X-Variant"}),
    "a header that is none": one(header="x variant"),
    "a header with a meaning": one(header="Host"),
    "a header of Envoy's": one(header="x-envoy-retry-on"),
    "a header of the trusted": one(header="x-forwarded-for"),
    "the testers' header": one(header="x-ab-override"),
    "the users' header": {**one(header="x-user"), "user": ["header:X-User"]},
    "an outside that is a variant": one(outside="a"),
    "an outside that is no name": one(outside="not here"),
    "too many variants": {
        "experiments": [
            {"name": f"e{number}", "variants": {f"v{each}": 5 for each in range(20)}} for number in range(16)
        ]
    },
    "a user of nothing": {**one(), "user": ["session"]},
    "a user of a header without name": {**one(), "user": ["header:"]},
    "a user of what names nothing": {**one(), "user": ["peer:ann"]},
    "a user by the address that is written": {**one(), "user": ["header:x-forwarded-for"]},
    "a user by the whole cookie": {**one(), "user": ["header:cookie"]},
    "a user by metadata without a key": {**one(), "user": ["metadata:meshext.telemetry"]},
    "a user by segment zero": {**one(), "user": ["path:0"]},
    "a user by a segment's name": {**one(), "user": ["path:users"]},
    "a user by a claim of nobody": {**one(), "user": ["claim:sub"]},
    "users as text": {**one(), "user": "header:x-user"},
    "nobody to split": {**one(), "anonymous": "control"},
    "another way for the anonymous": {**one(), "anonymous": "random"},
    "a cookie's name with a blank": cookie(name="my ab"),
    "a cookie for a second": cookie(max_age=1),
    "a cookie for ever": cookie(max_age=10**10),
    "a cookie's life as text": cookie(max_age="30d"),
    "a cookie's path": cookie(path="shop"),
    "a path that ends the attribute": cookie(path="/; Domain=example.com"),
    "a cookie's domain": cookie(domain="https://example.com"),
    "a cookie for all sites": cookie(same_site="None", secure=False),
    "a cookie for some sites": cookie(same_site="lax"),
    "a secure name": cookie(name="__Secure-ab", secure=False),
    "a host's name": cookie(name="__Host-ab", domain="example.com"),
    "a short key": {**one(), "keys": ["hush-hush"]},
    "a key twice": {**one(), "keys": [KEY, KEY]},
    "a key as a number": {**one(), "keys": [12345678901234567]},
    "sticky without a key": one(sticky=True),
    "a cookie that browsers drop": {
        "keys": [KEY],
        "experiments": [
            {"name": f"{number:02}-{'e' * 61}", "variants": LONG_NAMES, "sticky": True}
            for number in range(32)
        ],
    },
    "the testers' cookie": {**one(), "testers": {"cookie": "meshext-ab"}},
    "the testers' cookie's name": {**one(), "testers": {"cookie": "a=b"}},
    "the testers' header is a path": {**one(), "testers": {"header": ":path"}},
    "several mistakes at once": {"experiments": [{"name": "cart"}, {"variants": TWO}], "users": []},
}


def said(written: Plain | str) -> list[str]:
    """What is said about a configuration."""
    text = written if isinstance(written, str) else json.dumps(written)
    with pytest.raises(ConfigError) as refused:
        parse_config(ABRouting.Config, Document(text, "config.yaml"), owner=ABRouting)
    return list(refused.value.problems)


def test_what_is_said(golden: Callable[[str, str], None]) -> None:
    assert len(MISTAKES) >= 30
    blocks = [
        "\n".join([f"{name}:", *(f"  {problem}" for problem in said(MISTAKES[name]))]) for name in MISTAKES
    ]
    golden("\n".join(blocks) + "\n", "mistakes.txt")


def test_a_key_is_never_shown() -> None:
    for keys in (["hush-hush"], [KEY, KEY], {"hush-hush": KEY}, [12345678901234567], KEY):
        problems = " ".join(said({**one(), "keys": keys}))
        assert "hush" not in problems
        assert KEY not in problems
        assert "12345678901234567" not in problems
