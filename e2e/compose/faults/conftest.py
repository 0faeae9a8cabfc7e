"""What was measured, in one table at the end of a run."""

from __future__ import annotations

import pytest

from e2e.compose.faults.bounds import format_rows, to_row
from e2e.compose.faults.measuring import RESULTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The faults of this run, each with its figures and its bound."""
    if RESULTS:
        terminalreporter.section("faults")
        for line in format_rows(map(to_row, RESULTS)):
            terminalreporter.write_line(line)
