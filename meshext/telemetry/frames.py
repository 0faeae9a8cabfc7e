"""What a worker and its parent say to each other about metrics, in frames of a bounded length.

    length   4 bytes, big endian, of the body
    seq      8 bytes: the number of a question, repeated in its answer; 0 where nobody had asked
    body     of the parent: none, "tell me where you stand"; of the worker: a JSON list of families

A family is `{"name", "kind", "labels", "help", "buckets", "most", "most_values", "numbers": [[values,
number], ...], "spreads": [[values, counts, sum], ...], "exemplars": [[values, places], ...]}`; a place is
null or `[value, [[label, value], ...], seconds since 1970]`. What comes from a worker is checked before it is
believed: a filter runs there.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
from typing import Any

from meshext.errors import ProtocolError
from meshext.exemplars import Exemplar, check_labels
from meshext.metrics import check_names
from meshext.series import Key
from meshext.telemetry.families import SUFFIXES, Family

HEAD = struct.Struct(">IQ")
LARGEST = 32 << 20  # bytes of one body
MOST_FAMILIES = 1000


def frame(seq: int, body: bytes = b"") -> bytes:
    """One frame; ProtocolError where it would be too large."""
    if len(body) > LARGEST:
        raise ProtocolError(
            f"the metrics take {len(body)} bytes, more than {LARGEST}; use fewer label values"
        )
    return HEAD.pack(len(body), seq) + body


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """The next frame's seq and body; None where the other side is gone, ProtocolError if it is too large."""
    try:
        length, seq = HEAD.unpack(await reader.readexactly(HEAD.size))
        if length > LARGEST:
            raise ProtocolError(f"a frame of {length} bytes; at most {LARGEST}")
        return seq, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def encode_family(family: Family) -> str:
    """One family as JSON."""
    return json.dumps(
        {
            "name": family.name,
            "kind": family.kind,
            "labels": family.labels,
            "help": family.help,
            "buckets": family.buckets,
            "most": family.most,
            "most_values": family.most_values,
            "numbers": list(family.numbers.items()),
            "spreads": [(key, *spread) for key, spread in family.spreads.items()],
            "exemplars": [
                (key, [each and (each.value, each.labels, each.seen) for each in places])
                for key, places in family.exemplars.items()
            ],
        }
    )


def decode_families(body: bytes) -> list[Family]:
    """The families of a snapshot; ProtocolError where something in it is not as said above."""
    try:
        given = json.loads(body or b"[]")
        if not isinstance(given, list) or len(given) > MOST_FAMILIES:
            raise ValueError("no list of families, or too long a one")
        return [decode_family(each) for each in given]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise ProtocolError(f"metrics that are none: {type(error).__name__}: {error}") from error


def decode_family(given: dict[str, Any]) -> Family:
    """One family; raises whatever is wrong with it."""
    family = Family(
        given["name"],
        given["kind"],
        tuple(given["labels"]),
        to_text(given["help"]),
        tuple(map(to_number, given["buckets"])),
        most=to_count(given["most"]),
        most_values=tuple(map(to_count, given["most_values"])),
    )
    check_names(family.name, family.labels)
    if len(family.most_values) not in (0, len(family.labels)):
        raise ValueError(f"{family.name}: {len(family.most_values)} caps")
    if family.kind not in SUFFIXES:
        raise ValueError(f"kind {family.kind!r}")
    for values, number in given["numbers"]:
        family.numbers[to_key(family, values)] = to_number(number)
    for values, counts, amount in given["spreads"]:
        if len(counts) != len(family.buckets) + 1:
            raise ValueError(f"{family.name}: {len(counts)} buckets")
        family.spreads[to_key(family, values)] = tuple(map(to_count, counts)), to_number(amount)
    for values, places in given["exemplars"]:
        if len(places) != most_exemplars(family):
            raise ValueError(f"{family.name}: {len(places)} exemplars")
        family.exemplars[to_key(family, values)] = tuple(map(to_exemplar, places))
    return family


def most_exemplars(family: Family) -> int:
    """How many exemplars one series has: OpenMetrics takes none of a gauge."""
    if family.kind == "histogram":
        return len(family.buckets) + 1
    return 1 if family.kind == "counter" and family.name.endswith("_total") else 0


def to_exemplar(given: list[Any] | None) -> Exemplar | None:
    """One exemplar, or the place of one."""
    if given is None:
        return None
    value, labels, seen = given
    pairs = [(to_text(name), to_text(text)) for name, text in labels]
    return Exemplar(to_number(value), check_labels(pairs), to_number(seen))


def to_key(family: Family, values: list[object]) -> Key:
    """Label values, as many as there are labels."""
    if len(values) != len(family.labels):
        raise ValueError(f"{family.name}: {len(values)} label values")
    return tuple(map(to_text, values))


def to_text(value: object) -> str:
    """A text, without what has no UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.100} is no text")
    return value.encode("utf-8", "replace").decode()


def to_number(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r:.100} is no finite number")
    return float(value)


def to_count(value: object) -> int:
    """A number of observations."""
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.100} is no count")
    return value
