"""The thread that answers workers."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from meshext.hosts.parent_loop import ParentLoop


@pytest.fixture
def loop() -> Iterator[ParentLoop]:
    loop = ParentLoop()
    loop.start()
    yield loop
    loop.stop()
    loop.stop()


async def shout(channel: socket.socket) -> None:
    running = asyncio.get_running_loop()
    while said := await running.sock_recv(channel, 100):
        await running.sock_sendall(channel, said.upper())


def test_serves_each_worker_until_it_is_gone(loop: ParentLoop) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for ours, _ in pairs:
        loop.serve(shout, ours)
    for _, theirs in pairs:
        with theirs:
            theirs.settimeout(10)
            theirs.sendall(b"hello")
            assert theirs.recv(100) == b"HELLO"
    loop.call(asyncio.sleep(0)).result(10)


def test_failure_is_logged_and_ends_that_socket_alone(
    loop: ParentLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(channel: socket.socket) -> None:
        await asyncio.get_running_loop().sock_recv(channel, 1)
        raise ValueError("not what was agreed")

    ours, theirs = socket.socketpair()
    with theirs, caplog.at_level(logging.ERROR):
        loop.serve(fail, ours)
        theirs.sendall(b"x")
        theirs.settimeout(10)
        assert theirs.recv(1) == b""
        loop.call(asyncio.sleep(0)).result(10)
    assert "not what was agreed" in caplog.text


def test_stop_cancels_what_runs() -> None:
    loop, began, ended = ParentLoop(), threading.Event(), threading.Event()

    async def wait() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loop.start()
    loop.spawn(wait())
    assert began.wait(10)
    loop.stop()
    assert ended.is_set()


def test_stop_without_a_start() -> None:
    ParentLoop().stop()
