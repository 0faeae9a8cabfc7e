"""`meshext profile` on a real service, and every way in which it can not be done."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from meshext.hosts.ext_authz import SERVICE
from meshext.telemetry.profiling import explain
from tests.telemetry.watching import check_request

Run = Callable[..., Any]

SPINNING = """
import time
from meshext import Filter, Request

class Spinning(Filter):
    def on_request(self, request: Request) -> None:
        self.spin_in_here()

    def spin_in_here(self) -> None:
        end = time.monotonic() + 0.01
        while time.monotonic() < end:
            pass
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, str]]:
    """A service, by its process id and address."""
    (folder / "spinning.py").write_text(SPINNING)
    command = [sys.executable, "-m", "meshext", "serve", "spinning.py:Spinning", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            yield service.pid, service.stdout.readline().split()[1]
        finally:
            service.terminate()


@contextmanager
def busy(address: str) -> Iterator[None]:
    """Requests to it all the while."""
    done = threading.Event()

    def send() -> None:
        with grpc.insecure_channel(address) as channel:
            call: Any = channel.unary_unary(f"/{SERVICE}/Check")
            while not done.is_set():
                call(check_request(), timeout=20)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.alone  # a hook that waits for a core, and is stopped to be looked at, has run out of its time
def test_a_service_and_its_workers(process: Run, tmp_path: Path) -> None:
    with serving(tmp_path) as (pid, address), busy(address):
        ended = process("profile", str(pid), "--seconds", "1", "-o", "out.svg", cwd=tmp_path)
        assert (ended.code, ended.err) == (0, "recording for 1 s ...\n")
        assert ended.out.endswith(" samples are in out.svg\n")
        assert "spin_in_here" in (tmp_path / "out.svg").read_text()
        ended = process("profile", str(pid), "--seconds", "1", "-o", "out.json", cwd=tmp_path)
        assert ended.code == 0
        assert "spin_in_here" in (tmp_path / "out.json").read_text()
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@contextmanager
def sleeping(*command: str) -> Iterator[str]:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if command[0] == sys.executable:
                process.stdout.read(1)
            yield str(process.pid)
        finally:
            process.kill()


def test_what_is_not_python(meshext: Run, tmp_path: Path) -> None:
    with sleeping("sleep", "60") as pid:
        ended = meshext("profile", pid, "--seconds", "1", "-o", str(tmp_path / "a.svg"))
    assert ended.code == 2
    assert ended.err.endswith(f"meshext: process {pid} is not Python, and neither are its children\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "Error: Failed to write flamegraph: No stack counts found\n\nStack",
            "process 7 did nothing all the",
        ),
        ("Error: Permission Denied: Try running again with elevated", "process 7 may not be looked into; be"),
        ("Error: Failed to get process executable name. Check", "there is no process 7"),
        ("Error: something new\n\nStack backtrace:\n 0: x", "py-spy failed: something new"),
        ("", "py-spy failed: it said nothing"),
    ],
)
def test_what_py_spy_says_is_one_line(said: str, line: str) -> None:
    assert explain(7, said).startswith(line)
    assert "\n" not in explain(7, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["4194304"], "there is no process 4194304"),
        (["99999999999999999999"], "there is no process 99999999999999999999"),
        ([str(os.getpid()), "-o", "/nowhere/a.svg"], "'/nowhere/a.svg' can not be written: No such file or"),
        ([str(os.getpid()), "-o", "a.png"], "'a.png': write a file name that ends with .svg or .json"),
        (["me"], "invalid value for 'PID'"),
        ([str(os.getpid()), "--seconds", "0"], "invalid value for '--seconds'"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str, meshext: Run) -> None:
    ended = meshext("profile", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_users_process(process: Run, tmp_path: Path) -> None:
    with sleeping("sleep", "60") as pid:
        code = (
            "import os; from meshext.telemetry.profiling import check_process; "
            f"os.setuid(65534); check_process({pid})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
    assert f"ProfileError: process {pid} is another user's; be that user, or root" in done.stderr


def test_without_the_extra(meshext: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    ended = meshext("profile", "1")
    assert ended.code == 2
    assert "meshext profile needs the 'profile' extra: python3 -m pip install 'meshext[profile]'" in ended.err
