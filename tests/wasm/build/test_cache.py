"""What was compiled once is found again, and only what the same sources made."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from meshext_wasm.build import cache as module
from meshext_wasm.build.cache import Cache, key_of, text_key, user_cache


def test_what_was_put_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "folder")
    assert cache.get("a.o") is None
    cache.put("a.o", b"code")
    assert cache.get("a.o") == b"code"
    assert [each.name for each in cache.folder.iterdir()] == ["a.o"]


def test_the_folder_is_the_users_own(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.put("a.o", b"code")
    assert cache.folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file")
    cache.put("a.o", b"code")
    assert cache.get("a.o") is None


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    cache = Cache(tmp_path)
    for number in range(4):
        cache.put(f"{number}.o", b"code")
        assert cache.get(f"{number}.o") == b"code"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_key_is_of_names_and_contents(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1\n")
    two.write_text("b = 2\n")
    both = key_of([one, two])
    assert key_of([two, one]) == both
    one.write_text("a = 3\n")
    assert key_of([one, two]) != both
    assert text_key("a") != text_key("b")


def test_the_users_cache_is_where_the_system_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache().folder == tmp_path / "meshext" / "wasm"


def test_what_is_dear_is_made_by_one_at_a_time(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with cache.alone(), open(tmp_path / "cache.lock") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with cache.alone():
        pass
