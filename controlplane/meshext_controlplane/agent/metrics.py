"""What a sidecar counts of itself, for Prometheus; Envoy's own statistics are where `--stats` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext.series import Key, Kind
from meshext.telemetry.families import Family

CONTROL_PLANE, STORED, NOWHERE = "control_plane", "stored", "nowhere"
"""Where Envoy's configuration comes from."""

Numbers = Callable[[], Mapping[Key, float]]


class Counts:
    """Counts while the sidecar's parts work. A gauge is asked when somebody reads."""

    def __init__(self) -> None:
        self._families: list[Family] = []
        self._gauges: list[tuple[Family, Numbers]] = []
        self._source = NOWHERE
        self._renewals = self._counter("certificate_renewals", "Certificates asked for.", "result")
        self._trusts = self._counter("trust_changes", "Changes of the roots, or of the lists of bans.")
        self._refusals = self._counter("configuration_refusals", "Responses that Envoy refused.")
        self._ends = self._counter("envoy_ends", "Envoys that ended without being told to.")
        self._probes = self._counter("probes", "Questions to the application.", "result")
        self._calls = self._counter("workload_api_calls", "Calls of the Workload API.", "method")
        self._denials = self._counter("workload_api_refusals", "Those that were refused.", "code")
        self._strangers = self._counter("workload_api_strangers", "Connections to it that were refused.")
        self._filters = self._counter(
            "filter_ends", "Services of filters that ended by themselves.", "filter"
        )
        for family in (self._trusts, self._refusals, self._ends, self._strangers):
            family.numbers[()] = 0
        for result in ("done", "failed"):
            self._renewals.numbers[(result,)] = self._probes.numbers[(result,)] = 0
        self.gauge(
            "configuration_source", "1 where Envoy's configuration comes from.", self._sources, "source"
        )

    def gauge(self, name: str, text: str, numbers: Numbers, *labels: str) -> None:
        """Show numbers that somebody else knows."""
        self._gauges.append((self._family(name, "gauge", text, labels), numbers))

    def families(self) -> list[Family]:
        """Everything, as it stands now."""
        for family, numbers in self._gauges:
            family.numbers = dict(numbers())
        return list(self._families)

    def renewed(self, *, done: bool) -> None:
        """A certificate was asked for."""
        add(self._renewals, "done" if done else "failed")

    def trust_changed(self) -> None:
        """Peers are judged by other roots or bans."""
        add(self._trusts)

    def configured_by(self, source: str) -> None:
        """Envoy's stream is answered by that source from now on."""
        self._source = source

    def refused(self) -> None:
        """Envoy refused a response."""
        add(self._refusals)

    def envoy_ended(self) -> None:
        """Envoy has ended without being told to."""
        add(self._ends)

    def probed(self, *, answered: bool) -> None:
        """The application was asked whether it is ready."""
        add(self._probes, "done" if answered else "failed")

    def filter_ended(self, name: str) -> None:
        """The service of a filter has ended without being told to."""
        add(self._filters, name)

    def asked(self, method: str) -> None:
        """An application has called the Workload API."""
        add(self._calls, method)

    def denied(self, code: str) -> None:
        """A call of the Workload API was refused with that status of gRPC."""
        add(self._denials, code)

    def stranger_refused(self) -> None:
        """Somebody may not use the Workload API, or there were too many connections."""
        add(self._strangers)

    def _sources(self) -> dict[Key, float]:
        return {(each,): float(each == self._source) for each in (CONTROL_PLANE, STORED, NOWHERE)}

    def _counter(self, name: str, text: str, *labels: str) -> Family:
        return self._family(f"{name}_total", "counter", text, labels)

    def _family(self, name: str, kind: Kind, text: str, labels: Key) -> Family:
        family = Family(f"meshext_sidecar_{name}", kind, labels, text)
        self._families.append(family)
        return family


def single(value: Callable[[], float]) -> Numbers:
    """The numbers of a gauge without labels."""
    return lambda: {(): value()}


def add(family: Family, *key: str) -> None:
    """Count up."""
    family.numbers[key] = family.numbers.get(key, 0) + 1
