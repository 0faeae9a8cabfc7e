"""Reading: every mistake with its line, in the order of time; a last line that was cut off is left out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from meshext.errors import RecordingError
from meshext.recording.format import to_line
from meshext.recording.read import read_recording
from tests.hosts.forging import headers
from tests.recording.tapes import Guarding
from tests.recording.taping import tape_proc


@pytest.fixture(scope="module")
def line() -> bytes:
    return to_line(tape_proc(Guarding, messages=[headers()]))


def test_exchanges_come_in_the_order_of_their_beginning(tmp_path: Path) -> None:
    recorded = tape_proc(Guarding, messages=[headers()])
    times = [3.0, 1.0, 2.0]
    (tmp_path / "r").write_bytes(b"".join(to_line(replace(recorded, time=time)) for time in times))
    recording = read_recording(str(tmp_path / "r"))
    assert [(number, found.time) for number, found in recording.exchanges()] == [(2, 1.0), (3, 2.0), (1, 3.0)]


def test_a_last_line_that_was_cut_off(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(line + b"\n" + line[:-20])
    recording = read_recording(str(tmp_path / "r"))
    assert (len(recording.entries), recording.torn) == (1, True)


def test_every_mistake_has_its_line(line: bytes, tmp_path: Path) -> None:
    other = line.replace(b'"mode":"proc"', b'"mode":"x"')
    newer = line.replace(b'"recording":1', b'"recording":2')
    path = tmp_path / "r"
    path.write_bytes(b"".join([line, b"{}\n", other, newer, line[:-1]]))
    with pytest.raises(RecordingError) as caught:
        read_recording(str(path))
    assert str(caught.value).splitlines() == [
        f"{path}: line 2: no recorded exchange: 'recording', the version of the format, is missing",
        f"{path}: line 3: mode: 'x' is not one of authz, proc",
        f"{path}: line 4: recording: version 2 is not known here; this meshext reads version 1",
    ]


def test_many_mistakes_are_cut_short(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"{}\n" * 1000)
    with pytest.raises(RecordingError) as caught:
        read_recording(str(tmp_path / "r"))
    assert len(caught.value.problems) == 51


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "it holds no exchange"), (b"\n\n", "it holds no exchange"), (b"{", "no exchange")],
)
def test_nothing_to_read(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(RecordingError, match=told):
        read_recording(str(tmp_path / "r"))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="can not be read: No such file"):
        read_recording(str(tmp_path / "r"))
    with pytest.raises(RecordingError, match="is not a file"):
        read_recording(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match="is not a file"):
        read_recording(str(tmp_path / "pipe"))


def test_a_line_beyond_all_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshext.recording.read.LARGEST_LINE", 1000)
    (tmp_path / "r").write_bytes(b'{"recording":1,"a":"' + b"a" * 2000 + b'"}\n')
    with pytest.raises(RecordingError, match="line 1: more than 1000 bytes"):
        read_recording(str(tmp_path / "r"))
