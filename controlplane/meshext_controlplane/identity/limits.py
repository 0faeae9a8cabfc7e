"""What a workload may register: bound to the token that it joined with, and to nothing that it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext_controlplane.identity.errors import LimitError

_NO_LABELS: Mapping[str, str] = MappingProxyType({})

Range = tuple[int, int]
"""First and last port."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The labels that the workload has, and the ports that it may serve (none where nothing is said)."""

    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    ports: tuple[Range, ...] = ()


NOTHING = Limits()


def check_registration(
    limits: Limits, *, labels: Mapping[str, str], ports: Iterable[int]
) -> Mapping[str, str]:
    """The labels of a workload that registers; LimitError where it claims what its token does not give.

    It may leave labels out, and has them all the same: a label that policies select by can not be dropped.
    """
    for name, value in labels.items():
        if limits.labels.get(name) != value:
            raise LimitError(f"the token gives no label {name[:80]}={value[:80]}; it gives {_shown(limits)}")
    for port in ports:
        if not any(first <= port <= last for first, last in limits.ports):
            raise LimitError(f"the token does not give port {port}; it gives {format_ports(limits.ports)}")
    return limits.labels


def parse_ports(text: str) -> tuple[Range, ...]:
    """`8080`, `8000-8100`, or several with commas between; LimitError where it is something else."""
    return tuple(_parse_range(part.strip()) for part in text.split(",") if part.strip())


def format_ports(ports: Iterable[Range]) -> str:
    """As `parse_ports` reads it; "none" without any."""
    shown = (str(first) if first == last else f"{first}-{last}" for first, last in ports)
    return ",".join(shown) or "none"


def to_json(limits: Limits) -> str:
    """For the state."""
    return json.dumps({"labels": dict(limits.labels), "ports": limits.ports}, sort_keys=True)


def from_json(text: str) -> Limits:
    """What `to_json` has written."""
    data = json.loads(text)
    return Limits(MappingProxyType(data["labels"]), tuple((first, last) for first, last in data["ports"]))


def _parse_range(text: str) -> Range:
    first, dash, last = text.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(each.isascii() and each.isdigit() and len(each) <= 5 for each in numbers):
        raise LimitError(f"{text[:80]!r} is no port; write 8080, or 8000-8100")
    low, high = map(int, numbers)
    if not 1 <= low <= high <= 65535:
        raise LimitError(f"{text!r} is no range of ports between 1 and 65535")
    return low, high


def _shown(limits: Limits) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(limits.labels.items())) or "none"
