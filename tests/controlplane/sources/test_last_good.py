"""What was in force is known again after a restart: a mistake or an empty folder takes nothing away."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.sources.configuration import merge
from meshext_controlplane.sources.folder import EMPTY, read_folder
from meshext_controlplane.sources.last_good import load_last_good, save_last_good
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import read_text
from tests.controlplane.sources.documents import peer, policy, stream


def test_documents_of_files_come_back_as_they_were(tmp_path: Path) -> None:
    folder, place = tmp_path / "mesh", tmp_path / "last_good.json"
    folder.mkdir()
    (folder / "b.yaml").write_text(stream(peer("two"), policy("one")))
    (folder / "a.yaml").write_text(peer("three"))
    applied = read_text(Origin("applied", peer("four"), (1, "", 1.0)))
    before = merge([*read_folder(folder).readings, applied])
    save_last_good(place, before)
    assert place.stat().st_mode & 0o777 == 0o600
    again = merge(load_last_good(place).readings)
    assert list(again.good) == [key for key in before.good if key[2] != "four"]
    assert [each.document for each in again.good.values()] == [
        each.document for key, each in before.good.items() if key[2] != "four"
    ]


def test_a_mistake_at_the_start_keeps_what_was_in_force(tmp_path: Path) -> None:
    folder, place = tmp_path / "mesh", tmp_path / "last_good.json"
    folder.mkdir()
    file = folder / "a.yaml"
    file.write_text(stream(peer("kept"), peer("gone")))
    save_last_good(place, merge(read_folder(folder).readings))
    file.write_text(stream(peer("kept", "LAX"), peer("new")))
    remembered = load_last_good(place)
    now = merge(read_folder(folder, remembered).readings, merge(remembered.readings))
    assert [key[2] for key in now.good] == ["kept", "new"]
    assert [key[2] for key in now.held] == ["kept"]


def test_a_folder_that_is_empty_at_the_start_keeps_it_too(tmp_path: Path) -> None:
    folder, place = tmp_path / "mesh", tmp_path / "last_good.json"
    folder.mkdir()
    (folder / "a.yaml").write_text(peer("kept"))
    save_last_good(place, merge(read_folder(folder).readings))
    (folder / "a.yaml").unlink()
    now = read_folder(folder, load_last_good(place))
    assert [key[2] for key in merge(now.readings).good] == ["kept"]
    assert "suddenly empty" in now.problems[0].text


def test_nothing_kept_is_nothing(tmp_path: Path) -> None:
    assert load_last_good(tmp_path / "nowhere") is EMPTY


WRONG = [b'{"form": 1, "files": {"a": [1]}}', b'{"form": 1}', b'{"form": 1, "files": {"a": 7}}']


@given(st.one_of(st.binary(max_size=60), st.sampled_from(WRONG)))
def test_any_content_is_read_or_nothing(content: bytes) -> None:
    with TemporaryDirectory() as name:
        place = Path(name) / "last_good.json"
        place.write_bytes(content)
        merge(load_last_good(place).readings)
