"""A filter for `test_metrics.py`: every way to record."""

from __future__ import annotations

from meshext import Counter, Filter, Gauge, Histogram, Request
from meshext.metrics import BoundCounter


class Metered(Filter):
    name = "metered"

    requests = Counter("requests_total", labels=("path", "kind"), most=6, most_values={"path": 2})
    open = Gauge("open_now", labels=("kind",), most_values={"kind": 1})
    sizes = Histogram("sizes_bytes", labels=("kind",))
    plain = Counter("plain_total")

    def __init__(self) -> None:
        self.refused: list[str] = []

    def on_request(self, request: Request[None]) -> None:
        path = request.headers.get("x-path", "")
        kind = request.headers.get("x-kind", "")
        self.requests.inc(path=path, kind=kind)
        series: BoundCounter = self.requests.at((path, kind))
        series.inc(2)
        self.open.at([kind]).set(len(path))
        self.open.inc(2, kind=kind)
        self.sizes.at((kind,)).observe(1.5)
        self.plain.at(()).inc()
        try:
            series.inc(path=path)
        except ValueError as error:
            request.headers["x-twice"] = str(error)
        try:
            self.requests.at((path,))
        except ValueError as error:
            request.headers["x-few"] = str(error)
