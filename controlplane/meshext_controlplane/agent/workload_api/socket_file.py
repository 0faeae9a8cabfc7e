"""The Unix socket of the Workload API: made before anybody looks for it, and never in the place of a file."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Collection
from pathlib import Path

from meshext_controlplane.agent.errors import DirectoryError

NAME = "workload.sock"
"""In the sidecar's folder, where nothing else is said."""

VARIABLE = "SPIFFE_ENDPOINT_SOCKET"
"""By which applications find it: SPIFFE_Workload_Endpoint.md, section 4."""

LONGEST = 107  # bytes, Linux's sockaddr_un less the final NUL
WAITING = 64  # connections that nobody has taken yet


def to_uri(path: Path) -> str:
    """As `VARIABLE` has it."""
    return f"unix://{path.absolute()}"


def listen(path: Path, *, users: Collection[int] = (), owner: int | None = None) -> socket.socket:
    """A socket that listens at `path`, whose folder is made where it is missing.

    It belongs to `owner` (None: our own user) and has mode 0600. Where others may connect too it is open to
    all, and who it is has to be asked for each connection (`callers`). DirectoryError where something else
    is there, or somebody listens.
    """
    if len(os.fsencode(path)) > LONGEST:
        raise DirectoryError(f"{str(path)!r} is too long for a socket: give at most {LONGEST} bytes")
    others = set(users) - {os.geteuid() if owner is None else owner}
    made = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(mode=0o755 if others else 0o700, parents=True, exist_ok=True)
        _make_way(path)
        _bind(made, path)
        if others:
            path.chmod(0o666)
        if owner is not None:  # last: who has given a file away may not change it without CAP_FOWNER
            os.chown(path, owner, -1)
        made.listen(WAITING)
    except OSError as error:
        made.close()
        raise DirectoryError(f"can not listen on {str(path)!r}: {error.strerror}") from None
    except DirectoryError:
        made.close()
        raise
    made.setblocking(False)
    return made


def _make_way(path: Path) -> None:
    """Remove the socket of a sidecar that was killed, and nothing else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise DirectoryError(f"{str(path)!r} is there already and is no socket: give another path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise DirectoryError(f"somebody listens on {str(path)!r} already: give another path, or stop that one")


def _bind(made: socket.socket, path: Path) -> None:
    before = os.umask(0o177)  # from the first moment on nobody else can open it
    try:
        made.bind(str(path))
    finally:
        os.umask(before)
