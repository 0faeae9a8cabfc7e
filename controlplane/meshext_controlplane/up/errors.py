"""What can go wrong with a mesh on this machine."""

from __future__ import annotations

from meshext.errors import MeshextError


class UpError(MeshextError):
    """The mesh can not start, or a part that it needs has ended; the text says which and why."""

    exit_code = 1


class FolderError(MeshextError):
    """What is written for a mesh is wrong: one line for each mistake, with file, line and path."""
