"""What `meshext demo` shows, on a terminal and without one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from meshext_controlplane.cli.demo_table import Board, plain_lines, print_call, render
from meshext_controlplane.demo.certificates import Life
from meshext_controlplane.demo.claims.stage import Stage
from tests.controlplane.demo.test_tally import CUSTOMERS, NO_ADMIN, SENT, VISIT

MESH: Any = SimpleNamespace(
    instances=[SimpleNamespace(proxy="http://127.1.0.2:15001")],
    state=Path("/state/controlplane"),
    documents=Path("/shop/mesh"),
)


@pytest.fixture
def board() -> Board:
    """An hour in the shop; somebody writes what moves cursors."""
    board = Board(cast(Stage, SimpleNamespace(mesh=MESH)))
    for subset, count in (("v1", 68), ("v2", 32)):
        for _ in range(count):
            cluster = f"outbound|80|{subset}|recommendation.shop.svc.cluster.local"
            board.tally.add(replace(SENT, node="storefront.shop", cluster=cluster))
    for number in range(100):
        board.tally.add(replace(VISIT, duration=number / 10_000))
    for details, code in ((NO_ADMIN, 403), ("rate_limited", 429), ("rate_limited", 429)):
        board.tally.add(replace(VISIT, details=details, code=code, cluster=""))
    board.tally.add(
        replace(SENT, authority="evil\x1b[2J[red]", details="direct_response", code=502, cluster="")
    )
    board.lives = [Life("storefront.shop", "1f33dff6", 86_340.0, 86_400.0), Life("checkout.shop", "", 0, 0)]
    return board


def test_on_a_terminal(board: Board, golden: Callable[[str, str], None]) -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(render(board))
    shown = cast(io.StringIO, console.file).getvalue()
    golden("\n".join(line.rstrip() for line in shown.splitlines()) + "\n", "terminal.txt")


def test_without_one(board: Board, golden: Callable[[str, str], None]) -> None:
    golden("\n".join(plain_lines(board)) + "\n", "plain.txt")


def test_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    print_call(replace(VISIT, details=NO_ADMIN, code=403, filters={"telemetry": {"route": "/"}}))
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["code"], told["inbound"]) == ("call", 403, True)
    assert told["peer"] == CUSTOMERS
    assert told["refused_by"] == "AuthorizationPolicy shop/no-admin"
    assert told["filters"] == {"telemetry": {"route": "/"}}
