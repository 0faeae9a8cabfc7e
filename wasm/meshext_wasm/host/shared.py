"""What the virtual machines of one process share: metrics, and data under keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_wasm.abi.values import MetricKind, Status


@dataclass(slots=True)
class Metric:
    """One series; `observed` are a histogram's numbers."""

    name: str
    kind: MetricKind
    value: int = 0
    observed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A value under a key; `version` is what compare-and-set compares."""

    value: bytes
    version: int


class Shared:
    """Outlives modules and contexts; nothing of it can be deleted, as in Envoy."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []
        self.data: dict[bytes, Entry] = {}
        self._versions = 0

    def define(self, kind: MetricKind, name: str) -> int:
        """The number of a metric, the same for the same name and kind."""
        for index, metric in enumerate(self.metrics):
            if metric.name == name and metric.kind == kind:
                return index
        self.metrics.append(Metric(name, kind))
        return len(self.metrics) - 1

    def metric(self, number: int) -> Metric | None:
        """The metric of that number."""
        return self.metrics[number] if 0 <= number < len(self.metrics) else None

    def value(self, name: str) -> int:
        """A counter's or gauge's number by its name; KeyError names those there are."""
        for metric in self.metrics:
            if metric.name == name:
                return metric.value
        raise KeyError(f"no metric {name!r}; there are {[metric.name for metric in self.metrics]}")

    def put(self, key: bytes, value: bytes, version: int) -> Status:
        """Write a value; where `version` is not 0 it has to be the one that stands there."""
        known = self.data.get(key)
        if version and known is not None and known.version != version:
            return Status.CAS_MISMATCH
        self._versions += 1
        self.data[key] = Entry(value, self._versions)
        return Status.OK
