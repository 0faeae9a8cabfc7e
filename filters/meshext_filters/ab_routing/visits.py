"""The cookie: who an unknown visitor is, and which variants stay as they were.

    VISITOR.OWNER.CHOICES.EXPIRES.SIGNATURE

VISITOR is a random name for who has no key of its own, OWNER a keyed hash of the key for whom the choices
were made ("" for a visitor), EXPIRES in seconds since 1970. Without keys in the configuration the signature
is empty: then nothing but VISITOR is believed, which is no more than anybody gets by coming without a cookie.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from meshext_filters.ab_routing.choices import parse_choices, to_text
from meshext_filters.ab_routing.signing import mac, open_signed, parse_time, sign

PURPOSE = "cookie"
VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")
OWNER_LENGTH = 16  # characters of 6 bits: nobody looks for a second user with the same
LONGEST = 4096  # characters; browsers keep no longer cookie


@dataclass(frozen=True)
class Visit:
    """What a cookie says. `problem` says why it says nothing, "" where it is good or there is none."""

    visitor: str = ""
    owner: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    expires: int = 0
    problem: str = ""


def new_visitor() -> str:
    """A name that nobody can guess, 128 bits."""
    return secrets.token_urlsafe(16)


def owner_of(user: str, keys: list[str]) -> str:
    """What stands in a cookie for a user's key, which is not shown to who finds the cookie."""
    return mac("owner", user, keys[0])[:OWNER_LENGTH] if user and keys else ""


def write_visit(visit: Visit, keys: list[str]) -> str:
    """The cookie's value."""
    text = f"{visit.visitor}.{visit.owner}.{to_text(visit.choices)}.{visit.expires}"
    return sign(PURPOSE, text, keys[0]) if keys else f"{text}."


def read_visit(value: str, *, keys: list[str], now: int) -> Visit:
    """What a client's cookie says now; a visitor is believed for as long as the cookie is good."""
    if not value:
        return Visit()
    if len(value) > LONGEST:
        return Visit(problem="form")
    text = open_signed(PURPOSE, value, keys) if keys else value.rpartition(".")[0]
    if text is None:
        return Visit(problem="signature")
    parts = text.split(".")
    if len(parts) != 4:
        return Visit(problem="form")
    visitor, owner, written, end = parts
    choices, expires = parse_choices(written), parse_time(end)
    if (visitor and not VISITOR.fullmatch(visitor)) or choices is None or expires is None:
        return Visit(problem="form")
    if expires <= now:
        return Visit(problem="expired")
    if not keys:
        return Visit(visitor=visitor, expires=expires)
    return Visit(visitor, owner, choices, expires)
