"""Pipes of our own between us and a child process, in place of `asyncio.subprocess.PIPE`.

In Python 3.11 and 3.12 `Process.wait` also waits for the end of the pipes that asyncio made
(https://github.com/python/cpython/issues/119710): what the child itself has started may hold them open for as
long as it lives. And where all tasks are cancelled at once, as at the end of `asyncio.run`, one that is about
to start a process never ends if asyncio has not connected its pipes by then, which takes it several rounds of
the loop with pipes, and one without.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class ChildOutput:
    """What a child writes; `limit` is that of the reader, bytes of one line."""

    def __init__(self, *, limit: int = 65_536) -> None:
        ours, self._childs = os.pipe()
        self._file = os.fdopen(ours, "rb", buffering=0)
        self._transport: asyncio.ReadTransport | None = None
        self._limit = limit

    @contextmanager
    def handed_over(self) -> Iterator[int]:
        """The block starts the child with this as its `stdout` or `stderr`; afterwards the child alone has
        it. All is closed where the block raises."""
        with _handed_over(self._childs, self._file) as end:
            yield end

    async def connect(self) -> asyncio.StreamReader:
        """Read it, until `close`."""
        reader = asyncio.StreamReader(self._limit)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._file
        )
        return reader

    def close(self) -> None:
        """Read no more; who writes then finds the pipe broken."""
        (self._transport or self._file).close()


class ChildInput:
    """What a child reads."""

    def __init__(self) -> None:
        self._childs, ours = os.pipe()
        self._file = os.fdopen(ours, "wb", buffering=0)

    @contextmanager
    def handed_over(self) -> Iterator[int]:
        """As that of ChildOutput, for `stdin`."""
        with _handed_over(self._childs, self._file) as end:
            yield end

    async def send(self, data: bytes) -> None:
        """All that there is to read, without waiting for the child, which may end before it has read it."""
        transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, self._file)
        transport.write(data)
        transport.close()


@contextmanager
def _handed_over(childs: int, ours: IO[bytes]) -> Iterator[int]:
    try:
        yield childs
    except BaseException:
        ours.close()
        raise
    finally:
        os.close(childs)
