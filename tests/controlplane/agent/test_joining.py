"""Joining: whom a token is shown to, what is kept, and what a person is told."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.directory import Directory, load_svid
from meshext_controlplane.agent.entrance import enter
from meshext_controlplane.agent.errors import (
    AgentError,
    ForgedServerError,
    JoinError,
    SvidError,
    UnreachableError,
)
from meshext_controlplane.agent.joining import join
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.root import fetch_trust
from meshext_controlplane.agent.svid import make_key
from tests.controlplane.agent.authority import Authority
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.mesh import identity, options, until


@asynccontextmanager
async def chosen(folder: Path) -> AsyncIterator[tuple[ControlPlane, SidecarOptions, Directory]]:
    async with ControlPlane() as control_plane:
        given = options(control_plane, folder)
        directory = Directory(given.data)
        try:
            yield control_plane, given, directory
        finally:
            directory.close()


def test_a_joined_workload_needs_no_token_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with chosen(tmp_path) as (control_plane, given, directory):
            first = await enter(directory, given)
            await control_plane.stop()
            again = await enter(directory, replace(given, token=""))
            assert (str(first.identity), first.chain) == (identity("a"), again.chain)
            assert control_plane.joined == [identity("a")]

    asyncio.run(scenario())


def test_a_lost_reply_is_asked_for_with_the_same_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with chosen(tmp_path) as (control_plane, given, directory):
            control_plane.life, control_plane.age = timedelta(minutes=1), timedelta(minutes=2)
            for _ in range(2):
                with pytest.raises(AgentError, match="expired"):
                    await enter(directory, given)
            control_plane.age = timedelta()
            await enter(directory, given)
            assert len(set(control_plane.keys)) == 1 < len(control_plane.keys)

    asyncio.run(scenario())


def test_nothing_is_said_to_a_forged_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            real = options(control_plane, tmp_path)
            async with ControlPlane(Authority("forged")) as forged:
                forged.tokens = control_plane.tokens
                directory = Directory(real.data)
                with pytest.raises(ForgedServerError, match="nothing was sent to it"):
                    await enter(directory, replace(real, join=forged.join_address))
                assert (forged.joined, forged.heard) == ([], [])
                directory.close()

    asyncio.run(scenario())


def test_the_right_root_beside_a_forged_certificate_is_no_way_in() -> None:
    """A forger can show the root as well, but he can not have a certificate of it."""

    async def scenario() -> None:
        real, forged = Authority(), Authority("forged")
        control_plane = ControlPlane(forged)
        control_plane.extra_chain = real.pem
        async with control_plane:
            with pytest.raises(UnreachableError):
                await join(control_plane.join_address, "token", real.fingerprint, make_key(), patience=0.0)
            assert control_plane.heard == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "broke off"), (b"HTTP/1.1 400 Bad Request\r\n", "no TLS"), (None, "did not finish")],
    ids=["nothing", "http", "silence"],
)
def test_what_is_no_control_plane_is_named(answer: bytes | None, words: str) -> None:
    async def scenario() -> None:
        ended = asyncio.Event()

        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if answer is None:
                await reader.read()
            elif await reader.read(1):
                writer.write(answer)
            writer.close()
            ended.set()

        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            address = TcpAddress("127.0.0.1", server.sockets[0].getsockname()[1])
            with pytest.raises(UnreachableError, match=words):
                await fetch_trust(address, bytes(32), time_limit=0.5)
            await ended.wait()

    asyncio.run(scenario())


def test_an_expired_token_is_refused_in_the_control_planes_words(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with chosen(tmp_path) as (control_plane, given, directory):
            control_plane.tokens.clear()
            with pytest.raises(JoinError, match="the token is unknown, used or expired"):
                await enter(directory, given)

    asyncio.run(scenario())


def test_the_expired_certificate_of_a_long_sleep_asks_for_a_token(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with chosen(tmp_path) as (control_plane, given, directory):
            control_plane.life, control_plane.age = timedelta(seconds=61), timedelta(seconds=60)
            await enter(directory, given)
            await until(lambda: expired(directory))
            with pytest.raises(AgentError, match="give a new --token"):
                await enter(directory, replace(given, token=""))
            control_plane.age = timedelta()
            assert (await enter(directory, given)).identity.service_account == "a"

    asyncio.run(scenario())


def expired(directory: Directory) -> bool:
    try:
        load_svid(directory)
    except SvidError as error:
        return "expired at" in str(error)
    return False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--token", "nonsense"], "this is no join token"),
        ([], "give --token, made by 'meshext token create'"),
        (["--port", "80=x", "--label", "a", "--address", "here"], "--label: 'a': write NAME=VALUE"),
        (["--log-level", "loud"], "--log-level: 'loud' is none of debug, info, warning, error"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path, words: list[str], said: str) -> None:
    command = [sys.executable, "-m", "meshext", "sidecar", "--control-plane", "127.0.0.1:1", "--name", "a"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "MESHEXT_TOKEN": ""}
    address = [] if "--address" in words else ["--address", "127.19.83.1"]
    done = subprocess.run(
        [*command, *address, *words], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
