"""The ledger of a run, and the table at its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from e2e.ways.ledger import Ledger

ledger = pytest.StashKey[Ledger]()


@pytest.fixture(scope="session")
def ways(request: pytest.FixtureRequest) -> Ledger:
    """What was tried so far."""
    return request.config.stash.setdefault(ledger, Ledger())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table: nobody has to look for it."""
    found = config.stash.get(ledger, None)
    if found is None:
        return
    terminalreporter.section("ways around a policy")
    table = "\n".join(found.lines())
    terminalreporter.write_line(table)
    if place := os.environ.get("MESHEXT_WAYS_TABLE"):
        Path(place).write_text(f"{table}\n", encoding="utf-8")
