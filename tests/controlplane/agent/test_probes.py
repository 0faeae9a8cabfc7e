"""What an application's answers mean, and when its state becomes another."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from meshext.envoy.echo import EchoServer
from meshext.envoy.upstreams import TcpAddress, UnixAddress, parse_address
from meshext_controlplane.agent import probes
from meshext_controlplane.agent.probes import Pace, Probe, Verdict, ask, watch
from tests.controlplane.agent.mesh import until


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", ""),
        ("/healthz", ""),
        ("/status/399", ""),
        ("/status/400", "it answered 400"),
        ("/status/503", "it answered 503"),
        ("/delay/5000", "no answer in 0.2 s"),
    ],
)
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_answers(path: str, problem: str, unix: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with EchoServer() as echo:
            address = parse_address(await echo.start(f"unix:{tmp_path}/app.sock" if unix else "127.0.0.1:0"))
            assert await ask(Probe(address, path), time_limit=0.2) == Verdict(problem)

    asyncio.run(scenario())


def test_nobody_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        for address in (UnixAddress(str(tmp_path / "none.sock")), TcpAddress("127.0.0.1", 1)):
            verdict = await ask(Probe(address), time_limit=1.0)
            assert verdict.problem
            assert verdict.refused

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_what_is_no_http(answer: bytes) -> None:
    async def scenario() -> None:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            address = TcpAddress("127.0.0.1", server.sockets[0].getsockname()[1])
            verdict = await ask(Probe(address, "/"), time_limit=5.0)
            assert "it does not speak HTTP" in verdict.problem
            assert not verdict.refused

    asyncio.run(scenario())


def test_only_so_many_failures_in_a_row_count(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["no", "", "no", "no", "", "no", "no", "no", "no", ""])
    told: list[tuple[bool, int]] = []
    asked = 0

    async def scripted(_: Probe, *, time_limit: float) -> Verdict:
        nonlocal asked
        asked += 1
        return Verdict(next(answers, ""))

    monkeypatch.setattr(probes, "ask", scripted)

    async def scenario() -> None:
        pace = Pace(period=0.001, failures=3)
        probe = Probe(TcpAddress("127.0.0.1", 1))
        watching = asyncio.create_task(watch([probe], pace, lambda ready: told.append((ready, asked))))
        await until(lambda: asked >= 10)
        watching.cancel()

    asyncio.run(scenario())
    assert told[:3] == [(True, 2), (False, 8), (True, 10)]


def test_where_nobody_listens_the_next_tries_do_not_wait_for_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, told = list[float](), list[bool]()
    nobody, starts = Verdict("nobody listens", refused=True), Verdict("it answered 503")
    answers = iter([Verdict(), *[nobody] * 4, starts, Verdict()])

    async def scripted(_: Probe, *, time_limit: float) -> Verdict:
        if (verdict := next(answers, None)) is None:
            raise asyncio.CancelledError
        return verdict

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(probes, "ask", scripted)
    monkeypatch.setattr(asyncio, "sleep", wait)

    async def scenario() -> None:
        probe = Probe(TcpAddress("127.0.0.1", 1))
        with contextlib.suppress(asyncio.CancelledError):
            await watch([probe], Pace(period=60.0, failures=3), told.append)

    asyncio.run(scenario())
    assert told == [True, False, True]
    assert waits == [60.0, *[0.1] * 4, 60.0, 60.0]


def test_without_ports_it_is_ready() -> None:
    told: list[bool] = []

    async def scenario() -> None:
        watching = asyncio.create_task(watch([], Pace(), told.append))
        await until(lambda: told)
        watching.cancel()

    asyncio.run(scenario())
    assert told == [True]


def test_an_application_that_never_comes_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_EARLY", 0.001)

    async def scenario() -> None:
        watching = asyncio.create_task(watch([Probe(TcpAddress("127.0.0.1", 1))], Pace(period=0.001), print))
        await until(lambda: caplog.records)
        watching.cancel()

    asyncio.run(scenario())
    assert "does not answer yet: connection to 127.0.0.1:1: " in caplog.text
