"""Commands to a Redis cluster: each goes to the node that holds its slot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, ResponseError

from meshext.errors import StoreUnavailable
from meshext.stores.pipeline import handed_over
from meshext.stores.redis_connect import Address
from meshext.stores.redis_link import Argument, RedisLink, within

SLOTS = 16_384
PAUSE = 0.1  # seconds between two looks at who holds which slot

Place = tuple[str, int]


class ClusterCalls:
    """One link to each node that holds slots; who holds which is looked up again whenever a node says so
    or is away.

    A command that was sent to the wrong node was not carried out, so it may follow the node's answer, once.
    """

    def __init__(self, name: str, seeds: Sequence[Address], patience: float) -> None:
        self.name = name
        self._seeds = seeds
        self._patience = patience
        self._links: dict[Place, RedisLink] = {}
        self._slots: list[Place] = []  # the holder of each slot; empty until it is known
        self._wanted = asyncio.Event()  # a new look
        self._looked = asyncio.Event()
        self._failed = False  # the first look
        self._task: asyncio.Task[None] | None = None

    async def call(self, *command: Argument, key: bytes) -> Any:
        """The reply of the node that holds the key."""
        if not self._slots:
            asyncio.get_running_loop().call_soon(self.start)
            async with within(self.name, self._patience):
                await self._first_look()
                return await self._send(key, command)
        return await self._send(key, command)

    def start(self) -> None:
        """Begin to look for nodes; needs a running event loop."""
        if self._task is None and not self._failed:
            self._wanted.set()
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """End all links."""
        self._failed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for link in self._links.values():
            await link.close()

    async def _first_look(self) -> None:
        while not self._slots:
            if self._failed:
                raise StoreUnavailable(f"{self.name} is away (no node says who holds which slot)")
            self._looked.clear()
            await self._looked.wait()

    async def _send(self, key: bytes, command: tuple[Argument, ...]) -> Any:
        started = asyncio.get_running_loop().time()
        slot = key_slot(key)
        place = self._slots[slot]
        try:
            return await (await self._link(place)).call(*command)
        except (MovedError, AskError) as error:
            asking = not isinstance(error, MovedError)
            if not asking:
                self._wanted.set()
            elsewhere = (error.host or place[0], int(error.port))
        except (StoreUnavailable, ClusterDownError):
            self._wanted.set()
            raise
        left = started + self._patience - asyncio.get_running_loop().time()
        async with within(self.name, left):
            return await (await self._link(elsewhere)).call(*command, asking=asking)

    async def _link(self, place: Place) -> RedisLink:
        known = self._links.get(place)
        if known is not None:
            return known
        made: RedisLink = await handed_over(lambda future: self._make_link(place, future))
        return made

    def _make_link(self, place: Place, future: asyncio.Future[RedisLink]) -> None:
        link = self._links.get(place)
        if link is None:
            connect = partial(self._seeds[0].connect, place)
            link = RedisLink(f"{self.name}, node {place[0]}:{place[1]}", connect, self._patience)
            link.start()
            self._links[place] = link
        if not future.done():
            future.set_result(link)

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            slots = await self._look()
            if slots:
                self._slots = slots
                await self._drop_links(set(slots))
            else:
                self._failed = True
                self._wanted.set()
            self._looked.set()
            await asyncio.sleep(PAUSE)

    async def _look(self) -> list[Place]:
        """The holder of each slot as the first node tells that answers; empty where none does."""
        for place in dict.fromkeys([*self._slots, *(seed.place for seed in self._seeds)]):
            with contextlib.suppress(StoreUnavailable, ResponseError, ValueError, TypeError, IndexError):
                ranges = await (await self._link(place)).call("CLUSTER", "SLOTS")
                slots = holders(ranges, place)
                if slots:
                    return slots
        return []

    async def _drop_links(self, places: set[Place]) -> None:
        for place in self._links.keys() - places:
            await self._links.pop(place).close()


def holders(ranges: Sequence[Sequence[Any]], asked: Place) -> list[Place]:
    """The holder of each slot out of CLUSTER SLOTS; empty where some slot has none.

    A node that does not know its own address leaves the host empty: it is the one that was asked.
    """
    slots: list[Place | None] = [None] * SLOTS
    for first, last, master, *_ in ranges:
        host = (master[0] or b"").decode() or asked[0]
        for slot in range(int(first), int(last) + 1):
            slots[slot] = (host, int(master[1]))
    return [] if None in slots else [place for place in slots if place is not None]
