"""One control plane for one state: a lock on the folder that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from meshext_controlplane.state.errors import StateError, StateLocked

FILE = "lock"


class Ownership:
    """Held while a control plane runs, and while a state is put back. Commands that add to it need none."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"the state's lock {path} can not be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise StateLocked(
                f"the state in {folder} is in use by a control plane: stop that first"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let another one have it; a second time does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
