"""Every mistake in a configuration has one line: where, what is there, what to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshext.config import Document, parse_config
from meshext.errors import ConfigError
from meshext_filters.rate_limit.config import Config

ONE = "rules: [{name: a, limits: [{rate: 1, per: 1m}]}]"


def rule(rest: str, *, limits: str = "[{rate: 1, per: 1m}]", name: str = "a") -> str:
    """One rule with something wrong in it."""
    return f"rules: [{{name: {name}, limits: {limits}{', ' if rest else ''}{rest}}}]"


def limit(text: str) -> str:
    return rule("", limits=f"[{{{text}}}]")


def override(text: str) -> str:
    return rule(f"overrides: [{{{text}}}]")


MISTAKES = {
    "nothing at all": "",
    "no rules": "rules: []",
    "rules that are no list": "rules: {name: a}",
    "a rule without limits": "rules: [{name: a, limits: []}]",
    "a rule without a name": "rules: [{limits: [{rate: 1, per: 1m}]}]",
    "a name with capitals": rule("", name="PerUser"),
    "a name with a space": rule("", name="per user"),
    "a name that is too long": rule("", name="a" * 65),
    "two rules of one name": "rules: [{name: a, limits: [{rate: 1, per: 1m}]},"
    " {name: a, limits: [{rate: 2, per: 1m}]}]",
    "two limits of one name": rule("", limits="[{rate: 1, per: 1m, algorithm: gcra}, {rate: 5, per: 1m}]"),
    "a limit twice": rule("", limits="[{rate: 1, per: 60s}, {rate: 1, per: 1m}]"),
    "a limit named as another rule's": "rules: [{name: a, limits: [{rate: 1, per: 1m}]},"
    " {name: b, limits: [{rate: 2, per: 1m, name: a}]}]",
    "a misspelt key": rule("dryrun: true"),
    "limits under another name": "rules: [{name: a, limit: [{rate: 1, per: 1m}]}]",
    "no rate": limit("per: 1m"),
    "no duration": limit("rate: 1"),
    "a rate of nothing": limit("rate: 0, per: 1m"),
    "a rate below nothing": limit("rate: -5, per: 1m"),
    "a rate beyond all": limit("rate: 2000000000, per: 1m"),
    "a rate in words": limit("rate: ten, per: 1m"),
    "a rate with a unit": limit("rate: 10/m, per: 1m"),
    "a broken rate": limit("rate: 1.5, per: 1m"),
    "a duration without unit": limit("rate: 1, per: 60"),
    "a duration without unit, in quotes": limit('rate: 1, per: "60"'),
    "a duration in words": limit("rate: 1, per: minute"),
    "an unknown unit": limit("rate: 1, per: 1y"),
    "a duration of nothing": limit("rate: 1, per: 0s"),
    "a duration that never ends": limit("rate: 1, per: 4000d"),
    "a duration below nothing": limit("rate: 1, per: -1m"),
    "an unknown algorithm": limit("rate: 1, per: 1m, algorithm: leaky_bucket"),
    "an algorithm with a dash": limit("rate: 1, per: 1m, algorithm: token-bucket"),
    "a burst for a window": limit("rate: 1, per: 1m, burst: 5"),
    "a burst of nothing": limit("rate: 1, per: 1m, algorithm: gcra, burst: 0"),
    "a burst that takes for ever": limit("rate: 1, per: 300d, algorithm: gcra, burst: 1000"),
    "a limit's name that is none": limit("rate: 1, per: 1m, name: '!'"),
    "an unknown source": rule("by: [user]"),
    "a source without its name": rule("by: ['header:']"),
    "a source with a name too many": rule("by: ['path:/x']"),
    "a header that is none": rule("by: ['header:x user']"),
    "a header that anybody writes": rule("by: ['header:X-Forwarded-For']"),
    "a header for a certificate": rule("by: ['header:x-forwarded-client-cert']"),
    "the host as a header": rule("by: ['header:host']"),
    "all cookies at once": rule("by: ['header:cookie']"),
    "a pseudo-header": rule("by: ['header::path']"),
    "a brace without a partner": rule("by: ['{header:x-a}/{path']"),
    "an unknown source in a template": rule("by: ['{header:x-a}/{user}']"),
    "a source twice": rule("by: [path, '{header:x-a}/{path}']"),
    "one source that is no list": rule("by: path"),
    "claims of nobody": rule("by: ['claim:sub']"),
    "claims of nobody in an override": override("callers: {'claim:sub': [a]}, unlimited: true"),
    "an unknown way to miss": rule("by: [path], missing: ignore"),
    "nothing to miss": rule("missing: skip"),
    "a path without a slash": rule("match: {paths: [api/*]}"),
    "a path with a query": rule("match: {paths: ['/api?x=1']}"),
    "a star in the middle": rule("match: {paths: ['/api/*/x']}"),
    "two stars": rule("match: {not_paths: ['*x*']}"),
    "an empty path": rule("match: {paths: ['']}"),
    "a method in small letters": rule("match: {methods: [get]}"),
    "a host with a port": rule("match: {hosts: ['A.test:443']}"),
    "a header without values": rule("match: {headers: {x-plan: []}}"),
    "a match that is misspelt": rule("match: {path: [/x]}"),
    "both ways to tell the cost": rule("hits: {header: x-a, response_header: x-b}"),
    "a cost of nothing": rule("hits: {header: x-a, default: 0}"),
    "a least above the most": rule("hits: {header: x-a, least: 10, most: 5}"),
    "a default above the most": rule("hits: {header: x-a, default: 10, most: 5}"),
    "a cost in a header that is none": rule("hits: {header: 'x a'}"),
    "an override without limits": override("callers: {peer: [a]}"),
    "an override with both": override("callers: {peer: [a]}, unlimited: true, limits: [{rate: 1, per: 1m}]"),
    "an override for nobody": override("callers: {}, unlimited: true"),
    "an override for no value": override("callers: {peer: []}, unlimited: true"),
    "an override for an unknown source": override("callers: {user: [a]}, unlimited: true"),
    "an override with a wrong limit": override("callers: {peer: [a]}, limits: [{rate: 1, per: 1}]"),
    "an unknown place of counters": f"{ONE}\ncounters: redis",
    "an unknown way to go on": f"{ONE}\nstore_away: fail",
    "no store to be away": f"{ONE}\ncounters: worker\nstore_away: open",
    "a prefix beyond an address": f"{ONE}\nipv4_prefix: 33",
    "a prefix of nothing": f"{ONE}\nipv6_prefix: 0",
    "too many limits": "rules: ["
    + ", ".join(f"{{name: r{number}, limits: [{{rate: 1, per: 1m}}]}}" for number in range(65))
    + "]",
    "too many dry runs": "rules: ["
    + ", ".join(
        f"{{name: r{number}, match: {{paths: [/{number}]}}, limits: [{{rate: 1, per: 1m}}], dry_run: true}}"
        for number in range(64)
    )
    + "]",
    "all mistakes of a limit": limit("rate: 0, per: 60, burst: 5, name: '!'"),
    "all mistakes of a bucket": limit("rate: 1, per: 1y, algorithm: gcra, burst: 0"),
    "all mistakes of a match": rule(
        "match: {paths: [api, '/a?x'], not_paths: ['*x*', ''], methods: [get, pOST], hosts: ['A.test:1'],"
        " headers: {'x a': [], cookie: ['*a*']}}"
    ),
    "all mistakes of a cost": rule(
        "hits: {header: 'x a', response_header: host, most: 0, least: -1, default: 9}"
    ),
    "all mistakes of an override": override("callers: {user: [], peer: ['a*b*', '']}"),
    "all mistakes of a rule": "rules: [{name: A, limits: [], by: [user, path, '{path}', 'header:host'],"
    " missing: skip, overrides: [{callers: {peer: [a]}, limits: [{rate: 1, per: 1m}, {rate: 1, per: 60s}]}]"
    "}]",
    "all mistakes of the whole": "rules: [{name: a, limits: [{rate: 1, per: 1m}], by: ['claim:sub']},"
    " {name: a, limits: [{rate: 1, per: 1m}]}, {name: b, limits: [{rate: 1, per: 1m, name: a}]}]\n"
    "ipv4_prefix: 33\nipv6_prefix: 129\ncounters: worker\nstore_away: local",
    "three mistakes at once": rule("by: [user], dry_run: maybe", limits="[{rate: 0, per: 1m}]", name="A"),
}


def told(text: str) -> str:
    """What the command line prints."""
    with pytest.raises(ConfigError) as refused:
        parse_config(Config, Document(text, "limits.yaml") if text else None)
    return str(refused.value)


def test_every_mistake_says_where_it_is_and_what_to_write(golden: Callable[[str, str], None]) -> None:
    assert len(MISTAKES) >= 30
    golden("\n".join(f"# {name}\n{told(text)}\n" for name, text in MISTAKES.items()), "mistakes.txt")


def test_what_is_right_passes() -> None:
    assert parse_config(Config, Document(ONE)).rules[0].limits[0].rate == 1
