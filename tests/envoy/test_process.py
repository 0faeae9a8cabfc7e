"""The real Envoy, started and stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from meshext.envoy.logs import LogLine, format_line
from meshext.envoy.process import EnvoyProcess, validate
from meshext.errors import EnvoyError, ListenError

pytestmark = pytest.mark.envoy

Bootstrap = Callable[..., str]
Until = Callable[..., None]
Gone = Callable[[int], bool]

PARENT = """
import asyncio, pathlib, sys
from meshext.envoy.process import EnvoyProcess
async def main():
    envoy = await EnvoyProcess.start(sys.argv[1], pathlib.Path(sys.argv[2]), concurrency=1)
    print(envoy.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    body = await reader.readexactly(int(length[1]))
    writer.close()
    return body


def test_starts_serves_and_leaves_nothing(
    envoy: Path, short_dir: Path, bootstrap: Bootstrap, gone: Gone
) -> None:
    lines: list[LogLine] = []

    async def run() -> int:
        directory = short_dir / "run"
        started = await EnvoyProcess.start(bootstrap(), directory, on_log=lines.append, concurrency=1)
        async with started:
            assert directory.stat().st_mode & 0o777 == 0o700
            assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
                "envoy.json": 0o600,
                "admin.sock": 0o600,
            }
            assert await ask(started.port("main")) == b"hello"
            command = Path(f"/proc/{started.pid}/cmdline").read_bytes()
            assert b"direct_response" not in command
            with pytest.raises(EnvoyError, match="Envoy has no listener 'other'; it has main"):
                started.port("other")
            assert not gone(started.pid)
            assert os.getpgid(started.pid) == started.pid  # Ctrl-C is ours alone
        assert list(directory.iterdir()) == []
        await started.stop()
        assert await started.wait() == started.returncode == 0
        return started.pid

    assert gone(asyncio.run(run()))
    assert [line for line in lines if line.level in ("error", "critical")] == []


def test_the_admin_interface(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    async def run() -> None:
        async with await EnvoyProcess.start(bootstrap(), short_dir, concurrency=1) as started:
            admin = started.admin
            assert await admin.listeners() == {"main": ("127.0.0.1", started.port("main"))}
            await ask(started.port("main"))
            assert await admin.stats(r"^http\.main\.downstream_rq_2xx$") == {"http.main.downstream_rq_2xx": 1}
            assert "configs" in await admin.config_dump()
            await admin.post("/healthcheck/fail")
            assert not await admin.is_ready()
            with pytest.raises(EnvoyError, match="answered 404"):
                await admin.get("/no-such-path")

    asyncio.run(run())


def test_two_side_by_side(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    async def run() -> None:
        both = await asyncio.gather(
            *(EnvoyProcess.start(bootstrap(body=name), short_dir / name, concurrency=1) for name in "ab")
        )
        assert [await ask(each.port("main")) for each in both] == [b"a", b"b"]
        await asyncio.gather(*(each.stop() for each in both))

    asyncio.run(run())


def start_and_fail(text: str, directory: Path, lines: list[LogLine]) -> None:
    asyncio.run(EnvoyProcess.start(text, directory, on_log=lines.append, concurrency=1))


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_port_in_use(envoy: Path, short_dir: Path, bootstrap: Bootstrap, option: int) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, option, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            ListenError, match=rf"^can not listen on 127\.0\.0\.1:{port}: Address already in use;"
        ):
            start_and_fail(bootstrap(port=port), short_dir, [])


def test_a_bind_that_only_envoy_can_try(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    taken = bootstrap().replace(
        '"socket_address": {"address": "127.0.0.1", "port_value": 0}', '"pipe": {"path": "/proc/x"}'
    )
    lines: list[LogLine] = []
    with pytest.raises(ListenError, match=r"^can not listen on /proc/x: "):
        start_and_fail(taken, short_dir, lines)
    assert lines == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"stat_prefix": "main"', '"stat_prefixx": 1', r"no such field: 'stat_prefixx'$"),
        (
            '"stat_prefix": "main", ',
            "",
            r"Proto constraint validation failed \(HttpConnectionManager\S+StatPrefix: ",
        ),
        ('"@type": "type.googleapis.com/envoy', '"@type": "type.googleapis.com/nobody', "nobody"),
        ('{"prefix": "/"}', '{"safe_regex": {"regex": "(\\u001b\\n"}}', r"missing \): \(\\x1b$"),
    ],
)
def test_a_bad_configuration(
    envoy: Path, short_dir: Path, bootstrap: Bootstrap, old: str, new: str, reason: str
) -> None:
    text = bootstrap()
    assert old in text
    bad = text.replace(old, new)
    lines: list[LogLine] = []
    for coroutine in (EnvoyProcess.start(bad, short_dir, on_log=lines.append), validate(bad)):
        with pytest.raises(EnvoyError, match=reason) as caught:
            asyncio.run(coroutine)
        assert re.match(r"Envoy refused its configuration: \S", str(caught.value))
        assert str(caught.value).isprintable()
    assert lines == []


def test_a_good_configuration(envoy: Path, bootstrap: Bootstrap) -> None:
    asyncio.run(validate(bootstrap()))


def test_a_port_in_use_is_no_matter_for_validation(envoy: Path, bootstrap: Bootstrap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        asyncio.run(validate(bootstrap(port=other.getsockname()[1])))


def test_a_listener_that_never_comes(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    start = EnvoyProcess.start(
        bootstrap(), short_dir, listeners=["main", "b"], concurrency=1, ready_limit=1.0
    )
    with pytest.raises(EnvoyError, match=r"^Envoy was not ready in 1 s \(listeners not bound: b\)$"):
        asyncio.run(start)
    assert list(short_dir.iterdir()) == []


def test_a_start_that_is_cancelled(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    async def run() -> None:
        start = EnvoyProcess.start(bootstrap(), short_dir, listeners=["never"], concurrency=1)
        task = asyncio.create_task(start)
        while not (short_dir / "admin.sock").exists():
            await asyncio.wait({task}, timeout=0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert list(short_dir.iterdir()) == []
    assert str(short_dir).encode() not in b"".join(
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
    )


def test_a_program_that_is_not_there(short_dir: Path, bootstrap: Bootstrap) -> None:
    start = EnvoyProcess.start(bootstrap(), short_dir, envoy=Path("/no/such/envoy"))
    with pytest.raises(
        EnvoyError, match=r"^Envoy ended with 127: can not run '/no/such/envoy': No such file"
    ):
        asyncio.run(start)


def test_an_envoy_that_dies_says_how(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    async def run() -> None:
        async with await EnvoyProcess.start(bootstrap(), short_dir, concurrency=1) as started:
            os.kill(started.pid, signal.SIGKILL)
            assert await started.wait() == -signal.SIGKILL
            assert str(started.failure()) == "Envoy was ended by SIGKILL"

    asyncio.run(run())


def test_an_envoy_that_hangs_is_killed(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    async def run() -> None:
        async with await EnvoyProcess.start(bootstrap(), short_dir, concurrency=1) as started:
            os.kill(started.pid, signal.SIGSTOP)
            await started.stop(grace=0.1)
            assert started.returncode == -signal.SIGKILL

    asyncio.run(run())


def test_a_handler_that_fails_does_not_stop_the_log(
    envoy: Path, short_dir: Path, bootstrap: Bootstrap, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []

    def handle(line: LogLine) -> None:
        lines.append(format_line(line))
        raise RuntimeError("handler")

    async def run() -> None:
        start = EnvoyProcess.start(bootstrap(), short_dir, on_log=handle, log_level="info", concurrency=1)
        async with await start:
            pass

    asyncio.run(run())
    assert any(line.endswith(" info    envoy.main exiting") for line in lines)
    assert "the log handler failed" in caplog.text


def test_access_logs_on_standard_output(envoy: Path, short_dir: Path, bootstrap: Bootstrap) -> None:
    stdout = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
    document = json.loads(bootstrap())
    manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["access_log"] = [{"name": "stdout", "typed_config": {"@type": stdout}}]
    lines: list[LogLine] = []

    async def run() -> None:
        start = EnvoyProcess.start(json.dumps(document), short_dir, on_log=lines.append, concurrency=1)
        async with await start as started:
            await ask(started.port("main"))

    asyncio.run(run())
    assert ['"GET / HTTP/1.1" 200' in line.message for line in lines if line.component == "output"] == [True]


def test_no_envoy_outlives_a_parent_that_was_killed(
    envoy: Path, short_dir: Path, bootstrap: Bootstrap, until: Until, gone: Gone
) -> None:
    command = [sys.executable, "-c", PARENT, bootstrap(), str(short_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}/exe").resolve() == envoy
        parent.kill()
    until(lambda: gone(child))
