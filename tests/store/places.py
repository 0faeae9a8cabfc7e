"""Every kind of store, on a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from meshext.store import MemoryStore, Store
from meshext.stores.redis_opening import open_redis
from meshext.stores.redis_url import parse_redis_url
from meshext.stores.server import StoreServer
from meshext.stores.shared import SharedStore
from tests.store.redis_server import RedisServer

T = TypeVar("T")

PATIENT = 10.0  # seconds; what a store says is tested here, not how soon
# What time would do to every key, had it passed.
AGE = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end
return 'aged'
"""


class Clock:
    """Seconds since 1970."""

    def __init__(self) -> None:
        self.seconds = 1_767_225_600.25

    def __call__(self) -> float:
        return self.seconds


class Memory:
    """A store in memory, and the loop that its calls run on."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.runner = asyncio.Runner()
        self.store: Store = self.make()

    def make(self) -> Store:
        return MemoryStore(self.clock)

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.store.close())
        self.runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(call)

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds


class Shared(Memory):
    """The same behind a socket; server and client take turns on one loop."""

    def make(self) -> Store:
        ours, theirs = socket.socketpair()
        self.server = self.runner.get_loop().create_task(StoreServer(super().make()).serve(theirs))
        return SharedStore(ours.detach(), patience=PATIENT)


class InRedis(Memory):
    """A store in a real Redis, which is emptied first."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        server.ask("FLUSHALL")
        super().__init__()

    def make(self) -> Store:
        return open_redis(parse_redis_url(self.server.url), patience=PATIENT, now=self.clock)

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        assert "aged" in self.server.ask("EVAL", AGE, "0", str(round(1000 * seconds)))
