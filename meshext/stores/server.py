"""The supervisor's side of a store that its workers share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from meshext.errors import StoreError
from meshext.store import Store
from meshext.stores.fields import WireError
from meshext.stores.wire import FrameReader, pack_error, pack_result, unpack_request

log = logging.getLogger("meshext.store")

READ_SIZE = 65_536  # bytes


class StoreServer:
    """Serves one store to workers, each over a socket of its own.

    What a worker asks is done in its order, and each call as a whole before the next of any worker: the
    store is meant to be a MemoryStore, whose methods never wait. A worker that does not read its answers is
    not read from either.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def serve(self, sock: socket.socket) -> None:
        """Answer until the other end is gone or sends what is no call; closes the socket."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        reader = FrameReader()
        with sock:
            try:
                while data := await loop.sock_recv(sock, READ_SIZE):
                    replies = [await self._answer(frame) for frame in reader.feed(data)]
                    if replies:
                        await loop.sock_sendall(sock, b"".join(replies))
            except WireError as error:
                log.error("a worker sent the store what is no call (%s); it is not served any more", error)
            except OSError:
                pass  # it is gone
            except Exception:
                log.exception(
                    "a call of the store failed in an unforeseen way; its worker is not served any more"
                )
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    async def _answer(self, frame: bytes) -> bytes:
        number, operation, arguments = unpack_request(frame)
        try:
            result = await getattr(self._store, operation.name)(*arguments)
        except StoreError as error:
            return pack_error(number, error)
        return pack_result(number, operation, result)
