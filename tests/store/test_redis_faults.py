"""Redis killed, stopped, unreachable, back: every call ends in time, counts once, and gets its own answer."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority
from meshext.errors import StoreError, StoreUnavailable
from meshext.limits import Limit
from meshext.store import Store
from meshext.stores import availability, open_store
from meshext.stores.pipeline import PATIENCE
from meshext.stores.redis_opening import open_redis
from meshext.stores.redis_url import parse_redis_url
from tests.store.redis_server import RedisServer

pytestmark = pytest.mark.alone

T = TypeVar("T")

ROOM = 0.1  # seconds that a busy machine may add to a promise
SOON = 1.0  # seconds until a Redis that is back is used again


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis to break."""
    with RedisServer() as ready:
        yield ready


@asynccontextmanager
async def opened(url: str, *, ready: bool = True) -> AsyncIterator[Store]:
    store = open_store(url)
    await store.start()
    if ready:
        await succeeds(lambda: store.get("a"))
    yield store
    await store.close()


async def succeeds(call: Callable[[], Awaitable[T]], within: float = 10.0) -> T:
    """The result as soon as there is one."""
    async with asyncio.timeout(within):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(0.005)


async def fails(call: Awaitable[object]) -> float:
    """The seconds until it fails."""
    begin = time.perf_counter()
    with pytest.raises(StoreUnavailable):
        await call
    return time.perf_counter() - begin


def limit(rate: int = 100) -> Limit:
    return Limit(key="a", algorithm="fixed_window", rate=rate, window=1e6)


def test_killed_and_back(
    server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "SETTLED", 0.05)

    async def check() -> None:
        async with opened(server.url) as store:
            await store.take([limit()])
            server.kill()
            waits = [await fails(store.take([limit()])) for _ in range(200)]
            assert max(waits) < PATIENCE + ROOM
            assert sum(waits) < 1.0  # they do not even try
            server.start()
            (outcome,) = await succeeds(lambda: store.take([limit()]), SOON)
            assert outcome.remaining == 99  # what was counted died with it
            await asyncio.sleep(0.1)

    with caplog.at_level(logging.INFO, "meshext.store"):
        asyncio.run(check())
    lost, back = caplog.messages
    assert lost.startswith(f"store {server.url} is away (")
    assert back.startswith(f"store {server.url} is back, after ")


def test_stopped_and_continued(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            await store.set("b", b"b")
            server.pause()
            begin = time.perf_counter()
            waits = await asyncio.gather(*(fails(store.add("n")) for _ in range(1000)))
            assert max(waits) < PATIENCE + ROOM + 0.2  # a thousand calls cost time of their own
            assert await fails(store.get("b")) < PATIENCE  # from now on at once
            server.resume()
            # The answers that came too late are nobody's: this one is to the right question.
            assert await succeeds(lambda: store.get("b"), SOON) == b"b"
            assert await store.get("n") == b"1000"  # all were sent before it was known, and each once
            assert time.perf_counter() - begin < 2 * SOON

    asyncio.run(check())
    assert len(caplog.messages) == 1
    assert "is away (it does not answer)" in caplog.text


def test_silent_for_long_and_continued(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """The connection is given up, and new ones are tried until one answers."""

    async def check() -> None:
        async with opened(server.url) as store:
            server.pause()
            await fails(store.add("n"))
            await asyncio.sleep(1.3)
            assert await fails(store.add("n")) < PATIENCE
            server.resume()
            assert await succeeds(lambda: store.add("n"), SOON) == 2
            clients = server.ask("CLIENT", "LIST").count("name=")
            assert clients <= 2  # ours and the one that asks

    asyncio.run(check())
    assert len(caplog.messages) == 1


def test_away_at_the_start(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        server.kill()
        async with opened(server.url, ready=False) as store:
            assert await fails(store.get("a")) < PATIENCE + ROOM
            assert await fails(store.get("a")) < PATIENCE
            server.start()
            assert await succeeds(lambda: store.add("n"), SOON) == 1

    asyncio.run(check())
    assert len(caplog.messages) == 1


def test_the_first_call_waits_for_the_connection(server: RedisServer) -> None:
    async def check() -> None:
        store = open_redis(parse_redis_url(server.url), patience=10)
        assert await store.get("a") is None
        await store.close()
        with pytest.raises(StoreUnavailable, match="it was closed"):
            await store.get("a")

    asyncio.run(check())


def test_an_idle_connection_that_redis_closes_is_no_loss(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            for total in range(1, 6):
                server.ask("CLIENT", "KILL", "TYPE", "normal")
                await asyncio.sleep(0.05)
                assert await store.add("n") == total

    asyncio.run(check())
    assert caplog.messages == []


def test_scripts_that_redis_forgot_are_sent_again(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            assert await store.add("n") == 1
            server.ask("SCRIPT", "FLUSH")
            assert await asyncio.gather(*(store.add("n") for _ in range(5))) == [2, 3, 4, 5, 6]

    asyncio.run(check())


def test_a_caller_that_gave_up_costs_nobody_an_answer(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            await asyncio.gather(*(store.set(f"{n}", b"%d" % n) for n in range(200)))
            calls = [asyncio.create_task(store.get(f"{n}")) for n in range(200)]
            await asyncio.sleep(0)
            for call in calls[::3]:
                call.cancel()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert [r for n, r in enumerate(results) if n % 3] == [b"%d" % n for n in range(200) if n % 3]

    asyncio.run(check())


def test_services_share_one_limit_exactly(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as one, opened(server.url) as two:
            outcomes = await asyncio.gather(
                *(store.take([limit()]) for _ in range(80) for store in (one, two))
            )
            assert sum(outcome.allowed for (outcome,) in outcomes) == 100

    asyncio.run(check())


def test_a_loop_that_was_held_up_itself_blames_nobody(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            call = asyncio.create_task(store.add("n"))
            while not server.ask("GET", "meshext:value:n").startswith("$1"):  # noqa: ASYNC110  # no event
                await asyncio.sleep(0)
            time.sleep(4 * PATIENCE)  # noqa: ASYNC251  # as a hook that computes
            assert await call == 1

    asyncio.run(check())


class Relay:
    """Bytes to and from Redis, until they are swallowed without a word, as a network does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open = asyncio.Event()
        self.open.set()
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await self.open.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            back.close()
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.open.is_set():  # what comes while it is closed is lost
                writer.write(data)
        writer.close()


def test_a_black_hole_is_left_for_a_new_connection(server: RedisServer) -> None:
    async def check() -> None:
        relay = Relay(server.port)
        async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as listener:
            port = listener.sockets[0].getsockname()[1]
            async with opened(f"redis://127.0.0.1:{port}") as store:
                assert await store.add("n") == 1
                relay.open.clear()
                await fails(store.add("n"))
                await asyncio.sleep(0.8)
                assert await fails(store.add("n")) < PATIENCE
                relay.open.set()
                assert await succeeds(lambda: store.add("n"), SOON) == 2  # what was lost is not sent again
                assert 2 <= relay.connections <= 5

    asyncio.run(check())


def test_tls(server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority(tmp_path, "ca")
    pair = authority.issue("leaf", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)

    async def check() -> None:
        relay = Relay(server.port)
        async with await asyncio.start_server(relay.serve, "127.0.0.1", 0, ssl=context) as listener:
            url = f"rediss://localhost:{listener.sockets[0].getsockname()[1]}"
            async with opened(f"{url}?ssl_ca_certs={authority.file}") as store:
                assert await store.add("n") == 1
            async with opened(url, ready=False) as store:
                await succeeds(lambda: told(caplog, "certificate verify failed"))
                assert await fails(store.add("n")) < PATIENCE

    asyncio.run(check())


async def told(caplog: pytest.LogCaptureFixture, text: str) -> None:
    if text not in caplog.text:
        raise StoreUnavailable(text)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (("maxmemory", "1"), "maxmemory"),
        (("min-replicas-to-write", "1"), "replicas"),
    ],
)
def test_what_redis_refuses_for_now_is_unavailable(
    server: RedisServer, config: tuple[str, str], text: str
) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            server.ask("CONFIG", "SET", *config)
            with pytest.raises(StoreUnavailable, match=text):
                await store.set("a", b"x")
            with pytest.raises(StoreUnavailable, match=text):
                await store.take([limit()])
            server.ask("CONFIG", "SET", config[0], "0")
            await store.set("a", b"x")

    asyncio.run(check())


def test_a_replica_is_left_for_whoever_is_the_master(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            server.ask("REPLICAOF", "127.0.0.1", "1")
            with pytest.raises(StoreUnavailable, match=r"replica"):
                await store.set("a", b"x")
            server.ask("REPLICAOF", "NO", "ONE")
            await succeeds(lambda: store.set("a", b"x"), SOON)

    asyncio.run(check())


def test_another_programs_value_is_a_store_error(server: RedisServer) -> None:
    async def check() -> None:
        async with opened(server.url) as store:
            server.ask("LPUSH", "meshext:value:a", "x")
            for call in (store.get("a"), store.add("a"), store.compare_and_set("a", None, b"x")):
                with pytest.raises(StoreError, match="WRONGTYPE") as refused:
                    await call
                assert not isinstance(refused.value, StoreUnavailable)

    asyncio.run(check())


def test_credentials_are_used_and_never_said(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    server.ask("ACL", "SETUSER", "me", "on", ">s3cret", "+@all", "~*")
    server.ask("CONFIG", "SET", "requirepass", "other")
    place = server.url.removeprefix("redis://")

    async def check() -> None:
        async with opened(f"redis://me:s3cret@{place}/3") as store:
            assert await store.add("n") == 1
        async with opened(f"redis://me:wr0ng@{place}", ready=False) as store:
            with pytest.raises(StoreUnavailable) as refused:
                await store.get("a")
            assert "wr0ng" not in str(refused.value)

    asyncio.run(check())
    (message,) = caplog.messages
    assert f"store redis://{place} is away (" in message
    assert "wr0ng" not in caplog.text
    assert "invalid username-password pair" in message


def test_nothing_stays_behind(server: RedisServer) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    async def use() -> None:
        async with opened(server.url) as store:
            await store.add("n")
            server.pause()
            await fails(store.add("n"))
            server.resume()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    before = descriptors()
    for _ in range(5):
        asyncio.run(use())
    assert descriptors() == before
