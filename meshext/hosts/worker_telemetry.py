"""What a worker measures and traces, if anybody asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext.engine.chain import Chain
from meshext.engine.observer import Observer
from meshext.hosts.options import ServiceOptions

if TYPE_CHECKING:
    from meshext.telemetry.families import Family
    from meshext.telemetry.host_metrics import HostMetrics
    from meshext.telemetry.otel import WorkerOtel
    from meshext.telemetry.reporter import MetricsReporter


class WorkerTelemetry:
    """Nothing at all without `--metrics` and `--otel`: no observer, no import.

    `begin` before filters are loaded, `observe` once they are, `start` and `close` around the service on its
    loop, `stop` at the very end. `descriptor` is the inherited socket to the parent's MetricsHub.
    """

    def __init__(self, options: ServiceOptions, descriptor: int) -> None:
        self._options = options
        self._descriptor = descriptor
        self._counts: HostMetrics | None = None
        self._otel: WorkerOtel | None = None
        self._reporter: MetricsReporter | None = None

    @property
    def on_call(self) -> Callable[[str, float, bool], None] | None:
        """For `open_store`: told of every call of the store."""
        return None if self._counts is None else self._counts.store_called

    def begin(self) -> None:
        """Set up what filters may already use while they are loaded."""
        if self._options.metrics or self._options.otel:
            from meshext.telemetry.host_metrics import HostMetrics

            self._counts = HostMetrics()
        if self._options.otel:
            from meshext.telemetry.otel import WorkerOtel

            self._otel = WorkerOtel()
            self._otel.start()

    def observe(self, chain: Chain) -> Observer | None:
        """The observer for the service of this chain; None where nobody wants to know."""
        counts = self._counts
        if counts is None:
            return None
        from meshext.telemetry.families import filter_families
        from meshext.telemetry.reporter import MetricsReporter

        def of_filters() -> list[Family]:
            return filter_families([(mount.needs.name, mount.instance._metrics) for mount in chain.mounts])

        counts.know(chain.needs)
        self._reporter = MetricsReporter(self._descriptor, [counts.families, of_filters])
        if self._otel is None:
            return counts
        from meshext.telemetry.tracing import TracingObserver

        return TracingObserver([needs.name for needs in chain.needs], counts)

    async def start(self) -> None:
        """Begin to report to the parent."""
        if self._reporter is not None:
            await self._reporter.start()

    async def close(self) -> None:
        """Report for the last time, once no exchange is open any more."""
        if self._reporter is not None:
            await self._reporter.close()

    def stop(self) -> None:
        """Send the spans that are left; the event loop need not run any more."""
        if self._otel is not None:
            self._otel.stop()
