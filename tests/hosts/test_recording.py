"""A service that records: several workers, one file, and nothing that happens to it hurts a request."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.recording.exchange import Recorded
from meshext.recording.parse import parse_line
from tests.hosts.service_process import FILTER, ServiceProcess, check, gone, kill, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Path(name)


@pytest.fixture
def spec(folder: Path) -> str:
    (folder / "guard.py").write_text(FILTER)
    return f"{folder}/guard.py:Guard"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def exchanges(path: Path) -> list[Recorded]:
    found = [parse_line(line.rstrip(b"\n")) for line in lines(path)]
    assert not [problems for problems in found if isinstance(problems, list)]
    return [each for each in found if isinstance(each, Recorded)]


def ask(address: str, count: int, **headers: str) -> set[int]:
    """Many requests at once; the workers that answered, 0 for a call that failed."""
    with ThreadPoolExecutor(8) as pool:
        return {pid for _, pid in pool.map(lambda _: check(address, **headers), range(count))}


def test_every_exchange_of_every_worker_is_a_line(spec: str, folder: Path) -> None:
    path = folder / "r.jsonl"
    with ServiceProcess(
        spec, "127.0.0.1:0", workers=2, record=str(path), redact=("x-key",), log_level="debug"
    ) as service:
        address = service.wait_serving()
        assert wait_for(lambda: len(ask(address, 8)) == 2)
        before = len(exchanges(path))
        ask(address, 30, x_key="hunter2", authorization="hunter3", x_open="shown")
        assert wait_for(lambda: len(lines(path)) >= before + 30)
        assert service.stop() == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_bytes()
    assert b"hunter" not in written
    assert written.count(b"shown") == 30
    workers = {dict(each.decision.request.headers.replace)["x-pid"][0].split()[0] for each in exchanges(path)}
    assert len(workers) == 2


def test_a_killed_worker_leaves_whole_lines(spec: str, folder: Path) -> None:
    path = folder / "r.jsonl"
    long = "x" * 20_000
    with ServiceProcess(spec, "127.0.0.1:0", workers=2, record=str(path), log_level="debug") as service:
        address = service.wait_serving()
        service.wait_spare()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask, address, 80, x_long=long)
            assert wait_for(lambda: len(lines(path)) > 10)
            killed = next(pid for pid in ask(address, 8) if pid)
            kill(killed)
            asking.result()
        assert wait_for(lambda: gone(killed))
        assert wait_for(lambda: check(address)[0] == "OK")
        assert service.stop() == 0
    assert len(exchanges(path)) > 10


def test_a_file_that_can_not_grow_hurts_no_request(spec: str, folder: Path) -> None:
    path = folder / "r.jsonl"
    with ServiceProcess(spec, "127.0.0.1:0", record=str(path), log_level="debug") as service:
        address = service.wait_serving()
        service.wait_spare()
        assert check(address)[0] == "OK"
        assert wait_for(lambda: len(lines(path)) == 1)
        size = path.stat().st_size
        for pid in service.workers():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 7, resource.RLIM_INFINITY))
        for _ in range(5):
            assert check(address)[0] == "OK"
        service.wait_said("exchanges are not recorded: it can not be written")
        assert path.stat().st_size == size
        for pid in service.workers():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert wait_for(lambda: check(address)[0] == "OK" and len(lines(path)) > 1)
        service.wait_said("recording again; exchanges that are missing: ")
        assert service.stop() == 0
    assert service.text.count("exchanges are not recorded") == 1
    exchanges(path)


def test_a_file_that_goes_bad_stops_no_worker_from_taking_anothers_place(spec: str, folder: Path) -> None:
    path = folder / "r.jsonl"
    with ServiceProcess(spec, "127.0.0.1:0", record=str(path), log_level="debug") as service:
        address = service.wait_serving()
        service.wait_spare()
        path.chmod(0o644)
        for _ in range(2):  # the spare has opened the file already
            kill(check(address)[1])
            assert wait_for(lambda: check(address)[0] == "OK")
            service.wait_said("exchanges of this worker are not recorded: ")
        assert service.stop() == 0


def test_a_file_that_others_can_read_is_refused_in_one_line(spec: str, folder: Path) -> None:
    path = folder / "r.jsonl"
    path.touch()
    os.chmod(path, 0o644)
    with ServiceProcess(spec, "127.0.0.1:0", record=str(path)) as service:
        assert service.wait_end() == 2
    assert wait_for(lambda: service.lines)
    [line] = service.lines
    assert line.startswith(f"meshext: {path}: others may read it (mode 0644)")
