"""What can be wrong with the parts of a rule, as lists of mistakes: empty where nothing is.

A class of the configuration puts the lists together and refuses all at once: `raise ValueError(*mistakes)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from meshext.limits import LARGEST
from meshext_filters.header_names import check_header
from meshext_filters.rate_limit.durations import parse_duration
from meshext_filters.rate_limit.patterns import parse_pattern
from meshext_filters.rate_limit.sources import Source, parse_key, parse_source

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")


def judge_hits(name: str, hits: int, *, least: int = 1) -> list[str]:
    """A number of hits."""
    if least <= hits <= LARGEST:
        return []
    return [f"{name} {hits} is out of reach; write a whole number from {least} to {LARGEST}"]


def judge_name(name: str, value: str) -> list[str]:
    """A name that is fit for a header field, a metric's label and a key."""
    if NAME.fullmatch(value):
        return []
    return [
        f"{name} {value!r}: write 1 to 64 lower case letters, digits, '.', '_' or '-', such as 'per-user'"
    ]


def judge_duration(name: str, written: str | int | float) -> list[str]:
    """A duration that has a unit."""
    if written == "":
        return [f'{name} is missing; write such as {name}: "1m"']
    if not isinstance(written, str):
        return [f'{name} {written!r} has no unit; write "{written}s" for seconds']
    try:
        parse_duration(name, written)
    except ValueError as refusal:
        return [str(refusal)]
    return []


def judge_pattern(name: str, written: str) -> list[str]:
    """A pattern of texts."""
    try:
        parse_pattern(name, written)
    except ValueError as refusal:
        return [str(refusal)]
    return []


def judge_path(name: str, path: str) -> list[str]:
    """A pattern of paths."""
    found = judge_pattern(name, path)
    if path and not path.startswith(("/", "*")):
        found.append(f"{name} {path!r}: a path begins with a slash; write {'/' + path!r}")
    if "?" in path or "#" in path:
        bare = path.partition("?")[0].partition("#")[0]
        found.append(f"{name} {path!r}: a path has no query and no fragment; write {bare!r}")
    return found


def judge_method(method: str) -> list[str]:
    """A method."""
    if method.isalpha() and method == method.upper():
        return []
    return [f"methods {method!r}: methods are written in capitals; write {method.upper()!r}"]


def judge_host(host: str) -> list[str]:
    """A pattern of hosts."""
    found = judge_pattern("hosts", host)
    bare = host.lower().partition(":")[0].rstrip(".")
    if host != bare and not host.startswith("["):
        found.append(f"hosts {host!r}: hosts are compared in lower case, without port; write {bare!r}")
    return found


def judge_header(name: str, header: str) -> list[str]:
    """A header's name."""
    try:
        check_header(name, header, host="host")
    except ValueError as refusal:
        return [str(refusal)]
    return []


def judge_values(name: str, values: list[str], example: str) -> list[str]:
    """Patterns of which there has to be one."""
    if not values:
        return [f"{name} has no values; write such as {example}"]
    return [mistake for value in values for mistake in judge_pattern(name, value)]


def judge_headers(headers: Mapping[str, list[str]]) -> list[str]:
    """Values by header."""
    found: list[str] = []
    for name, values in headers.items():
        found += judge_header("headers", name)
        found += judge_values(f"headers {name!r}", values, "['*'] for any")
    return found


def judge_callers(callers: Mapping[str, list[str]]) -> list[str]:
    """Values by source."""
    if not callers:
        return ["callers is empty; write such as callers: {peer: [spiffe://td/ns/batch/*]}"]
    found: list[str] = []
    for source, values in callers.items():
        try:
            parse_source("callers", source)
        except ValueError as refusal:
            found.append(str(refusal))
        found += judge_values(f"callers {source!r}", values, "['alice']")
    return found


def judge_key(parts: list[str]) -> list[str]:
    """The parts of a key, no source of which stands there twice."""
    found: list[str] = []
    seen: list[Source] = []
    for part in parts:
        try:
            sources = parse_key("by", part)
        except ValueError as refusal:
            found.append(str(refusal))
            continue
        for source in sources:
            if source in seen:
                found.append(f"by {part!r}: {source.text} is there already; write it once")
            seen.append(source)
    return found


def judge_prefix(name: str, bits: int, most: int) -> list[str]:
    """Bits of an address."""
    return [] if 1 <= bits <= most else [f"{name} {bits} is no prefix; write bits from 1 to {most}"]
