"""A store in Redis: what several services share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from redis.exceptions import NoScriptError, ResponseError

from meshext.errors import StoreError, StoreUnavailable
from meshext.limits import Limit, Outcome, add_up, decide, to_micros
from meshext.store import (
    LONGEST_TTL,
    Store,
    add_number,
    check_amount,
    check_key,
    check_limits,
    check_ttl,
    check_value,
)
from meshext.stores.pipeline import PATIENCE
from meshext.stores.redis_link import Argument, within
from meshext.stores.redis_scripts import ADD, COMPARE_AND_SET, TAKE, Script, read_take, take_arguments

NAMESPACE = re.compile(r"([0-9]+):")
NOT_OURS = "WRONGTYPE"


class Calls(Protocol):
    """How commands reach Redis: one connection, or those to the nodes of a cluster."""

    name: str

    async def call(self, *command: Argument, key: bytes) -> Any:
        """The reply; StoreUnavailable or redis' ResponseError where there is none."""

    def start(self) -> None:
        """Begin to connect."""

    async def close(self) -> None:
        """Let go of connections."""


class RedisStore(Store):
    """A store in Redis 5 or later, a cluster of them, or what Sentinels name as the master.

    Values are strings under `meshext:value:<key>` with Redis' own expiry (in milliseconds, rounded up), so
    other programs can read them. Counters are `meshext:limit:{<namespace>}:<limit>`; the braces keep those
    of one filter in one slot of a cluster, since a `take` of several is one step: in a cluster each filter's
    limits burden one node, while values spread over all.

    Time is Redis' own, so that services with different clocks agree; `now` puts another in its place, for
    limits alone. Redis forgets what it evicts, and the last hits where a replica takes over: such a counter
    begins anew or a little behind. Give Redis the memory, or the `maxmemory-policy` `volatile-ttl`.
    """

    def __init__(
        self, calls: Calls, *, patience: float = PATIENCE, now: Callable[[], float] | None = None
    ) -> None:
        self._calls = calls
        self._patience = patience
        self._now = now

    async def start(self) -> None:
        """See `Store.start`."""
        self._calls.start()

    async def close(self) -> None:
        """See `Store.close`."""
        await self._calls.close()

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        check_key(key)
        name = value_name(key)
        value: bytes | None = await self._call("GET", name, key=name)
        return value

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """See `Store.set`."""
        check_key(key)
        check_value(value)
        life = life_of(ttl)
        name = value_name(key)
        await self._call("SET", name, value, *(("PX", life) if life else ()), key=name)

    async def delete(self, key: str) -> None:
        """See `Store.delete`."""
        check_key(key)
        name = value_name(key)
        await self._call("DEL", name, key=name)

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """See `Store.add`."""
        check_key(key)
        check_amount(key, amount)
        reply = await self._run(ADD, [value_name(key)], [str(amount), life_of(ttl)])
        return add_number(key, reply[0], amount) if isinstance(reply, list) else int(reply)

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """See `Store.compare_and_set`."""
        check_key(key)
        check_value(value)
        if expected is not None:
            check_value(expected)
        wanted = ("0", b"") if expected is None else ("1", expected)
        reply = await self._run(COMPARE_AND_SET, [value_name(key)], [*wanted, value, life_of(ttl)])
        return bool(reply)

    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """See `Store.take`.

        The script takes, and tells what the counters were; what follows from that for each limit is told by
        the same function as everywhere.
        """
        check_limits(limits)
        if not limits:
            return ()
        wholes = add_up(limits)
        now = None if self._now is None else to_micros(self._now())
        names = [limit_name(limit) for limit in wholes.values()]
        reply = await self._run(TAKE, names, take_arguments(wholes, now))
        at, taken, states = read_take(reply, wholes)
        moved, outcomes = decide(limits, states, at)
        if taken != [identity in moved for identity in wholes]:
            raise StoreError(f"{self._calls.name}: a counter of {limits[0].key!r:.60} is not ours; delete it")
        return outcomes

    async def _run(self, script: Script, names: Sequence[bytes], arguments: Sequence[Argument]) -> Any:
        started = asyncio.get_running_loop().time()
        rest = (len(names), *names, *arguments)
        try:
            return await self._call("EVALSHA", script.sha, *rest, key=names[0])
        except NoScriptError:  # Redis is new, or was flushed; it has done nothing
            left = started + self._patience - asyncio.get_running_loop().time()
        async with within(self._calls.name, left):
            return await self._call("EVAL", script.text, *rest, key=names[0])

    async def _call(self, *command: Argument, key: bytes) -> Any:
        try:
            return await self._calls.call(*command, key=key)
        except NoScriptError:
            raise
        except ResponseError as error:
            text = f"{self._calls.name} refuses {command[0]!s}: {error!s:.200}"
            raise (StoreError if NOT_OURS in str(error) else StoreUnavailable)(text) from error


def value_name(key: str) -> bytes:
    """Where a value is."""
    return b"meshext:value:" + key.encode("utf-8", "surrogatepass")


def limit_name(limit: Limit) -> bytes:
    """Where a limit's counter is; what stands in the first braces decides the slot of a cluster."""
    space = namespace_of(limit.key).replace("}", "")
    return f"meshext:limit:{{{space}}}:{limit.identity}".encode("utf-8", "surrogatepass")


def namespace_of(key: str) -> str:
    """The namespace that NamespacedStore put in front; a key without one is in the namespace `-`."""
    match = NAMESPACE.match(key)
    if match is None:
        return "-"
    end = match.end() + int(match[1])
    return key[match.end() : end] or "-"


def life_of(ttl: float | None) -> Argument:
    """A time to live as whole milliseconds, rounded up; empty for one that never ends."""
    check_ttl(ttl)
    return "" if ttl is None else max(-(-to_micros(min(ttl, LONGEST_TTL)) // 1000), 1)
