"""The client of the admin interface against a peer that misbehaves; the real one is in test_process.py."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from meshext.envoy.admin import Admin
from meshext.errors import EnvoyError

T = TypeVar("T")


def answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def ask(directory: Path, raw: bytes | None, call: Callable[[Admin], Awaitable[T]]) -> T:
    """Call a client whose peer writes these bytes, or None and keeps the connection open."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if raw is None:
                await reader.read()
            else:
                writer.write(raw)
        finally:
            writer.close()

    async def run() -> T:
        path = directory / "admin.sock"
        async with await asyncio.start_unix_server(serve, path):
            return await call(Admin(path, time_limit=0.2 if raw is None else 10.0, max_body=1000))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (None, "gave no answer in 0.2 s"),
        (b"", "does not speak HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
        (answer("200 OK", "x" * 1001), "answered more than 1000 bytes"),
        (answer("404 Not Found", "no\nsuch path"), r"answered 404 'no\nsuch path'"),
        (answer("200 OK", "no json"), "answered no JSON"),
    ],
)
def test_a_peer_that_misbehaves(short_dir: Path, raw: bytes | None, why: str) -> None:
    with pytest.raises(EnvoyError, match=re.escape(why)) as caught:
        ask(short_dir, raw, lambda admin: admin.get_json("/x"))
    assert "asked for '/x'" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_nobody_there(short_dir: Path) -> None:
    admin = Admin(short_dir / "none.sock")
    with pytest.raises(EnvoyError, match=r"can not be reached \(No such file or directory\)"):
        asyncio.run(admin.get("/ready"))
    assert asyncio.run(admin.is_ready()) is False


def test_an_envoy_without_listeners_is_an_empty_object(short_dir: Path) -> None:
    assert ask(short_dir, answer("200 OK", "{}"), lambda admin: admin.listeners()) == {}


def test_what_is_no_number_is_no_stat(short_dir: Path) -> None:
    body = '{"stats": [{"name": "a", "value": 1}, {"name": "b", "value": "text"}, {"histograms": {}}]}'
    assert ask(short_dir, answer("200 OK", body), lambda admin: admin.stats()) == {"a": 1}
