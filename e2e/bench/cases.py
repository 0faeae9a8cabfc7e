"""What is compared with what: a table."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.bench.services import bare, ours
from meshext.plan import Mode

LARGE = bytes(range(32, 127)) * 1079  # 102,505 bytes


METRICS = "--metrics=127.0.0.1:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One thing under load: a service by its command line, or Envoy alone where there is none.

    `traced` gives it a collector to send its spans to; `threads` are Envoy's, each with connections of its
    own, since a connection stays with one worker.
    """

    name: str
    command: tuple[str, ...] = ()
    traced: bool = False
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Variants that meet the same requests in turn; `requests` are those of one round."""

    name: str
    mode: Mode
    decision: str
    requests: int
    body: bytes = b""
    options: bool = False

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Envoy alone, the yardstick, ours with its metrics on, and ours with other options."""
        return (
            Variant(name="alone"),
            Variant(name="bare", command=bare(self.mode, self.decision)),
            Variant(name="ours", command=ours(self.decision, METRICS)),
            *(self._others() if self.options else ()),
        )

    def _others(self) -> tuple[Variant, ...]:
        traced = ours(self.decision, METRICS, "--otel")
        return (
            Variant(name="bare, uvloop", command=bare(self.mode, self.decision, "--uvloop")),
            Variant(name="ours, no metrics", command=ours(self.decision)),
            Variant(name="ours, traced", command=traced, traced=True),
            Variant(name="bare, 2 Envoy threads", command=bare(self.mode, self.decision), threads=2),
            Variant(name="ours, 2 workers", command=ours(self.decision, METRICS, "--workers=2"), threads=2),
        )


CASES = (
    Case(name="authz, decide", mode="authz", decision="Gate", requests=6000, options=True),
    Case(name="authz, write a header", mode="authz", decision="Mark", requests=6000),
    Case(name="authz, 100 KB body", mode="authz", decision="Whole", requests=2000, body=LARGE),
    Case(name="proc, decide", mode="proc", decision="Gate", requests=5000, options=True),
    Case(name="proc, write a header", mode="proc", decision="Mark", requests=5000),
    Case(name="proc, both ways", mode="proc", decision="Both", requests=4000),
    Case(name="proc, 100 KB body buffered", mode="proc", decision="Whole", requests=2000, body=LARGE),
    Case(name="proc, 100 KB body streamed", mode="proc", decision="Pieces", requests=2000, body=LARGE),
)
