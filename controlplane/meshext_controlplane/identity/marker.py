"""A note outside the state that a control plane has run: an empty state is then a loss and no beginning."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshext_controlplane.identity.errors import AuthorityError
from meshext_controlplane.state.syncing import sync

LARGEST = 65536  # bytes


@dataclass(frozen=True, slots=True)
class Marker:
    """`roots` are the SHA-256 fingerprints of the roots that the control plane had when it last started."""

    state: str
    roots: tuple[str, ...]


def default_marker(folder: Path) -> Path:
    """Beside the state's folder: `/var/lib/meshext` has `/var/lib/meshext.has-run`."""
    whole = folder.absolute()
    return whole.with_name(f"{whole.name or 'meshext'}.has-run")


def read_marker(path: Path) -> Marker | None:
    """The note; None where there is none. AuthorityError where the file is something else."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(LARGEST))
        return Marker(str(data["state"]), tuple(map(str, data["roots"])))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuthorityError(f"the marker {path} can not be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise AuthorityError(f"{path} is no marker of meshext: name another file (--marker)") from error


def write_marker(path: Path, state: Path, roots: Sequence[str]) -> None:
    """Write the note, so that it is there or not; nothing is done where it says the same already."""
    note = Marker(str(state.absolute()), tuple(roots))
    if path.exists() and read_marker(path) == note:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = json.dumps({"state": note.state, "roots": note.roots}, indent=2)
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        sync(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise AuthorityError(
            f"the marker {path} can not be written: {error.strerror}; name another place (--marker)"
        ) from error
