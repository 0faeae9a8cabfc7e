"""Disks that are full, read-only, or take nothing any more, and folders that are not ours."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meshext_controlplane.state.backup import back_up
from meshext_controlplane.state.documents import Documents, Put
from meshext_controlplane.state.errors import (
    DiskFull,
    RevisionConflict,
    StateDamaged,
    StateError,
    StateLocked,
    StateMissing,
    StateNewer,
)
from meshext_controlplane.state.ownership import Ownership
from meshext_controlplane.state.store import FILE, StateStore
from tests.plugin import missing

ROOT = Path(__file__).parents[3]
KEY = ("Service", "shop", "a")


@pytest.mark.parametrize("scenario", ["full", "read-only"])
def test_a_disk_of_its_own(scenario: str, tmp_path: Path) -> None:
    """A real file system of 400 KiB, in a mount namespace of the test's own."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    try:
        allowed = subprocess.run([*own, "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True)
    except FileNotFoundError:
        missing("unshare", "apt-get install util-linux")
    if allowed.returncode:
        pytest.skip(f"mounting is not allowed here: {allowed.stderr!r}")
    command = [*own, sys.executable, "-m", "tests.controlplane.state.disks", scenario, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@contextmanager
def files_can_not_grow(limit: int) -> Iterator[None]:
    """The kernel refuses writes beyond this place of a file: EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore(tmp_path / "state") as opened:
        Documents(opened).apply([Put(KEY, "before")], now=1)
        yield opened


@pytest.mark.parametrize("limit", [0, 1, 512, 4096, 8192, 20_000, 66_000])
def test_writes_that_fail_anywhere(limit: int, store: StateStore) -> None:
    """In the journal, in its middle, in the file itself: all of the change is undone, reading goes on."""
    documents = Documents(store)
    with files_can_not_grow(limit):
        for _ in range(2):
            with pytest.raises(StateError) as caught:
                documents.apply([Put(KEY, "after"), Put(("Service", "shop", "b"), "x" * 200_000)], now=2)
            assert "\n" not in str(caught.value)
            assert [each.text for each in documents.all()] == ["before"]
            with StateStore(store.folder) as other:
                assert Documents(other).revision() == 1
    documents.apply([Put(KEY, "after")], now=2)
    assert [each.text for each in documents.all()] == ["after"]


def test_a_full_database(store: StateStore) -> None:
    with store.reading() as transaction:
        transaction.execute("PRAGMA max_page_count = 20")
    with pytest.raises(DiskFull, match="make room; nothing was written") as caught:
        Documents(store).apply([Put(KEY, "x" * 100_000)], now=2)
    assert caught.value.exit_code == 2
    assert Documents(store).revision() == 1


def test_a_backup_that_does_not_fit(store: StateStore, tmp_path: Path) -> None:
    with files_can_not_grow(10_000), pytest.raises(StateError):
        back_up(store, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


def test_another_process_writes_for_long(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with StateStore(store.folder) as other:
        other._database.execute("PRAGMA busy_timeout = 0")
        with store.writing():
            assert Documents(other).revision() == 1
            with pytest.raises(StateLocked, match="locked by another process"), other.writing():
                pass
        with other.writing():
            pass


def test_only_we_can_read_it(store: StateStore) -> None:
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"no database at all, but text", b"\x00" * 5000])
def test_a_file_that_is_no_state(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StateDamaged, match="is no state of meshext"):
        StateStore(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    with pytest.raises(StateDamaged, match="is no state of meshext"):
        StateStore(tmp_path)


def test_a_state_that_is_damaged(store: StateStore) -> None:
    """The texts of documents are ours to find again, or nothing is."""
    Documents(store).apply(
        [Put(("Service", "shop", f"a{number}"), "x" * 3000) for number in range(50)], now=2
    )
    store.close()
    content = bytearray(store.path.read_bytes())
    for place in range(4096, len(content), 4096):
        content[place : place + 100] = b"\xff" * 100
    store.path.write_bytes(bytes(content))
    wanted = pytest.raises(StateDamaged, match="is damaged: put it aside and restore a backup")
    with wanted, StateStore(store.folder) as damaged:
        Documents(damaged).all()


def test_a_state_of_a_later_version(store: StateStore) -> None:
    with store.writing() as transaction:
        transaction.execute("PRAGMA user_version = 99")
    with pytest.raises(StateNewer, match=r"is of a later meshext \(version 99\)"):
        StateStore(store.folder)


def test_there_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(StateMissing, match="there is no state in"):
        StateStore(tmp_path / "none", create=False)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match="can not be opened: "):
        StateStore(tmp_path / "file" / "state")


def test_one_control_plane_for_one_state(tmp_path: Path) -> None:
    with Ownership(tmp_path), pytest.raises(StateLocked, match="is in use by a control plane"):
        Ownership(tmp_path)
    Ownership(tmp_path).release()


def test_changes_are_timed(tmp_path: Path) -> None:
    """Those that were made, and not those that failed."""
    took: list[float] = []
    with StateStore(tmp_path / "timed", observe=took.append) as store:
        Documents(store).apply([Put(KEY, "a")], now=1)
        with pytest.raises(RevisionConflict):
            Documents(store).apply([Put(KEY, "b", 7)], now=1)
    assert len(took) == 1
    assert took[0] > 0


def test_a_closed_store_says_so(store: StateStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StateError, match="is closed"):
        Documents(store).all()
