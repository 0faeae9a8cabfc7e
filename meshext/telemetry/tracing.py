"""A span for each exchange, through the OpenTelemetry API: a child of Envoy's, sampled as the caller decided.

Where Envoy traces, its call to us carries the context in gRPC initial metadata, in both modes, with its own
decision; where it does not, the client's `traceparent` is in the request's headers. The context is active in
every hook, so a filter's own spans and the clients it uses continue the trace.

    span          `meshext authz` or `meshext proc`, kind server
    attributes    meshext.filters, meshext.request_id, meshext.decision, meshext.filter (the one that
                  decided), http.response.status_code
    child spans   `<filter> <hook>` for hooks that failed, with the exception, or took 5 ms and more; the
                  first 32 of them
    status        error where a hook failed or the exchange did not end in order
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, Tracer

from meshext.engine.current import TRACE
from meshext.engine.observer import InitialMetadata, Mode, Observer, Outcome, Sighting
from meshext.errors import FilterFailure
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.needs import Hook

SLOW = 0.005  # seconds from which on a hook has a span of its own
MOST_HOOKS = 32  # spans of hooks in one exchange: a body of many chunks runs many
BAD = frozenset({"passed_open", "failed_closed", "reset", "refused", "broken"})
NANO = 1_000_000_000


class FieldsGetter(Getter[Mapping[str, list[str]]]):
    """Reads a carrier with the lines of each name."""

    def get(self, carrier: Mapping[str, list[str]], key: str) -> list[str] | None:
        """The values of a name."""
        return carrier.get(key)

    def keys(self, carrier: Mapping[str, list[str]]) -> list[str]:
        """All names."""
        return list(carrier)


FIELDS = FieldsGetter()


class TracingObserver:
    """The Observer that traces; `inner`, if any, is told everything first."""

    def __init__(
        self, filters: Sequence[str], inner: Observer | None = None, *, tracer: Tracer | None = None
    ) -> None:
        self.tracer = tracer or trace.get_tracer("meshext")
        self.filters = tuple(filters)
        self._inner = inner
        self._propagator = propagate.get_global_textmap()
        self._fields = frozenset(self._propagator.fields)

    def begin(self, mode: Mode, metadata: InitialMetadata) -> TracedSighting:
        """See `Observer.begin`."""
        inner = None if self._inner is None else self._inner.begin(mode, metadata)
        return TracedSighting(self, mode, tuple(metadata or ()), inner)

    def shed(self, mode: Mode, reason: str) -> None:
        """See `Observer.shed`; what is not read is not traced."""
        if self._inner is not None:
            self._inner.shed(mode, reason)

    def extract(self, pairs: Iterable[tuple[str, str | bytes]]) -> Context | None:
        """The context that gRPC metadata or header lines carry; None where they carry none.

        A traceparent that is there twice is none (W3C Trace Context 3.2); a tracestate may have several
        lines.
        """
        fields = self._fields
        carrier: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in fields and value:
                carrier.setdefault(name, []).append(to_text(value))
        if not carrier or len(carrier.get("traceparent", ())) > 1:
            return None
        context = self._propagator.extract(carrier, Context(), FIELDS)
        return context if trace.get_current_span(context).get_span_context().is_valid else None


class TracedSighting:
    """One exchange and its span: it begins with the call, and is made when the request's headers are here."""

    __slots__ = ("_began", "_context", "_hooks", "_inner", "_metadata", "_mode", "_observer", "_span")

    def __init__(
        self, observer: TracingObserver, mode: Mode, metadata: tuple[Any, ...], inner: Sighting | None
    ) -> None:
        self._observer = observer
        self._mode = mode
        self._metadata = metadata
        self._inner = inner
        self._began = time.time_ns()
        self._hooks = 0
        self._span: Span | None = None
        self._context: Context | None = None

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        """See `Sighting.request`: from here on the span is the current one of this task."""
        if self._inner is not None:
            self._inner.request(lines, surroundings)
        self._start(lines, surroundings.request_id)

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        """See `Sighting.hook`."""
        if self._inner is not None:
            self._inner.hook(name, hook, seconds, failure)
        if (failure is None and seconds < SLOW) or self._span is None or not self._span.is_recording():
            return
        self._hooks += 1
        if self._hooks <= MOST_HOOKS:
            self._tell_hook(name, hook, seconds, failure)

    def _tell_hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        now = time.time_ns()
        child = self._observer.tracer.start_span(
            f"{name} {hook.value}",
            context=self._context,
            start_time=now - int(seconds * NANO),
            attributes={"meshext.filter": name, "meshext.hook": hook.value},
        )
        if failure is not None:
            child.record_exception(failure.__cause__ or failure, timestamp=now)
            child.set_attribute("error.type", failure.kind)
            child.set_status(Status(StatusCode.ERROR, str(failure)))
        child.end(now)

    def end(self, outcome: Outcome) -> None:
        """See `Sighting.end`."""
        if self._inner is not None:
            self._inner.end(outcome)
        # Without a context no filter saw it: Envoy's own answer, or a call that was taken back at once.
        if self._context is None and outcome.decision in BAD:
            self._start((), "")
        if self._span is not None:
            tell(self._span, outcome)
            self._span.end()

    def _start(self, lines: Lines, request_id: str) -> None:
        """Begin the span; where the caller does not want this trace, only its context is passed on."""
        parent = self._observer.extract(self._metadata) or self._observer.extract(lines) or Context()
        caller = trace.get_current_span(parent).get_span_context()
        if caller.is_valid and not caller.trace_flags.sampled:
            self._enter(parent, caller)
            return
        self._span = self._observer.tracer.start_span(
            f"meshext {self._mode}",
            context=parent,
            kind=SpanKind.SERVER,
            start_time=self._began,
            attributes={"meshext.filters": self._observer.filters, "meshext.request_id": request_id},
        )
        self._enter(trace.set_span_in_context(self._span, parent), self._span.get_span_context())

    def _enter(self, context: Context, current: SpanContext) -> None:
        """Make it the context of this exchange's task, which ends with it."""
        self._context = context
        attach(context)
        TRACE.set(trace.format_trace_id(current.trace_id))


def tell(span: Span, outcome: Outcome) -> None:
    """Put on a span how its exchange ended."""
    if not span.is_recording():
        return
    said: dict[str, str | int] = {"meshext.decision": outcome.decision}
    if outcome.filter:
        said["meshext.filter"] = outcome.filter
    if outcome.status:
        said["http.response.status_code"] = outcome.status
    span.set_attributes(said)
    if outcome.decision in BAD:
        span.set_status(Status(StatusCode.ERROR, outcome.decision))


def to_text(value: str | bytes) -> str:
    """A header's value as the propagators take it; they refuse what is none of theirs."""
    return value if isinstance(value, str) else value.decode("latin-1")
