"""The file: ours alone, whole lines whatever happens, and never in the way of the service."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from meshext.errors import RecordingError
from meshext.recording.exchange import Recorded
from meshext.recording.file import RecordingFile
from meshext.recording.read import read_recording
from meshext.recording.writer import RecordingWriter
from tests.hosts.forging import headers
from tests.recording.tapes import Guarding
from tests.recording.taping import tape_proc

LINE = b'{"recording":1}\n'


@pytest.fixture
def recorded() -> Recorded:
    return tape_proc(Guarding, messages=[headers()])


def test_it_is_made_for_nobody_else(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        RecordingFile(str(tmp_path / "r")).close()
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o600


def other(path: Path) -> None:
    path.write_bytes(LINE)
    path.chmod(0o640)


def link(path: Path) -> None:
    (path.parent / "there").touch(0o600)
    path.symlink_to(path.parent / "there")


def foreign(path: Path) -> None:
    path.write_text("x = 1\n")
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (other, r"others may read it \(mode 0640\); chmod 600 it"),
        (link, "it is a symbolic link; name the file itself"),
        (foreign, "is no recording, and nothing is appended to other files"),
        (lambda path: os.mkfifo(path, 0o600), "is not a file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file"),
    ],
)
def test_what_is_not_written_to(make: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "r" if told != "No such file" else tmp_path / "no" / "r"
    make(path)  # type: ignore[operator]  # a function
    with pytest.raises(RecordingError, match=told):
        RecordingFile(str(path))


def test_an_unfinished_line_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(LINE + b'{"recording":1,"ti' + b"x" * 200_000)
    path.chmod(0o600)
    RecordingFile(str(path)).append(LINE)
    assert path.read_bytes() == LINE * 2


def test_a_deleted_file_is_made_again(tmp_path: Path) -> None:
    file = RecordingFile(str(tmp_path / "r"))
    (tmp_path / "r").unlink()
    file.append(LINE)
    assert (tmp_path / "r").read_bytes() == LINE


APPENDING = """
import sys
from meshext.recording.file import RecordingFile
file = RecordingFile(sys.argv[1])
for number in range(200):
    file.append(b'{"recording":%d}' % int(sys.argv[2]) + b" " * 9000 + b"\\n")
"""


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "r"
    running = [subprocess.Popen([sys.executable, "-c", APPENDING, path, str(n)]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = [json.loads(line)["recording"] for line in path.read_bytes().splitlines()]
    assert sorted(found) == [0] * 200 + [1] * 200 + [2] * 200


FILLING = """
import logging, resource, sys
from meshext.recording.file import RecordingFile
from meshext.recording.read import read_recording
from meshext.recording.writer import RecordingWriter
logging.basicConfig(format="%(message)s")
[(_, recorded)] = read_recording(sys.argv[1]).exchanges()
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.RLIM_INFINITY))
writer = RecordingWriter(RecordingFile(sys.argv[2]))
for _ in range(50):
    writer.keep(recorded)
writer.close()
print(writer.written, writer.dropped)
"""


def test_a_full_disk_drops_and_is_told_once(recorded: Recorded, tmp_path: Path) -> None:
    first = RecordingWriter(RecordingFile(str(tmp_path / "one")))
    first.keep(recorded)
    first.close()
    command = [sys.executable, "-c", FILLING, str(tmp_path / "one"), str(tmp_path / "full")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    written, dropped = map(int, done.stdout.split())
    assert written + dropped == 50
    assert dropped > 0
    assert done.stderr.count("exchanges are not recorded: it can not be written: [Errno 27]") == 1
    assert f"exchanges that were not recorded: {dropped}" in done.stderr
    content = (tmp_path / "full").read_bytes()
    assert content.count(b"\n") == written
    assert content[-1:] in (b"\n", b"")


def test_it_goes_on_when_there_is_room_again(
    recorded: Recorded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = Failing(str(tmp_path / "r"))
    writer = RecordingWriter(file)
    writer._write([recorded])
    writer._failed_at = 0.0  # as after the pause
    writer._write([recorded, recorded])
    writer.close()
    assert (writer.written, writer.dropped) == (2, 1)
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "exchanges are not recorded: it can not be written: [Errno 28] No space left on device",
        "recording again; exchanges that are missing: 1",
        "exchanges that were not recorded: 1",
    ]
    assert len(read_recording(str(tmp_path / "r")).entries) == 2


class Failing(RecordingFile):
    """Full for the first time."""

    full = True

    def append(self, lines: bytes) -> None:
        if self.full:
            self.full = False
            raise OSError(28, "No space left on device")
        super().append(lines)


def test_a_slow_file_makes_nobody_wait(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another process holds the lock: what comes on top of what may wait is dropped."""
    import fcntl

    monkeypatch.setattr("meshext.recording.writer.MOST_WAITING", 10)
    caplog.set_level(logging.ERROR)
    path = tmp_path / "r"
    writer = RecordingWriter(RecordingFile(str(path)))
    with open(path, "rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        for _ in range(100):
            writer.keep(recorded)
        assert writer.dropped >= 100 - 10 - 256
        assert len(caplog.records) <= 1
        fcntl.flock(holder, fcntl.LOCK_UN)
    writer.close()
    assert writer.written + writer.dropped == 100
    assert writer.written == len(read_recording(str(path)).entries)
