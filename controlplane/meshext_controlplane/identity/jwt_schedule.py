"""Which key signs JWT-SVIDs when: pure.

A key is told to everybody as long before it signs as it will sign, so that a sidecar which has not heard of
its control plane for a day still knows it; and it is known for an hour after that, for what it has signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

SIGNS = 24 * 3600
"""Seconds that a key signs for."""

KNOWN_AFTER = 3600
"""Seconds that it is known for after that: the longest life of a token many times over."""


class Timed(Protocol):
    """What has a time to sign, in seconds since 1970."""

    @property
    def begins(self) -> int:
        """When it begins to sign."""

    @property
    def ends(self) -> int:
        """When it does not sign any more."""


T = TypeVar("T", bound=Timed)
Span = tuple[int, int]
"""When a key begins to sign, and when it ends."""


def known_at(keys: Iterable[T], now: int) -> list[T]:
    """Those whose tokens may still be believed, or will be."""
    return [each for each in keys if each.ends + KNOWN_AFTER > now]


def signing_at(keys: Iterable[T], now: int) -> T | None:
    """The one that signs; the latest where several do, None where none does."""
    found = [each for each in keys if each.begins <= now < each.ends]
    return max(found, key=lambda each: each.begins, default=None)


def missing_at(keys: Sequence[Timed], now: int) -> list[Span]:
    """The keys to make, so that one signs now and the next one is known."""
    made: list[Span] = []
    if signing_at(keys, now) is None:
        made.append((now, now + SIGNS))
    if not any(each.begins > now for each in keys):
        last = max([each.ends for each in keys] + [end for _, end in made])
        made.append((last, last + SIGNS))
    return made
