"""The worker's side of a store that the supervisor keeps for all its workers."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from meshext.errors import StoreUnavailable
from meshext.limits import Limit, Outcome
from meshext.store import Store, check_amount, check_key, check_limits, check_ttl, check_value
from meshext.stores.fields import WireError
from meshext.stores.pipeline import PATIENCE, Pipeline, handed_over
from meshext.stores.wire import OPERATIONS, FrameReader, Operation, pack_arguments, pack_request, unpack_reply

READ_SIZE = 262_144  # bytes
T = TypeVar("T")

PEER = "the store in the supervisor"


class SharedStore(Store):
    """The supervisor's memory, over an inherited socket (`descriptor`, which from now on is ours).

    It belongs to the event loop of its first call. Calls do not wait for each other. One that is not
    answered within `patience` seconds raises StoreUnavailable; a supervisor that is gone or stands still
    makes calls fail at once, in the latter case until it answers again.
    """

    def __init__(self, descriptor: int, *, patience: float = PATIENCE) -> None:
        self._descriptor = descriptor
        self._patience = patience
        self._line: _Line | None = None

    async def start(self) -> None:
        """See `Store.start`."""
        self._connected()

    async def close(self) -> None:
        """See `Store.close`."""
        self._connected().hang_up("it was closed")

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        check_key(key)
        value: bytes | None = await self._ask("get", key)
        return value

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """See `Store.set`."""
        check_key(key)
        check_value(value)
        check_ttl(ttl)
        await self._ask("set", key, value, ttl)

    async def delete(self, key: str) -> None:
        """See `Store.delete`."""
        check_key(key)
        await self._ask("delete", key)

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """See `Store.add`."""
        check_key(key)
        check_ttl(ttl)
        check_amount(key, amount)
        total: int = await self._ask("add", key, amount, ttl)
        return total

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """See `Store.compare_and_set`."""
        check_key(key)
        check_value(value)
        if expected is not None:
            check_value(expected)
        check_ttl(ttl)
        written: bool = await self._ask("compare_and_set", key, expected, value, ttl)
        return written

    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """See `Store.take`."""
        check_limits(limits)
        verdicts = await self._ask("take", limits)
        return tuple(
            Outcome(allowed=allowed, limit=limit, remaining=remaining, reset_after=reset, retry_after=retry)
            for limit, (allowed, remaining, reset, retry) in zip(limits, verdicts, strict=True)
        )

    async def _ask(self, name: str, *arguments: object) -> Any:
        operation = OPERATIONS[name]
        fields = pack_arguments(operation, arguments)
        return await handed_over(lambda future: self._connected().ask(operation, fields, future))

    def _connected(self) -> _Line:
        if self._line is None:
            self._line = _Line(self._descriptor, self._patience)
        return self._line


class _Line:
    """The socket on its event loop, and what was asked over it."""

    def __init__(self, descriptor: int, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipeline: Pipeline[Any] = Pipeline(PEER, patience, lambda: None)
        self._asked: deque[tuple[int, Operation]] = deque()
        self._next = 0
        self._reader = FrameReader()
        self._unsent = bytearray()
        self._gone = ""
        try:
            self._socket = socket.socket(fileno=descriptor)
            self._socket.setblocking(False)
            self._loop.add_reader(self._socket, self._receive)
        except OSError as error:
            self._gone = f"no connection ({error.strerror})"

    def ask(self, operation: Operation, fields: bytes, future: asyncio.Future[Any]) -> None:
        """Send one call, for a future that gets its result."""
        if future.done():
            return
        if self._gone or self._pipeline.stalled:
            future.set_exception(StoreUnavailable(f"{PEER}: {self._gone or 'it does not answer'}"))
            return
        number = self._next
        self._next = (number + 1) & 0xFFFFFFFF
        self._pipeline.expect(future)
        self._pipeline.sent()
        self._asked.append((number, operation))
        self._send(pack_request(number, operation, fields))

    def hang_up(self, reason: str) -> None:
        """End the connection and every call that waits."""
        if self._gone:
            return
        self._gone = reason
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._pipeline.break_off(reason)

    def _send(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
            return
        sent = self._try(lambda: self._socket.send(data)) or 0
        if sent < len(data) and not self._gone:
            self._unsent += data[sent:]
            self._loop.add_writer(self._socket, self._flush)

    def _flush(self) -> None:
        del self._unsent[: self._try(lambda: self._socket.send(self._unsent)) or 0]
        if not self._unsent and not self._gone:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        data = self._try(lambda: self._socket.recv(READ_SIZE))
        if data is None:
            return
        if not data:
            self.hang_up("it is gone")
            return
        try:
            for frame in self._reader.feed(data):
                self._pipeline.answer(unpack_reply(frame, self._operation)[1])
                self._asked.popleft()
        except WireError as error:
            self.hang_up(f"it does not speak our language ({error})")

    def _try(self, call: Callable[[], T]) -> T | None:
        """The result of a call of the socket; None where it would have to wait, or the other end is gone."""
        try:
            return call()
        except BlockingIOError:
            return None
        except OSError as error:
            self.hang_up(f"it is gone ({error.strerror})")
            return None

    def _operation(self, number: int) -> Operation:
        if not self._asked or self._asked[0][0] != number:
            raise WireError(f"reply {number} to nothing that was asked")
        return self._asked[0][1]
