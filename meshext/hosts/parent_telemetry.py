"""Metrics in the process above the workers: one total, on a port for Prometheus and over OTLP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from concurrent.futures import TimeoutError as Late
from typing import TYPE_CHECKING

from meshext.errors import ListenError
from meshext.hosts.address import explain, parse_address
from meshext.hosts.options import ServiceOptions
from meshext.hosts.parent_loop import ParentLoop

if TYPE_CHECKING:
    from meshext.telemetry.hub import MetricsHub
    from meshext.telemetry.otel_metrics import OtelTotals
    from meshext.telemetry.parent_metrics import ParentMetrics

log = logging.getLogger("meshext.supervisor")

PARTING = 2.0  # seconds for the last export


class ParentTelemetry:
    """Nothing at all without `--metrics` and `--otel`. `counts` is what the supervisor counts in itself."""

    def __init__(self, options: ServiceOptions, loop: ParentLoop) -> None:
        self._options = options
        self._loop = loop
        self._hub: MetricsHub | None = None
        self._totals: OtelTotals | None = None
        self.counts: ParentMetrics | None = None

    def start(self) -> None:
        """Listen; raises ListenError, and MissingExtraError or OptionError for `--otel`."""
        if not (self._options.metrics or self._options.otel):
            return
        from meshext.telemetry.hub import MetricsHub
        from meshext.telemetry.parent_metrics import ParentMetrics

        self.counts = ParentMetrics()
        self._hub = MetricsHub(self.counts.families)
        if self._options.otel:
            self._start_otel(self._hub)
        if self._options.metrics:
            from meshext.telemetry.endpoint import MetricsEndpoint

            listening = bind_metrics(self._options.metrics)
            host, port = listening.getsockname()[:2]
            self._loop.spawn(MetricsEndpoint(self._hub.gather).serve(listening))
            shown = f"[{host}]" if ":" in host else host
            log.info("metrics are at http://%s:%d/metrics", shown, port)

    def adopt(self, channel: socket.socket) -> None:
        """Listen to one more worker until it is gone."""
        if self._hub is None:
            channel.close()
        else:
            self._loop.serve(self._hub.serve, channel)

    def stop(self) -> None:
        """Export for the last time; the loop still runs."""
        if self._totals is not None:
            last = self._loop.call(self._totals.export())
            with contextlib.suppress(Late, asyncio.CancelledError):
                last.result(PARTING)
            self._totals.close()  # or its thread would hold this process until the collector is back

    def _start_otel(self, hub: MetricsHub) -> None:
        from meshext.telemetry.otel import check_otel, describe_process, open_metric_exporter

        check_otel()
        exporter = open_metric_exporter()
        if exporter is not None:
            from meshext.telemetry.otel_metrics import OtelTotals

            self._totals = OtelTotals(hub, exporter, describe_process())
            self._loop.spawn(self._totals.run())


def bind_metrics(text: str) -> socket.socket:
    """A listening socket for the metrics port; ListenError where that is not possible."""
    address = parse_address(text)
    if address.path:
        raise ListenError(f"--metrics {text!r}: Prometheus reads over TCP; write HOST:PORT")
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except (OSError, ValueError) as error:
        raise ListenError(f"--metrics {explain(address, error)}") from error
