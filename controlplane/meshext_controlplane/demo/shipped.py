"""The shop's files as they ship, copied to where they may be changed."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from meshext_controlplane.up.folder import MESH, WORKLOADS

SHOP = Path(__file__).parent / "shop"
WATCHING = "watching.yaml"
ADDRESS, PORT = "127.1.255.254", 4317  # as mesh/watching.yaml has them


def copy_shop(folder: Path) -> str:
    """Workloads and documents into that folder; where the watcher is to listen, `HOST:PORT`.

    It is the place in the documents, or another one where that is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHOP / WORKLOADS, folder / WORKLOADS)
    shutil.copytree(SHOP / MESH, folder / MESH, dirs_exist_ok=True)
    address = find_free()
    file = folder / MESH / WATCHING
    file.write_text(file.read_text(encoding="utf-8").replace(ADDRESS, address), encoding="utf-8")
    return f"{address}:{PORT}"


def find_free() -> str:
    """The first address, from the one in the documents downwards, on which the port is free."""
    front, _, last = ADDRESS.rpartition(".")
    for number in range(int(last), 0, -1):
        with socket.socket() as probe:
            try:
                probe.bind((f"{front}.{number}", PORT))
            except OSError:
                continue
        return f"{front}.{number}"
    return ADDRESS
