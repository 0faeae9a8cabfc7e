"""Several workers: on one port, or each on a Unix socket of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.hosts.service_process import FILTER, ServiceProcess, check, gone, kill, report, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Path(name)


@pytest.fixture
def spec(folder: Path) -> str:
    (folder / "guard.py").write_text(FILTER)
    return f"{folder}/guard.py:Guard"


def pids(*addresses: str, calls: int = 40) -> set[int]:
    """The workers that answer, 0 for a call that failed; each call is a connection of its own."""
    return {check(address)[1] for address in addresses for _ in range(calls // len(addresses))}


def all_well(address: str, count: int) -> bool:
    """Whether so many workers answer, and no call fails."""
    found = pids(address)
    return len(found) == count and 0 not in found


class TestPort:
    def test_killed_one_is_replaced_while_the_others_go_on(self, spec: str) -> None:
        with ServiceProcess(spec, "127.0.0.1:0", workers=3, log_level="debug") as service:
            address = service.wait_serving()
            assert wait_for(lambda: all_well(address, 3))
            service.wait_spare()
            before = pids(address)
            first = min(before)
            kill(first)
            assert wait_for(lambda: gone(first))
            assert wait_for(lambda: all_well(address, 3), limit=5.0)
            assert len(pids(address) & before) == 2
            assert len(service.workers()) >= 3
            workers = service.workers()
            assert service.stop() == 0
            assert all(map(gone, workers))

    def test_stopped_one_is_ended_and_replaced(self, spec: str) -> None:
        """SIGSTOP: its port takes connections that nobody serves, until it shows no sign of life."""
        with ServiceProcess(spec, "127.0.0.1:0", workers=2, log_level="debug") as service:
            address = service.wait_serving()
            assert wait_for(lambda: all_well(address, 2))
            service.wait_spare()
            first = min(pids(address))
            kill(first, signal.SIGSTOP)
            service.wait_said("a worker shows no sign of life for 3 s; it is killed")
            assert wait_for(lambda: gone(first))
            assert wait_for(lambda: all_well(address, 2), limit=5.0)


class TestUnixSockets:
    def test_each_worker_has_its_own(self, spec: str, folder: Path) -> None:
        with ServiceProcess(spec, f"unix:{folder}/s.sock", workers=2, log_level="debug") as service:
            service.wait_said(f"serving unix:{folder}/s.sock.1\n")
            places = [f"unix:{folder}/s.sock.{number}" for number in range(2)]
            assert [f"serving {place}\n" for place in places] == service.lines_of("serving ")
            first, second = (pids(place, calls=2) for place in places)
            assert len(first | second) == 2
            service.wait_spare()
            kill(first.pop())
            assert wait_for(lambda: check(places[0])[0] == "OK", limit=5.0)
            assert pids(places[1], calls=2) == second
            assert service.stop() == 0
            assert not [path for path in folder.iterdir() if path.is_socket()]

    def test_one_in_use_refuses_all(self, spec: str, folder: Path) -> None:
        with ServiceProcess(spec, f"unix:{folder}/s.sock.1") as first:
            first.wait_serving()
            with ServiceProcess(spec, f"unix:{folder}/s.sock", workers=2) as second:
                assert second.wait_end() == 2
                assert f"unix:{folder}/s.sock.1 is in use" in second.text


def test_first_workers_that_do_not_load_are_refused_once(folder: Path) -> None:
    (folder / "guard.py").write_text("raise ValueError('no')")
    with ServiceProcess(f"{folder}/guard.py:Guard", "127.0.0.1:0", workers=3) as service:
        assert service.wait_end() == 2
        report(service.text)
        assert service.text.count("meshext: ") == 1
        assert "ValueError: no" in service.text


class TestFilesThatChanged:
    def test_two_versions_never_serve_side_by_side(self, spec: str, folder: Path) -> None:
        """Without --watch what was loaded stays, and a worker that would load something else is not used."""
        with ServiceProcess(spec, "127.0.0.1:0", workers=2, log_level="debug") as service:
            address = service.wait_serving()
            assert wait_for(lambda: all_well(address, 2))
            service.wait_spare()
            (folder / "guard.py").write_text(FILTER + "\n# another version\n")
            one, other = sorted(pids(address))
            kill(one)  # the spare is of the old version still
            service.wait_said("no worker is replaced; start the service again, or serve with --watch")
            assert wait_for(lambda: all_well(address, 2))
            spare = (pids(address) - {other}).pop()
            kill(spare)
            assert wait_for(lambda: gone(spare))
            assert wait_for(lambda: pids(address) == {other})
            kill(other)  # nobody is left: what there is now serves, as a whole
            assert wait_for(lambda: check(address)[0] == "OK")
            assert wait_for(lambda: all_well(address, 2))
