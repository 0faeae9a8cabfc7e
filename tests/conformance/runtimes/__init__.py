"""Where cases run."""

from __future__ import annotations

from typing import Protocol

from tests.conformance.case import Case, Result


class Runtime(Protocol):
    """One of them; `mode` is what the plan is made for."""

    mode: str

    def run(self, case: Case) -> Result:
        """What became of the case."""
