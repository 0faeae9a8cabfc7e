"""`meshext run` as a person meets it: a process that says what it does, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from meshext.envoy.binary import VARIABLE
from meshext.sandbox.client import send

Run = Callable[..., Any]
EXAMPLES = Path(__file__).parents[2] / "filters" / "examples"
HELLO = str(EXAMPLES / "01_hello" / "filter.py") + ":Hello"
API_KEY = str(EXAMPLES / "02_api_key" / "filter.py") + ":ApiKey"
SIGNED = str(EXAMPLES / "03_signed_token" / "filter.py") + ":SignedToken"
MARK = "MESHEXT_TEST_MARK"

PARENT = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
WRONG = "calls: [{name: greets, request: {target: /hello}, expect: {status: 404, body: farewell}}]\n"
DYING = """
import os
from meshext import Filter

class Dying(Filter):
    def __init__(self):
        os._exit(7)

    def on_request(self, request):
        return None
"""


def until(condition: Callable[[], object], *, limit: float = 30.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not so after {limit:g} s"
        time.sleep(0.02)


@dataclass
class Running:
    """Where runs of a test leave their traces: a folder for temporary files, and marked processes."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.folder), MARK: self.mark}

    def start(self, *command: str) -> subprocess.Popen[str]:
        with (self.folder.parent / "out").open("w") as out, (self.folder.parent / "err").open("w") as err:
            return subprocess.Popen(
                command, stdout=out, stderr=err, text=True, env=self.environment, start_new_session=True
            )

    def said(self, stream: str = "out") -> str:
        return (self.folder.parent / stream).read_text()

    def url(self) -> str:
        until(lambda: "ready http" in self.said() and self.said().endswith("\n"))
        line = next(line for line in self.said().splitlines() if line.startswith("ready "))
        return line.removeprefix("ready ")

    def processes(self) -> dict[int, str]:
        """Command lines of all that runs with our mark."""
        wanted = f"{MARK}={self.mark}".encode()
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (path / "environ").read_bytes().split(b"\0"):
                    found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {pid: command for pid, command in found.items() if command}

    def assert_nothing_left(self) -> None:
        until(lambda: not self.processes())
        assert list(self.folder.iterdir()) == []


@pytest.fixture
def running() -> Iterator[Running]:
    with TemporaryDirectory(prefix="mx-") as name:
        folder = Path(name, "tmp")
        folder.mkdir()
        run = Running(folder)
        try:
            yield run
        finally:
            for pid in run.processes():
                os.kill(pid, signal.SIGKILL)


def meshext(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "meshext", *arguments]


@pytest.mark.envoy
def test_trying_shows_every_call_and_ends_well(running: Running) -> None:
    process = running.start(*meshext("run", HELLO, "--try"))
    assert process.wait(60) == 0
    first, heading, *rows, last = running.said().splitlines()
    assert first.startswith("ready http://127.0.0.1:")
    assert heading.split() == ["call", "request", "status", "answer"]
    assert [row[:2] for row in rows] == ["ok"] * 3
    assert last == "3 calls, all as expected"
    logged = running.said("err").splitlines()
    assert len(logged) == 3
    assert all(" info    access [" in line for line in logged)
    running.assert_nothing_left()


@pytest.mark.envoy
def test_trying_ends_with_1_where_a_call_went_wrong(running: Running, tmp_path: Path) -> None:
    (tmp_path / "expect.yaml").write_text(WRONG)
    (tmp_path / "filter.py").write_text((EXAMPLES / "01_hello" / "filter.py").read_text())
    process = running.start(*meshext("run", str(tmp_path / "filter.py"), "--try"))
    assert process.wait(60) == 1
    assert running.said().splitlines()[-3:] == [
        "  greets: status 200, expected 404",
        "  greets: body 'hello, stranger\\n', expected it to contain 'farewell'",
        "1 call, 1 not as expected",
    ]


@pytest.mark.envoy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(number: signal.Signals, running: Running) -> None:
    process = running.start(*meshext("run", HELLO))
    url = running.url()
    assert send(url, target="/hello?name=you").text == "hello, you\n"
    assert list(running.folder.iterdir()) != []
    os.killpg(process.pid, number)  # as a terminal does, to the whole group
    assert process.wait(30) == 0
    running.assert_nothing_left()
    assert "Traceback" not in running.said("err")


@pytest.mark.envoy
def test_ctrl_c_while_it_starts(running: Running) -> None:
    process = running.start(*meshext("run", HELLO))
    until(lambda: any("meshext.hosts" in command for command in running.processes().values()))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (0, 130)
    running.assert_nothing_left()
    assert "Traceback" not in running.said("err")


@pytest.mark.envoy
def test_it_ends_with_its_parent(running: Running) -> None:
    parent = running.start(sys.executable, "-c", PARENT, *meshext("run", HELLO))
    running.url()
    assert len(running.processes()) > 4
    parent.kill()
    parent.wait(30)
    running.assert_nothing_left()


@pytest.mark.envoy
def test_no_process_outlives_a_run_that_is_killed(running: Running) -> None:
    process = running.start(*meshext("run", HELLO))
    running.url()
    process.kill()
    process.wait(30)
    until(lambda: not running.processes())


@pytest.mark.envoy
@pytest.mark.parametrize(
    ("part", "line"),
    [("envoy.json", "meshext: Envoy ended with -9"), ("meshext.hosts ", "meshext: the filter's service")],
)
def test_an_end_that_nobody_wanted_is_told(part: str, line: str, running: Running) -> None:
    process = running.start(*meshext("run", HELLO))
    running.url()
    (pid,) = [pid for pid, command in running.processes().items() if part in command]
    os.kill(pid, signal.SIGKILL)
    assert process.wait(30) == 2
    assert running.said("err").splitlines()[-1].startswith(line)
    running.assert_nothing_left()


@pytest.mark.envoy
def test_several_upstreams_and_a_route_by_header(running: Running, tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text(
        "- {name: two, match: {prefix: /, headers: {x-version: v2}}, upstream: v2}\n"
        "- {name: one, match: {prefix: /}, upstream: v1}\n"
    )
    options = ["--upstream", "v1=echo", "--upstream", "v2=echo", "--routes", str(tmp_path / "routes.yaml")]
    process = running.start(*meshext("run", HELLO, *options))
    url = running.url()
    assert '"upstream": "v1"' in send(url, target="/a").text
    assert '"upstream": "v2"' in send(url, target="/a", headers=[("x-version", "v2")]).text
    process.terminate()
    assert process.wait(30) == 0


REFUSED = {
    "no such file": (["nowhere.py:Hello"], "'nowhere.py' is not a file; write path/to/file.py:Class"),
    "a configuration for none": (
        [HELLO, "--config", '{"a": 1}'],
        "--config: Hello takes no configuration; leave --config out",
    ),
    "a bad configuration": (
        [SIGNED, "--config", '{"secret": "short-secret"}'],
        "--config: secret is too short; write at least 32 random characters",
    ),
    "no such routes": ([HELLO, "--routes", "nowhere.yaml"], "nowhere.yaml: no such file"),
    "no such provider file": ([HELLO, "--jwt", "nowhere.yaml"], "nowhere.yaml: no such file"),
    "a mode that can not": (
        [SIGNED, "--mode", "authz"],
        "signed-token: ext_authz has no on_response; use --mode proc, or leave the hook out",
    ),
    "no level": (
        [HELLO, "--log-level", "loud"],
        "--log-level 'loud' is not a level; write debug, info, warning, error",
    ),
    "no port": (
        [HELLO, "--listen", "99999"],
        "'99999' is not an address; write HOST:PORT such as 127.0.0.1:9000, or unix:PATH",
    ),
    "no address": ([HELLO, "--listen", "unix:/x"], "--listen 'unix:/x': Envoy listens on [HOST:]PORT here"),
    "a key is missing": (
        [HELLO, "--tls-cert", __file__],
        "TLS: --tls-key is missing; a certificate and its key go together",
    ),
    "a store of services inside Envoy": (
        [HELLO, "--mode", "wasm", "--store", "redis://127.0.0.1"],
        "--store is for services; inside Envoy the store is Envoy's own",
    ),
    "an upstream without a name": (
        [HELLO, "--upstream", "=echo"],
        "--upstream: '' is no name; a name has letters, digits and inside it _.- as in 'v2=127.0.0.1:8080'",
    ),
}


@pytest.mark.parametrize(("arguments", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], line: str, process: Run) -> None:
    ended = process("run", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", f"meshext: {line}\n")


def test_a_port_in_use(process: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = process("run", HELLO, "--listen", str(port))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"meshext: can not listen on 127.0.0.1:{port}: Address already in use; "
        "choose another (port 0 takes a free one)\n"
    )


def test_no_envoy(process: Run) -> None:
    ended = process("run", HELLO, **{VARIABLE: "/nowhere/envoy"})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"meshext: {VARIABLE}='/nowhere/envoy' is not a file: set it to the path of an Envoy binary\n"
    )


def test_a_service_that_dies_at_once(process: Run, tmp_path: Path) -> None:
    (tmp_path / "dying.py").write_text(DYING)
    ended = process("run", str(tmp_path / "dying.py"))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "meshext: the filter's service ended with 7 before it served\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--redact", "x-key"], "--redact without --record has nothing to leave out"),
        (["--record", "OPEN"], "others may read it (mode 0644)"),
        (["--record", "LINK"], "it is a symbolic link"),
        (["--record", "/dev/full"], "is not a file"),
        (["--record", "NEW", "--redact", "x y"], "--redact 'x y' names no header"),
    ],
    ids=["alone", "open", "link", "device", "name"],
)
def test_a_recording_is_refused_before_anything_starts(
    options: list[str], words: str, running: Running, tmp_path: Path
) -> None:
    (tmp_path / "OPEN").touch(0o644)
    (tmp_path / "LINK").symlink_to(tmp_path / "elsewhere")
    given = [str(tmp_path / option) if option.isupper() else option for option in options]
    process = running.start(*meshext("run", HELLO, *given))
    assert process.wait(60) == 2
    assert len(running.said("err").splitlines()) == 1
    assert words in running.said("err")
    assert not (tmp_path / "NEW").exists()
    assert not (tmp_path / "elsewhere").exists()
    running.assert_nothing_left()
