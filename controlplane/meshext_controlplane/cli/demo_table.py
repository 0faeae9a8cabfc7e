"""What happens in the shop: a live table on a terminal, plain tables and JSON elsewhere."""

from __future__ import annotations

import asyncio
import json as json_text
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshext.cli.output import format_table
from meshext.printable import printable
from meshext_controlplane.demo.certificates import Life, read_lives
from meshext_controlplane.demo.claims.stage import Stage
from meshext_controlplane.demo.tally import ALLOWED, Row, Tally

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from meshext_controlplane.tap.calls import Call

REFRESH = 0.5  # seconds
PLAIN = 10.0  # seconds between two plain tables
CERTIFICATES = 10.0  # seconds between two looks at certificates
HEADINGS = ("FROM", "TO", "CALLS", "OUTCOME", "STATUS", "MEDIAN", "P99")
WANTED = {"v1": 0.7, "v2": 0.3}  # mesh/filters.yaml
BAR = 30  # characters


@dataclass(slots=True)
class Board:
    """What is shown: totals, and certificates as they were seen last."""

    stage: Stage
    tally: Tally = field(default_factory=Tally)
    lives: Sequence[Life] = ()

    async def follow_certificates(self) -> None:
        """Look again and again."""
        while True:
            self.lives = await read_lives(self.stage.mesh.instances)
            await asyncio.sleep(CERTIFICATES)


async def show_table(stage: Stage, *, json: bool) -> None:
    """Show it until cancelled, or until every workload is done."""
    board = Board(stage)
    stage.watch.tell(lambda call: print_call(call) if json else board.tally.add(call))
    showing = [asyncio.create_task(board.follow_certificates())]
    if not json:
        show = show_live if sys.stdout.isatty() else show_plain
        showing.append(asyncio.create_task(show(board)))
    try:
        await stage.mesh.wait()
    finally:
        for each in showing:
            each.cancel()
        await asyncio.gather(*showing, return_exceptions=True)


def print_call(call: Call) -> None:
    """One call for machines."""
    plain = {name: value for name, value in asdict_call(call).items() if value not in ("", {})}
    print(json_text.dumps({"event": "call", **plain}), flush=True)


def asdict_call(call: Call) -> dict[str, object]:
    """A call's fields and what follows from them."""
    names = "node start duration method authority path code details peer server client cluster".split()
    found: dict[str, object] = {name: getattr(call, name) for name in names}
    filters = {name: dict(written) for name, written in call.filters.items()}
    return {**found, "refused_by": call.refused_by, "inbound": call.inbound, "filters": filters}


async def show_live(board: Board) -> None:
    """The table in place, twice a second."""
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            live.update(render(board), refresh=True)
            await asyncio.sleep(REFRESH)


async def show_plain(board: Board) -> None:
    """Tables one below the other."""
    while True:
        await asyncio.sleep(PLAIN)
        print("\n".join(plain_lines(board)), flush=True)


def render(board: Board) -> RenderableType:
    """Everything for a terminal."""
    from rich.columns import Columns
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    limited = board.tally.refused_by("rate-limit")
    first = next(iter(board.stage.mesh.instances))
    tries = Text.assemble(
        ("try  ", "bold"),
        f"curl -x {first.proxy} http://storefront.shop/recommendations -H 'x-user: you'\n     ",
        f"meshext proxy-status --state {board.stage.mesh.state}\n     ",
        f"edit {board.stage.mesh.documents}/*.yaml: what you save is in force at once",
    )
    split = "\n".join(split_lines(board.tally)) or "no answer yet"
    lives = "\n".join(life_lines(board.lives)) or "..."
    return Group(
        render_rows(board.tally.rows()),
        Columns(
            [
                Panel(Text(split), title="recommendation, by ab-routing"),
                Panel(Text(f"{limited} orders"), title="refused by rate-limit"),
                Panel(Text(lives), title="certificates"),
            ]
        ),
        tries,
    )


def render_rows(rows: Sequence[Row]) -> Table:
    """Who called whom; what was refused is red. Cells are text, as `[...]` in a string would be markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, expand=True)
    for heading in HEADINGS:
        right = heading in ("CALLS", "MEDIAN", "P99")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row_cells(row)), style="" if row.outcome == ALLOWED else "red")
    return table


def plain_lines(board: Board) -> Iterator[str]:
    """Everything without colours."""
    yield ""
    yield from format_table([HEADINGS, *map(row_cells, board.tally.rows())])
    yield ""
    yield from split_lines(board.tally)
    yield from life_lines(board.lives)


def row_cells(row: Row) -> tuple[str, ...]:
    """One row in cells."""
    codes = ", ".join(f"{code} x {count}" for code, count in row.codes)
    cells = row.caller, row.called, str(row.count), row.outcome, codes
    return (*map(printable, cells), f"{row.median * 1000:.1f} ms", f"{row.slow * 1000:.1f} ms")


def split_lines(tally: Tally) -> Iterator[str]:
    """A bar for each version, and the share that it should have."""
    for name, count, share in tally.shares():
        bar = "#" * round(share * BAR)
        wanted = f", wanted {WANTED[name]:.0%}" if name in WANTED else ""
        yield printable(f"{name} {bar:{BAR}} {share:.1%} of {tally.versions.total()} ({count}{wanted})")


def life_lines(lives: Sequence[Life]) -> Iterator[str]:
    """How long each certificate lives."""
    for each in lives:
        hours, minutes = divmod(round(each.left / 60), 60)
        left = f"{hours} h {minutes:02} min left" if each.whole else "none"
        yield printable(f"{each.node:26} {each.serial:8} {left}")
