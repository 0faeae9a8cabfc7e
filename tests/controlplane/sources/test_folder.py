"""A folder of documents: read, read again, watched."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from meshext_controlplane.sources.configuration import merge
from meshext_controlplane.sources.folder import EMPTY, FolderReading, read_folder, watch_folder
from tests.controlplane.sources.documents import peer, policy, stream


def keys(reading: FolderReading) -> list[str]:
    return [placed.key[2] for each in reading.readings for placed in each.documents]


def test_yaml_and_json_in_it_and_below_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(peer("b"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.yaml").write_text(stream(peer("a1"), peer("a2")))
    (tmp_path / "c.json").write_text(
        '{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "c"}}'
    )
    (tmp_path / ".hidden.yaml").write_text(peer("hidden"))
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "d.yaml").write_text(peer("data"))
    (tmp_path / "notes.txt").write_text("none")
    reading = read_folder(tmp_path)
    assert keys(reading) == ["a1", "a2", "b", "c"]
    assert reading.problems == ()


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(stream(peer("a"), peer("b")))
    (tmp_path / "b.yaml").write_text(peer("c"))
    before = read_folder(tmp_path)
    (tmp_path / "a.yaml").write_text(stream(peer("a"), peer("b", "DISABLE")))
    after = read_folder(tmp_path, before)
    name = str(tmp_path / "b.yaml")
    assert after.files[name] is before.files[name]
    (was, _), (now, _) = (reading.readings[0].documents for reading in (before, after))
    assert now.document is was.document


def test_a_folder_that_is_suddenly_empty_keeps_what_it_held(tmp_path: Path) -> None:
    file = tmp_path / "mesh" / "a.yaml"
    file.parent.mkdir()
    file.write_text(peer("a"))
    before = read_folder(file.parent)
    file.unlink()
    empty = read_folder(file.parent, before)
    assert keys(empty) == ["a"]
    assert [str(problem) for problem in empty.problems] == [
        f"{file.parent}: is suddenly empty; its 1 documents are kept; to empty it on purpose leave one file "
        "with a comment in it"
    ]
    file.parent.rmdir()
    gone = read_folder(file.parent, empty)
    assert keys(gone) == ["a"]
    assert "No such file" in gone.problems[0].text
    file.parent.mkdir()
    file.write_text("# nothing, on purpose\n")
    assert keys(read_folder(file.parent, gone)) == []


def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a.yaml").write_text(peer("a"))
    reading = read_folder(tmp_path)
    assert keys(reading) == ["a"]
    told = [str(problem) for each in reading.readings for problem in each.problems]
    assert told == [
        f"{tmp_path}/gone.yaml: can not be read: No such file or directory; let the control plane read it",
        f"{tmp_path}/pipe.yaml: is no plain file; put a file there",
    ]


async def follow(folder: Path, wanted: int, edit: list[tuple[str, str | None]]) -> list[list[str]]:
    """The documents after each change that is told; one edit is made after each."""
    first = read_folder(folder, EMPTY)
    seen: list[list[str]] = []
    told = aiter(watch_folder(folder, first))
    for name, text in edit:
        next_one = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0)
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text)
        seen.append(keys(await asyncio.wait_for(next_one, 30)))
    assert len(seen) == wanted
    await told.aclose()  # type: ignore[attr-defined]  # it is an async generator
    return seen


def test_changes_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(peer("a"))
    edits = [("b.yaml", peer("b")), ("a.yaml", stream(peer("a"), policy("p"))), ("a.yaml", None)]
    assert asyncio.run(follow(tmp_path, 3, edits)) == [["a", "b"], ["a", "p", "b"], ["b"]]


def test_one_wrong_file_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.yaml").write_text(peer("b"))
    found = merge(read_folder(tmp_path).readings)
    assert [key[2] for key in found.good] == ["b"]
    assert [str(problem) for problem in found.problems] == [
        f"{tmp_path}/a.yaml:1: is not UTF-8; save it as UTF-8"
    ]


def test_a_folder_that_is_full_keeps_what_it_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshext_controlplane.sources.folder.MOST_FILES", 2)
    for name in ("b", "c"):
        (tmp_path / f"{name}.yaml").write_text(peer(name))
    before = read_folder(tmp_path)
    for name in ("a", "d"):
        (tmp_path / f"{name}.yaml").write_text(peer(name))
    after = read_folder(tmp_path, before)
    assert keys(after) == ["a", "b", "c"]
    assert len(after.problems) == 1
    (tmp_path / "c.yaml").unlink()
    assert keys(read_folder(tmp_path, after)) == ["a", "b"]
