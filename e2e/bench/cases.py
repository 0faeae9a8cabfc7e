"""What is compared with what: a table."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.bench.services import bare, ours
from meshext.plan import Mode

LARGE = bytes(range(32, 127)) * 1079  # 102,505 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One thing under load: a service by its command line, or Envoy alone where there is none."""

    name: str
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Variants that meet the same requests in turn; `requests` are those of one round."""

    name: str
    mode: Mode
    decision: str
    requests: int
    body: bytes = b""
    more: tuple[Variant, ...] = ()

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Envoy alone, the yardstick, ours, and ours with options."""
        return (
            Variant(name="alone"),
            Variant(name="bare", command=tuple(bare(self.mode, self.decision))),
            Variant(name="ours", command=tuple(ours(self.decision))),
            *self.more,
        )


CASES = (
    Case(name="authz, decide", mode="authz", decision="Gate", requests=6000),
    Case(name="authz, write a header", mode="authz", decision="Mark", requests=6000),
    Case(name="authz, 100 KB body", mode="authz", decision="Whole", requests=1500, body=LARGE),
    Case(name="proc, decide", mode="proc", decision="Gate", requests=4000),
    Case(name="proc, write a header", mode="proc", decision="Mark", requests=4000),
    Case(name="proc, both ways", mode="proc", decision="Both", requests=3000),
    Case(name="proc, 100 KB body buffered", mode="proc", decision="Whole", requests=1500, body=LARGE),
)
