"""The metrics, named as OpenTelemetry's semantic conventions for HTTP servers name them.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, with the names and units that Prometheus
shows. `http_server_requests_total` and `http_server_request_errors_total` are none of the conventions': the
first one works without a response, the second one saves a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, Self, TypeVar

from meshext import Counter, Filter, Gauge, Histogram
from meshext.metrics import BoundCounter, BoundGauge, BoundHistogram
from meshext_filters.telemetry.cardinality import SeriesCap
from meshext_filters.telemetry.config import REQUEST_LABELS, RESPONSE_LABELS, Measured, TelemetryConfig

SIZES = (0.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0, 100_000_000.0)  # bytes
ACTIVE_LABELS = ("http_request_method", "url_scheme")
OPEN = frozenset({"http_route"})
"""Labels of ours whose values are open: the others have a handful."""

HELP: Mapping[Measured, str] = {
    "requests": "Requests, counted as they come.",
    "errors": "Requests that ended in 5xx, in an error of gRPC, or without a response.",
    "duration": "Duration of HTTP server requests.",
    "active": "Number of active HTTP server requests.",
    "request_size": "Size of HTTP server request bodies.",
    "response_size": "Size of HTTP server response bodies.",
}

Exemplar = Mapping[str, str] | None


class Recorder(Protocol):
    """A metric, or one series of it."""

    def at(self, values: Sequence[str | int | bool]) -> Self:
        """One series."""


R = TypeVar("R", bound=Recorder)


class Capped(Generic[R]):
    """A metric whose series are bounded and made once."""

    def __init__(self, bound: R, labels: Sequence[str], most: int, tags: frozenset[str]) -> None:
        self._bound = bound
        self._cap = SeriesCap([label in OPEN or label in tags for label in labels], most)
        self._made: dict[tuple[str, ...], R] = {}

    def at(self, values: tuple[str, ...]) -> R:
        """The series of these label values, or the one that they are counted under."""
        made = self._made.get(values)
        if made is None:
            place = self._cap.place(values)
            made = self._made.get(place)
            if made is None:
                made = self._made[place] = self._bound.at(place)
        return made


class Measures:
    """The metrics of one configured filter; those that it does not measure are None.

    `early` are the labels that tags of the request make, `late` those of the response.
    """

    def __init__(
        self, owner: Filter, config: TelemetryConfig, early: Sequence[str], late: Sequence[str]
    ) -> None:
        self._owner = owner
        self._config = config
        self._most = config.max_series - 1  # and one for all others
        self._tags = frozenset((*early, *late))
        self._caps = {
            tag.label: tag.max_values for tag in config.tags if tag.label in self._tags and not tag.values
        }
        self._early = (*REQUEST_LABELS, *early)
        self._all = (*self._early, *RESPONSE_LABELS, *late)
        self.requests = self._counter("requests", "http_server_requests_total", self._early)
        self.errors = self._counter("errors", "http_server_request_errors_total", self._all)
        self.active = self._active()
        self.duration = self._histogram("duration", "http_server_request_duration_seconds", config.buckets)
        self.request_size = self._histogram("request_size", "http_server_request_body_size_bytes", SIZES)
        self.response_size = self._histogram("response_size", "http_server_response_body_size_bytes", SIZES)

    def _counter(self, wanted: Measured, name: str, labels: tuple[str, ...]) -> Capped[BoundCounter] | None:
        if wanted not in self._config.metrics:
            return None
        caps = {label: most for label, most in self._caps.items() if label in labels}
        metric = Counter(name, labels=labels, help=HELP[wanted], most=self._most, most_values=caps)
        return Capped(metric.of(self._owner), labels, self._config.max_series, self._tags)

    def _histogram(
        self, wanted: Measured, name: str, buckets: Sequence[float]
    ) -> Capped[BoundHistogram] | None:
        if wanted not in self._config.metrics:
            return None
        metric = Histogram(
            name,
            labels=self._all,
            help=HELP[wanted],
            buckets=buckets,
            most=self._most,
            most_values=self._caps,
        )
        bound = metric.of(self._owner)
        return Capped(bound, self._all, self._config.max_series, self._tags)

    def _active(self) -> Capped[BoundGauge] | None:
        if "active" not in self._config.metrics:
            return None
        gauge = Gauge("http_server_active_requests", labels=ACTIVE_LABELS, help=HELP["active"])
        return Capped(gauge.of(self._owner), ACTIVE_LABELS, self._config.max_series, self._tags)

    def begin(self, values: tuple[str, ...], exemplar: Exemplar) -> None:
        """A request has come."""
        if self.requests is not None:
            self.requests.at(values).inc(1, exemplar)
        if self.active is not None:
            self.active.at(values[:2]).inc()

    def end(
        self,
        values: tuple[str, ...],
        error: bool,
        seconds: float,
        sizes: tuple[int | None, int | None],
        exemplar: Exemplar,
    ) -> None:
        """An exchange is over; `sizes` are the bytes of request and response body, where they are known."""
        if self.active is not None:
            self.active.at(values[:2]).dec()
        if error and self.errors is not None:
            self.errors.at(values).inc(1, exemplar)
        if self.duration is not None:
            self.duration.at(values).observe(seconds, exemplar)
        if self.request_size is not None and sizes[0] is not None:
            self.request_size.at(values).observe(sizes[0], exemplar)
        if self.response_size is not None and sizes[1] is not None:
            self.response_size.at(values).observe(sizes[1], exemplar)
