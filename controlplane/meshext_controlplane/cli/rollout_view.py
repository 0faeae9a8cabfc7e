"""How a rollout goes, as a table in place on a terminal, a line for each change elsewhere, or JSON."""

from __future__ import annotations

import json as json_text
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from meshext.cli.output import RED, paint
from meshext.printable import printable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from meshext_controlplane.rollout.judging import Reading
    from meshext_controlplane.rollout.pilot import Standing
    from meshext_controlplane.rollout.running import Sight

HEADINGS = ("SINCE", "WEIGHT", "CANARY", "FAILED", "LATENCY", "STABLE", "FAILED", "LATENCY", "")
GREEN = 32  # SGR
NOTHING = "-"
WORDS = {"hold": "holds", "forward": "goes on", "done": "has everything", "back": "goes back"}


class View:
    """Shows it while its context is open. `quantile` is which latency was asked for."""

    def __init__(self, name: str, quantile: float, *, json: bool) -> None:
        self._name = name
        self._quantile = quantile
        self._json = json
        self._rows: dict[float, Sight] = {}
        self._live: Live | None = None
        self._told = ""

    def __enter__(self) -> Self:
        if not self._json and sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(auto_refresh=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def began(self, standing: Standing, *, resumed: bool) -> None:
        """The first weight is in force, or the one that was found."""
        word = "resumed" if resumed else "began"
        self._tell({"event": word, "weight": standing.weight}, f"{word} at {standing.weight}%")

    def interrupted(self, standing: Standing) -> None:
        """Nobody watches any more."""
        told = f"interrupted; the weight stays at {standing.weight}%: run it again to go on, or with --abort"
        self._tell({"event": "interrupted", "weight": standing.weight}, told)

    def show(self, sight: Sight) -> None:
        """One turn."""
        self._rows[sight.standing.since] = sight
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        order = sight.order
        if self._json:
            self._tell(to_plain(sight), "")
        elif self._live is None or order.move not in ("hold", "forward"):
            told = f"{sight.standing.weight}%: the canary {WORDS[order.move]}: {order.reason}"
            if order.move != "hold" or told != self._told:
                self._told = told
                colour = RED if order.move == "back" else GREEN if order.move == "done" else None
                line = printable(f"{self._name} {told}")
                print(line if colour is None else paint(line, colour, sys.stdout), flush=True)

    def _tell(self, plain: dict[str, Any], text: str) -> None:
        if self._json:
            print(json_text.dumps({"virtual_service": self._name, **plain}), flush=True)
        else:
            print(printable(f"{self._name} {text}"), flush=True)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=printable(f"{self._name}, latency: quantile {self._quantile:g}"), box=None)
        for heading in HEADINGS:
            table.add_column(heading, justify="left" if heading in ("SINCE", "") else "right")
        for sight in self._rows.values():
            style = {"back": "red", "done": "green"}.get(sight.order.move, "")
            table.add_row(*map(Text, to_cells(sight)), style=style)
        return table


def to_cells(sight: Sight) -> tuple[str, ...]:
    """A row of the table."""
    since = datetime.fromtimestamp(sight.standing.since, UTC).astimezone().strftime("%H:%M:%S")
    seen = sight.readings
    both = (NOTHING,) * 6 if seen is None else (*cells_of(seen.canary), *cells_of(seen.stable))
    told = printable(f"{WORDS[sight.order.move]}: {sight.order.reason}")
    return (since, f"{sight.standing.weight}%", *both, told)


def cells_of(reading: Reading) -> tuple[str, str, str]:
    """Requests, failed, latency."""
    latency = NOTHING if reading.latency is None else f"{reading.latency * 1000:.1f} ms"
    return f"{reading.requests:.0f}", f"{reading.share:.1%}", latency


def to_plain(sight: Sight) -> dict[str, Any]:
    """One turn for machines; latencies in seconds."""
    seen = sight.readings
    return {
        "event": sight.order.move.value,
        "at": datetime.fromtimestamp(sight.at, UTC).isoformat(),
        "weight": sight.standing.weight,
        "next_weight": sight.order.weight,
        "reason": sight.order.reason,
        "canary": None if seen is None else plain_of(seen.canary),
        "stable": None if seen is None else plain_of(seen.stable),
    }


def plain_of(reading: Reading) -> dict[str, float | None]:
    """One version."""
    return {"requests": reading.requests, "errors": reading.errors, "latency": reading.latency}
