"""What the process above the workers measures.

| metric | labels | kind | what |
|---|---|---|---|
| `meshext_workers` | | gauge | workers that serve |
| `meshext_worker_ends_total` | `reason` | counter | workers that ended without being told to: `stuck` (killed for an overdue hook), `died` |
| `meshext_reloads_total` | `result` | counter | `applied`, or `refused` where the new code or configuration was wrong |
| `meshext_build_info` | `version`, `python` | gauge | 1 |

Counted by the supervisor's main thread and read by the one that answers Prometheus; all series are there
from the start, so no dict ever grows while another thread reads it.
"""  # noqa: E501  # a table

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from typing import Literal

from meshext.series import Key
from meshext.telemetry.families import Family

WORKERS = Family("meshext_workers", "gauge", (), "Workers that serve.")
ENDS = Family(
    "meshext_worker_ends_total", "counter", ("reason",), "Workers that ended without being told to."
)
RELOADS = Family(
    "meshext_reloads_total", "counter", ("result",), "Reloads of code and configuration, by result."
)
BUILD = Family("meshext_build_info", "gauge", ("version", "python"), "What runs here.")


class ParentMetrics:
    """Counts for the supervisor."""

    def __init__(self) -> None:
        self._ends: dict[Key, float] = {("stuck",): 0.0, ("died",): 0.0}
        self._reloads: dict[Key, float] = {("applied",): 0.0, ("refused",): 0.0}
        self._workers = 0.0
        self._build: dict[Key, float] = {(version("meshext"), platform.python_version()): 1.0}

    def workers(self, serving: int) -> None:
        """So many workers serve now."""
        self._workers = float(serving)

    def worker_ended(self, reason: Literal["stuck", "died"]) -> None:
        """A worker ended without being told to."""
        self._ends[(reason,)] += 1

    def reloaded(self, result: Literal["applied", "refused"]) -> None:
        """A reload was carried out, or its code or configuration was refused."""
        self._reloads[(result,)] += 1

    def families(self) -> list[Family]:
        """Everything as it stands."""
        return [
            replace(WORKERS, numbers={(): self._workers}),
            replace(ENDS, numbers=dict(self._ends)),
            replace(RELOADS, numbers=dict(self._reloads)),
            replace(BUILD, numbers=dict(self._build)),
        ]
