"""A state on a small disk of its own: `unshare --mount python -m tests.controlplane.state.disks ...`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.opening import create_authority, open_authority
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.documents import Documents, Put
from meshext_controlplane.state.errors import DiskFull, StateError, StateReadOnly
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.requests import csr

WEB = SpiffeId("shop.example", "shop", "web")
SIZE = 400  # KiB


def mount(disk: Path) -> None:
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}k", "none", str(disk)], check=True)


def fill(documents: Documents) -> tuple[dict[str, str], StateError]:
    """Write until the disk refuses, large texts and then small ones, so that not a page is left: what was
    acknowledged, and what was said last."""
    written: dict[str, str] = {}
    sizes = [5000, 10]
    for number in range(10_000):
        text = "x" * sizes[0]
        try:
            documents.apply([Put(("Service", "shop", f"a{number}"), text)], now=1)
            written[f"a{number}"] = text
        except StateError as error:
            del sizes[0]
            if not sizes:
                return written, error
    raise AssertionError("the disk was never full")


def full(folder: Path) -> None:
    """A full disk: reads go on, writes fail with one line, and go on as soon as there is room again."""
    disk = folder / "disk"
    mount(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * 100 * 1024)
    with StateStore(disk / "state") as store:
        create_authority(store, "shop.example")
        authority = open_authority(store)
        token = Tokens(authority, store).create(WEB).reveal()
        enrollment = Enrollment(store, authority)
        documents = Documents(store)
        written, error = fill(documents)
        assert isinstance(error, DiskFull), repr(error)
        assert "disk that is full: make room" in str(error)
        assert "\n" not in str(error)
        for _ in range(3):
            assert {each.name: each.text for each in documents.all()} == written
            assert authority.trust().roots == authority.roots
            with pytest.raises(DiskFull):
                enrollment.join(token, csr())
        with StateStore(disk / "state") as restarted:  # a control plane that was killed then
            assert {each.name for each in Documents(restarted).all()} == set(written)
            assert open_authority(restarted).roots == authority.roots
        ballast.unlink()
        assert enrollment.join(token, csr()).identity == WEB
        documents.apply([Put(("Service", "shop", "more"), "y")], now=2)


def read_only(folder: Path) -> None:
    """A disk that has become read-only: a restart reads everything, and says what it can not do."""
    disk = folder / "disk"
    mount(disk)
    with StateStore(disk / "state") as store:
        create_authority(store, "shop.example")
        Documents(store).apply([Put(("Service", "shop", "a"), "x")], now=1)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with StateStore(disk / "state") as store:
        documents = Documents(store)
        authority = open_authority(store)
        assert authority.trust().roots == authority.roots
        for _ in range(2):
            assert [each.text for each in documents.all()] == ["x"]
            with pytest.raises(StateReadOnly, match="is read-only, or its disk is; nothing was written"):
                documents.apply([Put(("Service", "shop", "b"), "x")], now=1)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    with StateStore(disk / "state") as store:
        Documents(store).apply([Put(("Service", "shop", "b"), "x")], now=1)


if __name__ == "__main__":
    {"full": full, "read-only": read_only}[sys.argv[1]](Path(sys.argv[2]))
