"""What a child process writes, through a pipe of our own, so that its end is known when it has ended.

With `asyncio.subprocess.PIPE`, `Process.wait` also waits for the end of the pipe (in Python 3.11 and 3.12,
https://github.com/python/cpython/issues/119710), and what the child itself has started may hold that open for
as long as it lives.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class ChildOutput:
    """One pipe: `end` is the child's `stdout` or `stderr`, `reader` gives what was written to it."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport, end: int) -> None:
        self.reader = reader
        self.end = end
        self._transport = transport

    @classmethod
    async def open(cls, *, limit: int = 65_536) -> Self:
        """A new one, to be closed by the caller; `limit` is that of the reader, bytes of one line."""
        ours, childs = os.pipe()
        reader = asyncio.StreamReader(limit)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
        )
        return cls(reader, transport, childs)

    @contextmanager
    def handed_over(self) -> Iterator[int]:
        """The block starts the child with the descriptor; afterwards the child alone has it. All is closed
        where the block raises."""
        try:
            yield self.end
        except BaseException:
            self.close()
            raise
        finally:
            os.close(self.end)

    def close(self) -> None:
        """Read no more; who writes then finds the pipe broken."""
        self._transport.close()
