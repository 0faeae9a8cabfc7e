"""What a control plane counts of its work (`xds.observer.Observer`), for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from meshext.series import Key, Kind
from meshext.telemetry.families import Family
from meshext_controlplane.snapshot import TYPES
from meshext_controlplane.xds.observer import Observer

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BYTES = tuple(float(1 << power) for power in range(8, 27, 2))

Gauge = Callable[[], float]


class Counts(Observer):
    """Counts while it observes. A gauge is asked when somebody reads."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}
        self._gauges: list[tuple[Family, Gauge]] = []
        self._streams = self._family("streams", "gauge", (), "Streams of proxies that are open.")
        self._pushes = self._family("pushes_total", "counter", ("type",), "Responses that were sent.")
        self._resources = self._family("pushed_resources_total", "counter", ("type",), "Resources in them.")
        self._sizes = self._family("push_bytes", "histogram", ("type",), "Size of a response.", BYTES)
        self._acks = self._family(
            "push_seconds", "histogram", ("type",), "From a response to its ACK.", SECONDS
        )
        self._nacks = self._family("nacks_total", "counter", ("type",), "Responses that proxies refused.")
        self._held = self._family("held_back_total", "counter", (), "Snapshots that were not fit to serve.")
        self._converged = self._family(
            "convergence_seconds", "histogram", ("kind",), "From an edit to the last ACK.", SECONDS
        )
        self._gathered = self._family(
            "gathering_seconds", "histogram", ("kind",), "Of that, waiting for more edits.", SECONDS
        )
        self._store = self._family(
            "store_seconds", "histogram", (), "One use of the state, with its wait.", SECONDS
        )
        self._failures = self._family("part_failures_total", "counter", (), "Parts that began again.")
        self._streams.numbers[()] = 0
        for type_url in TYPES:  # one that only comes with the first refusal would hide it from `increase`
            add(self._nacks, (short_type(type_url),), 0)
        add(self._held, (), 0)
        add(self._failures, (), 0)

    def gauge(self, name: str, text: str, value: Gauge) -> None:
        """Show a number that somebody else knows."""
        self._gauges.append((self._family(name, "gauge", (), text), value))

    def families(self) -> list[Family]:
        """Everything, as it stands now."""
        for family, value in self._gauges:
            family.numbers[()] = value()
        return list(self._families.values())

    def connected(self, count: int) -> None:
        """See `Observer`; so are the others."""
        self._streams.numbers[()] = count

    def pushed(self, type_url: str, *, size: int, resources: int) -> None:
        """A response was written."""
        key = (short_type(type_url),)
        add(self._pushes, key)
        add(self._resources, key, resources)
        observe(self._sizes, key, size)

    def acknowledged(self, type_url: str, *, after: float) -> None:
        """A proxy accepted a response."""
        observe(self._acks, (short_type(type_url),), after)

    def refused(self, type_url: str) -> None:
        """A proxy refused a response."""
        add(self._nacks, (short_type(type_url),))

    def held_back(self) -> None:
        """A snapshot was not served."""
        add(self._held, ())

    def part_failed(self) -> None:
        """A part of the control plane has failed, and begins again."""
        add(self._failures, ())

    def converged(self, kind: str, *, gathered: float, after: float) -> None:
        """Every proxy has everything."""
        observe(self._converged, (kind,), after)
        observe(self._gathered, (kind,), gathered)

    def stored(self, seconds: float) -> None:
        """The state was used once."""
        observe(self._store, (), seconds)

    def _family(
        self, name: str, kind: Kind, labels: Key, text: str, buckets: tuple[float, ...] = ()
    ) -> Family:
        made = Family(f"meshext_controlplane_{name}", kind, labels, text, buckets)
        return self._families.setdefault(made.name, made)


def short_type(type_url: str) -> str:
    """`Cluster` of a type URL."""
    return type_url.rpartition(".")[2]


def add(family: Family, key: Key, amount: float = 1) -> None:
    """Count up."""
    family.numbers[key] = family.numbers.get(key, 0) + amount


def observe(family: Family, key: Key, value: float) -> None:
    """Count one value in its bucket."""
    counts, total = family.spreads.get(key, ((0,) * (len(family.buckets) + 1), 0.0))
    place = bisect_left(family.buckets, value)
    counts = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
    family.spreads[key] = counts, total + value
