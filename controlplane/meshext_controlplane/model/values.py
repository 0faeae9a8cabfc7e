"""Values that several kinds of documents share: durations, ports, host names."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

_DURATION = re.compile(r"(?:(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns))")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_LABEL = re.compile(r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?")  # a label of DNS, `_` as in practice
_LONGEST_DURATION = 315_576_000_000.0  # seconds: what google.protobuf.Duration holds


def parse_duration(value: object) -> object:
    """Go's and protobuf's text of a duration (`1.5s`, `1h30m`, `250ms`, `0s`); ValueError if it is none."""
    if not isinstance(value, str):
        raise ValueError("a duration is text, a number and a unit, such as `5s`, `250ms` or `1h30m`")
    found = _DURATION.findall(value)
    if value != "0" and (not found or "".join(number + unit for number, unit in found) != value):
        raise ValueError(f"{value[:80]!r} is no duration; write a number and a unit, such as `5s` or `250ms`")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in found)
    if seconds > _LONGEST_DURATION:
        raise ValueError(f"{value[:80]!r} is longer than any timer; write at most `87660000h`")
    return timedelta(seconds=seconds)


def check_host(value: str) -> str:
    """A host name in lower case, which may begin with `*.`; ValueError if it is none."""
    name = value.removeprefix("*.")
    labels = name.split(".")
    if value == "*" or (len(value) <= 253 and all(_LABEL.fullmatch(label) for label in labels)):
        return value
    raise ValueError(f"{value[:80]!r} is no host name; write lower-case labels with dots, `*.` only in front")


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, not negative."""

Port = Annotated[int, Field(ge=1, le=65535)]
"""The number of a port."""
