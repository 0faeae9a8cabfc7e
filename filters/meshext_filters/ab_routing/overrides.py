"""Tokens of testers: which variants the bearer gets, until when, signed.

checkout:v2~search:b.1767225600.SIGNATURE
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_filters.ab_routing.choices import parse_choices, to_text
from meshext_filters.ab_routing.signing import open_signed, parse_time, sign

PURPOSE = "override"
LONGEST = 4096  # characters of a token that is looked at


@dataclass(frozen=True)
class Override:
    """What a token gives: `problem` says why it gives nothing, "" where it is good or there is none."""

    choices: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def make_override(choices: dict[str, str], *, key: str, expires: int) -> str:
    """A token: variant by experiment, until `expires` in seconds since 1970, for who has `key`.

    It goes into the header (or query parameter, or cookie) that the configuration names under `override`.
    """
    return sign(PURPOSE, f"{to_text(choices)}.{expires}", key)


def read_override(token: str, *, keys: list[str], now: int) -> Override:
    """What a client's token gives now."""
    if len(token) > LONGEST:
        return Override(problem="form")
    text = open_signed(PURPOSE, token, keys)
    if text is None:
        return Override(problem="signature")
    written, _, end = text.rpartition(".")
    choices, expires = parse_choices(written), parse_time(end)
    if choices is None or expires is None:
        return Override(problem="form")
    return Override(choices) if now < expires else Override(problem="expired")
