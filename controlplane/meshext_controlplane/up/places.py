"""Where a mesh on this machine keeps its things.

STATE/controlplane/         the control plane's state, with its socket
STATE/sidecars/NODE/        one sidecar's key, certificate and sockets
STATE/logs/NODE.log         what each process has written
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LONGEST = 40  # bytes: the path of a Unix socket has 107, with names of workloads and files in it


@dataclass(frozen=True, slots=True)
class Places:
    """Folders. `state` is where they are, `short` another name of it that leaves room for sockets."""

    state: Path
    short: Path

    @property
    def control_plane(self) -> Path:
        """The control plane's state."""
        return self.short / "controlplane"

    @property
    def sidecars(self) -> Path:
        """One folder for each sidecar."""
        return self.short / "sidecars"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.state / "logs"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.logs / f"{name}.log"


@contextmanager
def made_places(state: Path) -> Iterator[Places]:
    """The folders (mode 0700), and a short name for them as long as this lasts."""
    whole = Path(os.path.abspath(state))
    for each in (whole, whole / "logs", whole / "sidecars"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(os.fsencode(whole)) <= LONGEST:
        yield Places(whole, whole)
        return
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mx-", dir="/tmp"))
        link = Path(folder) / "s"
        link.symlink_to(whole, target_is_directory=True)
        yield Places(whole, link)
