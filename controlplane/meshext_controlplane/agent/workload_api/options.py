"""What a sidecar is told of the Workload API that it offers."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadApiOptions:
    """Where applications find it, and which users may use it beside our own.

    `listening` is the socket where it was made before we became the user that we are, else None.
    """

    path: Path
    users: tuple[int, ...] = ()
    listening: socket.socket | None = None
