"""One connection to one Redis, shared by all calls, and made again for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from meshext.errors import StoreUnavailable
from meshext.stores.availability import Availability
from meshext.stores.pipeline import Pipeline, handed_over

PAUSE = 0.1  # seconds between two tries to connect
GIVE_UP = 0.5  # seconds without any answer, after which a connection is given up

Connect = Callable[[], Awaitable[AbstractConnection]]
Argument = bytes | str | int


class RedisLink:
    """Sends calls as they come, without waiting for the answers to earlier ones.

    Redis answers in order, so one connection serves any number of calls, and an answer that came too late is
    known by its place and never taken for another's. While there is no connection, or Redis is silent, calls
    fail at once; only during a first try to connect they wait for it. Nothing is ever sent twice.
    """

    def __init__(self, name: str, connect: Connect, patience: float) -> None:
        self.name = name
        self._connect = connect
        self._patience = patience
        self._availability = Availability(name)
        self._task: asyncio.Task[None] | None = None
        self._use: _Use | None = None
        self._reason = ""  # why there is no connection; empty before the first try has ended
        self._changed = asyncio.Event()
        self._closed = False

    async def call(self, *command: Argument, key: bytes = b"", asking: bool = False) -> Any:  # noqa: ARG002
        """The reply to one command; raises StoreUnavailable, or what Redis answered as ResponseError.

        There is one way to go, whatever the `key`. `asking` puts ASKING in front (a slot that moves).
        """
        use = self._use
        if use is None:
            asyncio.get_running_loop().call_soon(self.start)
            async with within(self.name, self._patience):
                return await (await self._first_use()).ask(command, asking)
        return await use.ask(command, asking)

    def start(self) -> None:
        """Begin to connect, unless that has begun; needs a running event loop."""
        if self._task is None and not self._closed:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """End the connection and the tries."""
        self._availability.forget()
        self._closed, self._reason = True, "it was closed"
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _first_use(self) -> _Use:
        while self._use is None:
            if self._reason:
                raise StoreUnavailable(f"{self.name} is away ({self._reason})")
            self._changed.clear()
            await self._changed.wait()
        return self._use

    async def _keep(self) -> None:
        while True:
            try:
                connection = await self._connect()
            except Exception as error:  # whatever it is, the next try may do better
                self._lose(describe(error))
                await asyncio.sleep(PAUSE)
                continue
            if await self._use_up(connection):
                await asyncio.sleep(PAUSE)

    async def _use_up(self, connection: AbstractConnection) -> bool:
        """Use a connection until it ends; whether calls were lost with it, or it may be so again."""
        use = _Use(self.name, connection, self._patience, self._lose, self._availability.back)
        self._use, self._reason = use, ""
        self._changed.set()
        self._availability.back()
        try:
            reason, harmless = await use.end()
        finally:
            self._use = None
            await use.stop()
        if not harmless:
            self._lose(reason)
        return not harmless

    def _lose(self, reason: str) -> None:
        if self._use is None:
            self._reason = reason
        self._changed.set()
        self._availability.lost(reason)


class _Use:
    """One connection from its first command to its end."""

    def __init__(
        self,
        name: str,
        connection: AbstractConnection,
        patience: float,
        on_silence: Callable[[str], None],
        on_voice: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._name = name
        self._connection = connection
        self._on_silence = on_silence
        self._on_voice = on_voice
        self._pipeline: Pipeline[Any] = Pipeline(name, patience, self._silent)
        self._unsent: list[bytes] = []
        self._something = asyncio.Event()
        self._blocked = False  # whether the connection takes no more for now
        self._end: asyncio.Future[tuple[str, bool]] = loop.create_future()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._write())]
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, command: tuple[Argument, ...], asking: bool) -> Any:
        """The reply to one command."""
        packed = self._connection.pack_command(*command)
        return await handed_over(lambda future: self._begin(packed, asking, future))

    def _begin(self, packed: list[bytes], asking: bool, future: asyncio.Future[Any]) -> None:
        if future.done():
            return
        if self._pipeline.stalled or self._end.done():
            reason = f"is away ({self._end.result()[0]})" if self._end.done() else "does not answer"
            future.set_exception(StoreUnavailable(f"{self._name} {reason}"))
            return
        if asking:
            self._unsent += self._connection.pack_command("ASKING")
            nobody = asyncio.get_running_loop().create_future()
            nobody.cancel()
            self._pipeline.expect(nobody)
        self._pipeline.expect(future)
        self._unsent += packed
        self._something.set()
        if self._blocked:
            self._pipeline.sent()

    async def end(self) -> tuple[str, bool]:
        """Why it ended, and whether no call was lost with it."""
        await asyncio.wait([self._end])  # which, unlike awaiting it, leaves it alone when we are cancelled
        return self._end.result()

    async def stop(self) -> None:
        """Let go of everything."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._pipeline.break_off(self._end.result()[0] if self._end.done() else "it was closed")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._connection.disconnect(nowait=True)

    async def _read(self) -> None:
        try:
            while True:
                try:
                    reply = await self._connection.read_response(
                        disable_decoding=True, disconnect_on_error=False
                    )
                except ResponseError as error:
                    reply = error
                self._take_in(reply)
        except Exception as error:  # nothing can be read behind it
            self._finish(describe(error))

    def _take_in(self, reply: Any) -> None:
        stalled = self._pipeline.stalled
        self._pipeline.answer(reply)
        if stalled:
            self._on_voice()
        if isinstance(reply, ReadOnlyError):
            self._finish("it is a replica now")  # a new connection may find who is not

    async def _write(self) -> None:
        try:
            while True:
                await self._something.wait()
                self._something.clear()
                data, self._unsent = b"".join(self._unsent), []
                self._pipeline.sent()
                self._blocked = True
                await self._connection.send_packed_command(data, check_health=False)
                self._blocked = False
        except Exception as error:
            self._finish(describe(error))

    def _silent(self) -> None:
        self._on_silence("it does not answer")
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(GIVE_UP, self._give_up)

    def _give_up(self) -> None:
        if self._pipeline.stalled:
            self._finish(f"it did not answer for {GIVE_UP:g} s")

    def _finish(self, reason: str) -> None:
        if not self._end.done():
            self._end.set_result((reason, not len(self._pipeline)))


@contextlib.asynccontextmanager
async def within(name: str, seconds: float) -> AsyncIterator[None]:
    """End what runs in it with StoreUnavailable after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StoreUnavailable(f"{name}: no answer in time") from error


def describe(error: BaseException) -> str:
    """One line for the log, without the address, which is named already."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else "it does not answer in time"
