"""Spans of time on the command line."""

from __future__ import annotations

import re
from datetime import timedelta

from meshext.cli.faults import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(?:\d{1,9}[smhd])+")


def parse_span(option: str, text: str) -> timedelta:
    """`30m`, `12h`, `1d12h`; UsageError, which names the option, where it is none."""
    if not _FORM.fullmatch(text):
        raise UsageError(f"{option} {text!r} is no span of time; write 30m, 12h or 1d12h")
    parts = re.findall(r"(\d+)([smhd])", text)
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def format_span(span: timedelta) -> str:
    """The two largest units that matter: `3d4h`, `59m`, `12s`; "-" before one that has passed."""
    seconds = int(span.total_seconds())
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    parts = []
    for unit in "dhms":
        number, left = divmod(left, _UNITS[unit])
        parts.append((number, unit))
    first = next((place for place, (number, _) in enumerate(parts) if number), 3)
    return sign + "".join(
        f"{number}{unit}" for number, unit in parts[first : first + 2] if number or first == 3
    )
