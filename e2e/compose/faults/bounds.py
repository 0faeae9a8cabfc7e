"""The faults, and what each may cost: one table, which the tests hold and people may read.

`failed` is how many requests may fail, at `RATE` a second; None where failing is what is asked for, so that
all of them must, from the moment it is noticed until it is mended. `seconds` is how long it may take until
nothing fails any more and all is as it was: from the fault where the mesh mends it by itself, else from the
moment that somebody mends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RATE = 20.0
"""Requests a second that each load sends, each on a connection of its own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What one fault may cost."""

    fault: str
    failed: int | None
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What it has cost."""

    fault: str
    sent: int
    failed: int
    seconds: float
    slowest: float
    let_through: int = 0


TABLE = (
    Bound("control plane killed for a minute", 0, 30, "Envoys go on with what they have"),
    Bound("Envoy killed, without a control plane", 60, 15, "its agent starts another one, from a file"),
    Bound("state lost, restored from a backup", 0, 60, "no empty configuration, and no second mesh"),
    Bound("route that Envoy refuses", 0, 10, "the last good one stays"),
    Bound("invalid document", 0, 5, "it never reaches a proxy"),
    Bound("Envoy killed", 60, 5, "its agent starts another one; until then nothing passes"),
    Bound("application restarted, one of two", 0, 10, "callers try the other one"),
    Bound("sidecar stopped and started, one of two", 0, 20, "it drains before it ends"),
    Bound("sidecar killed and started, one of two", 0, 20, "what was under way is tried elsewhere"),
    Bound("network of one of two cut", 0, 20, "silence is noticed, and the other one tried"),
    Bound("network of a caller cut", None, 15, "nobody hears it; its names and routes stay"),
    # Its Envoy is killed meanwhile, to have connections to make; an order under way is not tried again.
    Bound("clock an hour ahead", 5, 5, "certificates are good for a day"),
    Bound("clock an hour behind", 5, 5, "certificates begin an hour before they are made"),
    Bound("filter service killed", None, 15, "closed: no request without its filter"),
    Bound("filter service killed, one of two", 40, 6, "closed, until its sidecar notices"),
    Bound("filter beside its sidecar killed", 100, 10, "closed, until the agent has started another one"),
    Bound("Redis killed", None, 5, "closed: no request that nobody counts"),
)

BOUNDS = {each.fault: each for each in TABLE}


def find_breaches(bound: Bound, measured: Measured) -> Iterator[str]:
    """In what the fault has cost more than it may; nothing where it held."""
    if measured.sent == 0:
        yield "no request was sent: nothing was measured"
    if bound.failed is not None and measured.failed > bound.failed:
        yield f"{measured.failed} of {measured.sent} requests failed, {bound.failed} may"
    if bound.failed is None and measured.failed == 0:
        yield "no request failed, and all should have"
    if measured.let_through:
        yield f"{measured.let_through} requests were let through"
    if measured.seconds > bound.seconds:
        yield f"it took {measured.seconds:.1f} s to recover, and {bound.seconds:g} s is the limit"


HEAD = ("fault", "sent", "failed", "seconds", "slowest", "bound")


def to_row(measured: Measured) -> tuple[str, ...]:
    """One line for people."""
    bound = BOUNDS[measured.fault]
    failed = "all while broken" if bound.failed is None else f"{bound.failed} failed"
    return (
        measured.fault,
        str(measured.sent),
        str(measured.failed),
        f"{measured.seconds:.1f}",
        f"{measured.slowest:.2f}",
        f"{failed}, {bound.seconds:g} s",
    )


def format_rows(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Columns under one another: the first to the left, numbers to the right."""
    whole = [HEAD, *rows]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    for row in whole:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def to_page(table: Iterable[Bound] = TABLE) -> Iterator[str]:
    """The lines that README.md has of the table."""
    yield "| what breaks | requests that may fail | seconds | |"
    yield "|---|---|---|---|"
    for each in table:
        failed = "all, none is let through" if each.failed is None else f"{each.failed}"
        yield f"| {each.fault} | {failed} | {each.seconds:g} | {each.why} |"
