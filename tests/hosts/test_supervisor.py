"""Supervisor and workers as real processes."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.hosts.pace import FIRST_PAUSE, LONGEST_PAUSE, Pace
from meshext.hosts.worker_process import Worker, describe
from tests.hosts.service_process import (
    FILTER,
    ServiceProcess,
    check,
    gone,
    kill,
    report,
    wait_for,
    wait_served,
)

pytestmark = [pytest.mark.alone, pytest.mark.slow]


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Path(name)


@pytest.fixture
def spec(folder: Path) -> str:
    (folder / "guard.py").write_text(FILTER)
    return f"{folder}/guard.py:Guard"


@pytest.fixture
def service(folder: Path, spec: str) -> Iterator[ServiceProcess]:
    with ServiceProcess(spec, f"unix:{folder}/s.sock", log_level="debug") as service:
        service.wait_serving()
        service.wait_spare()
        yield service


@pytest.fixture
def address(service: ServiceProcess) -> str:
    return service.wait_serving()


class TestKilledWorker:
    def test_spare_takes_over(self, service: ServiceProcess, address: str) -> None:
        _, first = check(address)
        for round_, how in enumerate(["loop", "exit", "signal"]):
            status, _ = check(address, x_do=how)
            assert status != "OK"
            gap = wait_served(address)
            report(f"{how}: next served after {gap * 1000:.0f} ms")
            assert gap < 3.0
            service.wait_spare(times=round_ + 2)
        _, last = check(address)
        assert last != first
        service.wait_said("guard on_request [some-id]", times=4)
        service.wait_said("(killed by SIGKILL) in guard on_request [some-id]")
        service.wait_said("(exit code 3) in guard on_request [some-id]")
        service.wait_said("(killed by signal 40) in guard on_request [some-id]")
        service.wait_said('guard.py", line')
        assert len(service.workers()) == 2

    def test_killing_again_and_again_does_not_slow_the_restart_down(
        self, service: ServiceProcess, address: str
    ) -> None:
        gaps = []
        for _ in range(6):
            check(address, x_do="exit")
            gaps.append(wait_served(address))
        report("next served after " + ", ".join(f"{gap * 1000:.0f} ms" for gap in gaps))
        assert max(gaps) < LONGEST_PAUSE

    def test_killed_from_outside(self, service: ServiceProcess, address: str) -> None:
        _, worker = check(address)
        kill(worker)
        assert wait_served(address) < 3.0
        service.wait_said("the worker ended (killed by SIGKILL); its open exchanges")

    def test_spare_that_dies_is_replaced_and_harms_nobody(
        self, service: ServiceProcess, address: str
    ) -> None:
        _, worker = check(address)
        (spare,) = set(service.workers()) - {worker}
        kill(spare)
        service.wait_said("the spare worker ended (killed by SIGKILL); the one that serves goes on")
        service.wait_spare(times=2)
        assert check(address) == ("OK", worker)

    def test_worker_that_was_stopped_for_a_while_between_hooks_is_left_alone(
        self, service: ServiceProcess, address: str
    ) -> None:
        _, worker = check(address)
        kill(worker, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(check, address)
            assert not wait_for(waiting.done, limit=0.5)
            kill(worker, signal.SIGCONT)
            assert waiting.result(30) == ("OK", worker)


def test_machine_that_stood_still_gives_the_worker_its_own_chance(
    service: ServiceProcess, address: str
) -> None:
    """Both stop in the middle of a hook, as a container out of its share of the CPU does."""
    _, worker = check(address)
    with ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(check, address, x_do="sleep")
        assert not wait_for(sleeping.done, limit=0.1)
        kill(service.process.pid, signal.SIGSTOP)
        kill(worker, signal.SIGSTOP)
        assert not wait_for(sleeping.done, limit=0.5)
        kill(service.process.pid, signal.SIGCONT)
        kill(worker, signal.SIGCONT)
        assert sleeping.result(30) == ("OK", 0)  # answered: denied, since the hook was overdue
    assert check(address) == ("OK", worker)


class TestFileThatChanged:
    def test_stays_down_and_comes_back_when_it_is_right_again(
        self, service: ServiceProcess, address: str, folder: Path
    ) -> None:
        (folder / "guard.py").write_text("this is no Python")
        _, first = check(address)
        assert check(address, x_do="exit")[0] != "OK"
        wait_served(address)  # the spare had loaded what was there before
        assert check(address, x_do="exit")[0] != "OK"
        service.wait_said("nobody serves until one does", times=2)
        service.wait_said("a worker can not load: ")
        assert check(address)[0] == "UNAVAILABLE"
        (folder / "guard.py").write_text(FILTER)
        report(f"served again {wait_served(address):.1f} s after the file was right")
        assert check(address)[1] != first

    def test_attempts_become_rarer(self, service: ServiceProcess, folder: Path, address: str) -> None:
        (folder / "guard.py").write_text("raise SystemExit(7)")
        _, worker = check(address)
        kill(worker)
        wait_served(address)
        service.wait_said("the spare worker ended", times=3)
        assert check(address)[0] == "OK"
        assert len(service.workers()) <= 2


class TestLoading:
    @pytest.mark.parametrize("where", ["import", "__init__"])
    def test_filter_that_hangs_is_given_up(self, folder: Path, where: str) -> None:
        hang = "import time\ntime.sleep(3600)\n"
        init = "    def __init__(self):\n        import time\n        time.sleep(3600)\n"
        text = (
            hang + FILTER
            if where == "import"
            else FILTER.replace("    def on_request", init + "    def on_request")
        )
        (folder / "guard.py").write_text(text)
        spec, socket_path = f"{folder}/guard.py:Guard", folder / "s.sock"
        with ServiceProcess(spec, f"unix:{socket_path}", load_limit=2.0) as service:
            assert service.wait_end() == 1
            assert "a worker does not load its filters for 2 s" in service.text

    def test_spare_that_hangs_is_started_again(self, folder: Path, spec: str) -> None:
        with ServiceProcess(spec, f"unix:{folder}/s.sock", log_level="debug", load_limit=8.0) as service:
            address = service.wait_serving()
            service.wait_spare()
            (folder / "guard.py").write_text("import time\ntime.sleep(3600)\n")
            kill((set(service.workers()) - {check(address)[1]}).pop())
            service.wait_said("a worker does not load its filters for 8 s")
            (folder / "guard.py").write_text(FILTER)
            service.wait_spare(times=2)
            assert check(address)[0] == "OK"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("import nowhere_to_be_found", "nowhere_to_be_found"),
            ("class Guard: pass", "Guard"),
            ("raise SystemExit(0)", "SystemExit"),
            ("import sys; sys.exit('enough')", "enough"),
            (FILTER + "    def __init__(self):\n        raise OSError('no table')\n", "OSError: no table"),
            (FILTER + "    def __init__(self):\n        raise SystemExit('no')\n", "SystemExit: no"),
        ],
    )
    def test_filter_that_does_not_load_is_refused_at_once(self, folder: Path, text: str, said: str) -> None:
        (folder / "guard.py").write_text(text)
        with ServiceProcess(f"{folder}/guard.py:Guard", f"unix:{folder}/s.sock") as service:
            assert service.wait_end() == 2
            assert "Traceback" not in service.text
            assert said in service.text


class TestStop:
    def test_in_order(self, service: ServiceProcess, address: str, folder: Path) -> None:
        workers = service.workers()
        assert service.stop() == 0
        assert wait_for(lambda: all(map(gone, workers)))
        assert not (folder / "s.sock").exists()

    def test_ctrl_c_is_an_order_too(self, service: ServiceProcess, folder: Path) -> None:
        service.process.send_signal(signal.SIGINT)
        assert service.wait_end() == 0

    def test_workers_do_not_outlive_a_killed_supervisor(self, service: ServiceProcess) -> None:
        workers = service.workers()
        assert len(workers) == 2
        service.process.kill()
        assert wait_for(lambda: all(map(gone, workers)), limit=5.0)

    def test_leaves_no_socket_of_a_killed_worker(
        self, service: ServiceProcess, address: str, folder: Path
    ) -> None:
        check(address, x_do="exit")
        assert service.stop() == 0
        assert not (folder / "s.sock").exists()

    def test_thread_that_goes_on_is_ended(self, service: ServiceProcess, address: str) -> None:
        assert check(address, x_do="thread")[0] == "OK"
        assert service.stop() == 0
        assert "does a thread of a filter go on?" in service.text

    def test_while_the_first_worker_loads(self, folder: Path) -> None:
        (folder / "guard.py").write_text("import time\ntime.sleep(3600)\n")
        with ServiceProcess(f"{folder}/guard.py:Guard", f"unix:{folder}/s.sock") as service:
            assert wait_for(service.workers)
            assert service.stop() == 0


def test_full_disk_for_logs(folder: Path, spec: str) -> None:
    """Every write to standard error fails; the service goes on, its workers' ends included."""
    with (
        open("/dev/full", "wb") as full,
        ServiceProcess(spec, f"unix:{folder}/s.sock", errors=full.fileno(), log_level="debug") as service,
    ):
        address = service.wait_serving()
        assert check(address)[0] == "OK"
        for how in ("raise", "loop", "exit"):
            check(address, x_do=how)
            wait_served(address)
        assert service.stop() == 0


class TestListening:
    def test_tcp(self, spec: str) -> None:
        with ServiceProcess(spec, "127.0.0.1:0", log_level="debug") as service:
            address = service.wait_serving()
            assert check(address)[0] == "OK"
            service.wait_spare()
            with ServiceProcess(spec, address) as second:
                assert second.wait_end() == 2
                assert f"{address} is in use" in second.text
            check(address, x_do="exit")
            assert wait_served(address) < 3.0
            assert service.stop() == 0
        with ServiceProcess(spec, address) as again:
            assert again.wait_serving() == address

    def test_unix_socket_in_use(self, service: ServiceProcess, spec: str, address: str) -> None:
        with ServiceProcess(spec, address) as second:
            assert second.wait_end() == 2
            assert f"{address} is in use" in second.text
        assert check(address)[0] == "OK"

    def test_path_that_is_no_plain_word(self, folder: Path, spec: str) -> None:
        path = folder / "a b%41?c#d"
        with ServiceProcess(spec, f"unix:{path}") as service:
            service.wait_said("serving unix:")
            assert path.is_socket()
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(str(path))


class TestSlowingDown:
    def test_pauses_double_up_to_a_limit(self) -> None:
        pace, pauses = Pace(), []
        for _ in range(8):
            pace.slow_down()
            pauses.append(pace.pause)
        assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
        assert pauses[-1] == LONGEST_PAUSE

    def test_worker_that_died_in_a_hook_is_replaced_at_once(self) -> None:
        pace, worker = Pace(), Worker.__new__(Worker)
        pace.slow_down()
        worker.serving, worker.since = True, 1e12
        pace.slow_down(worker, in_hook=True)
        assert pace.pause == 0.0


def test_exit_codes_in_words() -> None:
    assert describe(3) == "exit code 3"
    assert describe(-9) == "killed by SIGKILL"
    assert describe(-40) == "killed by signal 40"
