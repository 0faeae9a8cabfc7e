"""The fields of which calls of a store are made, as bytes; numbers are in network order."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from meshext.limits import Algorithm, Limit, Outcome
from meshext.store import LONGEST_TTL, MAX_LIMITS

LENGTH = struct.Struct("!I")
FLAG = struct.Struct("!?")
INTEGER = struct.Struct("!q")
SECONDS = struct.Struct("!d")
# Algorithm, rate, window, burst (0: none), cost, whether it is forced, group; the key follows.
LIMIT = struct.Struct("!BIdIQ?B")
OUTCOME = struct.Struct("!?Qdd")  # allowed, remaining, reset_after, retry_after

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
NUMBER_OF = {algorithm: number for number, algorithm in enumerate(ALGORITHMS)}

Verdict = tuple[bool, int, float, float]


class WireError(Exception):
    """Bytes that no peer of ours would send; the connection that carried them has to end."""


class Reader:
    """Takes fields off one frame; WireError where it ends too early."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start, end = self._position, self._position + count
        if end > len(self._data):
            raise WireError("a frame ends within a field")
        self._position = end
        return self._data[start:end]

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next fields of a fixed layout."""
        return layout.unpack(self.take(layout.size))

    def close(self) -> None:
        """Everything must have been taken."""
        if self._position != len(self._data):
            raise WireError("a frame goes on behind its last field")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one field is written and read."""

    pack: Callable[[Any], bytes]
    unpack: Callable[[Reader], Any]


def pack_blob(value: bytes) -> bytes:
    """Bytes behind their length."""
    return LENGTH.pack(len(value)) + value


def unpack_blob(reader: Reader) -> bytes:
    """The counterpart of `pack_blob`."""
    return reader.take(reader.unpack(LENGTH)[0])


def pack_text(text: str) -> bytes:
    """Text as UTF-8 that knows lone surrogates, so that two texts are never one."""
    return pack_blob(text.encode("utf-8", "surrogatepass"))


def unpack_text(reader: Reader) -> str:
    """The counterpart of `pack_text`."""
    try:
        return unpack_blob(reader).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise WireError("text that is not UTF-8") from error


def pack_optional(value: bytes | None) -> bytes:
    """Bytes, or that there are none."""
    return FLAG.pack(False) if value is None else FLAG.pack(True) + pack_blob(value)


def unpack_optional(reader: Reader) -> bytes | None:
    """The counterpart of `pack_optional`."""
    return unpack_blob(reader) if reader.unpack(FLAG)[0] else None


def pack_ttl(ttl: float | None) -> bytes:
    """Seconds; NaN stands for None, which `check_ttl` lets nobody ask for."""
    return SECONDS.pack(math.nan if ttl is None else float(min(ttl, LONGEST_TTL)))


def unpack_ttl(reader: Reader) -> float | None:
    """The counterpart of `pack_ttl`."""
    (ttl,) = reader.unpack(SECONDS)
    return None if math.isnan(ttl) else float(ttl)


def pack_limits(limits: Sequence[Limit]) -> bytes:
    """Limits; a cost is written as the least that comes to the same."""
    parts = [LENGTH.pack(len(limits))]
    for limit in limits:
        cost = min(limit.cost, limit.most if limit.forced else limit.capacity + 1)
        algorithm, burst = NUMBER_OF[limit.algorithm], limit.burst or 0
        parts.append(LIMIT.pack(algorithm, limit.rate, limit.window, burst, cost, limit.forced, limit.group))
        parts.append(pack_text(limit.key))
    return b"".join(parts)


def unpack_limits(reader: Reader) -> tuple[Limit, ...]:
    """The counterpart of `pack_limits`."""
    (count,) = reader.unpack(LENGTH)
    if count > MAX_LIMITS:
        raise WireError(f"{count} limits in one call")
    return tuple(unpack_limit(reader) for _ in range(count))


def unpack_limit(reader: Reader) -> Limit:
    """One limit of them."""
    algorithm, rate, window, burst, cost, forced, group = reader.unpack(LIMIT)
    key = unpack_text(reader)
    try:
        return Limit(
            key=key,
            algorithm=ALGORITHMS[algorithm],
            rate=rate,
            window=window,
            burst=burst or None,
            cost=cost,
            forced=forced,
            group=group,
        )
    except (IndexError, ValueError) as error:
        raise WireError("no such limit") from error


def pack_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """What the limits said, without the limits, which the asker has."""
    return LENGTH.pack(len(outcomes)) + b"".join(
        OUTCOME.pack(each.allowed, each.remaining, each.reset_after, each.retry_after) for each in outcomes
    )


def unpack_verdicts(reader: Reader) -> tuple[Verdict, ...]:
    """The counterpart of `pack_outcomes`."""
    (count,) = reader.unpack(LENGTH)
    if count > MAX_LIMITS:
        raise WireError(f"{count} outcomes in one reply")
    return tuple(reader.unpack(OUTCOME) for _ in range(count))


def pack_nothing(_: None) -> bytes:
    """No field."""
    return b""


def unpack_nothing(_: Reader) -> None:
    """No field."""


TEXT = Kind(pack_text, unpack_text)
BLOB = Kind(pack_blob, unpack_blob)
OPTIONAL = Kind(pack_optional, unpack_optional)
TTL = Kind(pack_ttl, unpack_ttl)
NUMBER = Kind(INTEGER.pack, lambda reader: reader.unpack(INTEGER)[0])
YES_OR_NO = Kind(FLAG.pack, lambda reader: reader.unpack(FLAG)[0])
LIMITS = Kind(pack_limits, unpack_limits)
OUTCOMES = Kind(pack_outcomes, unpack_verdicts)
NOTHING = Kind(pack_nothing, unpack_nothing)
