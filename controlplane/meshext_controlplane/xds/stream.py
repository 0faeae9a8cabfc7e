"""One stream of gRPC: requests in, pushes out, both at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Generic

import grpc

from meshext.errors import MeshextError
from meshext_controlplane.subscription.messages import Receipt, Verdict
from meshext_controlplane.subscription.subscription import Request
from meshext_controlplane.xds.admission import REQUESTS_AT_ONCE, REQUESTS_PER_SECOND, Pace
from meshext_controlplane.xds.connection import Connection
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.lanes import LARGE
from meshext_controlplane.xds.limits import RequestError
from meshext_controlplane.xds.variants import Variant

log = logging.getLogger("meshext.xds")

Context = grpc.aio.ServicerContext[bytes, bytes]


class Stream(Generic[Request]):
    """Reads and writes one stream until either side ends it."""

    def __init__(
        self, hub: Hub, variant: Variant[Request], context: Context, connection: Connection[Request]
    ) -> None:
        self._hub = hub
        self._variant = variant
        self._context = context
        self._connection = connection
        self._pace = Pace(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE)

    async def run(self) -> None:
        """Serve until the proxy leaves; StreamEnded where we end it."""
        ended = self._connection.ended
        tasks = [asyncio.create_task(self._read_all()), asyncio.create_task(self._write_all())]
        waited: list[asyncio.Future[Any]] = [ended, *tasks]
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            done = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if ended.done():
            raise ended.result()
        for task in done:
            task.result()

    async def _read_all(self) -> None:
        loop = asyncio.get_running_loop()
        while (data := await read_message(self._context)) is not None:
            if (delay := self._pace.take(loop.time())) > 0:
                await asyncio.sleep(delay)
            self._take(data)
            del data  # what a proxy says when it comes back is large, and it may not speak again for days

    def _take(self, data: bytes) -> None:
        request, _ = self._variant.read(data)
        self._tell(self._connection.receive(request))

    async def _write_all(self) -> None:
        connection, session = self._connection, self._connection.session
        while True:
            await connection.wake.wait()
            connection.wake.clear()
            while await self._write_next():
                pass
            if session.idle:
                connection.rest()

    async def _write_next(self) -> bool:
        session, lane = self._connection.session, None
        if (size := session.backlog) > LARGE:
            lane = await self._hub.lanes.enter(size)
        try:
            push = session.next_push()
            if push is None:
                return False
            data = self._variant.encode(push)
            self._connection.sent(push, size=len(data), lane=lane if len(data) > LARGE else None)
            if len(data) > LARGE:
                lane = None
            await self._context.write(data)
            return True
        finally:
            if lane is not None:
                lane.leave()

    def _tell(self, receipt: Receipt) -> None:
        if receipt.verdict is Verdict.NACK:
            node, kind = self._connection.proxy.node_id, receipt.type_url.rpartition(".")[2]
            names = ", ".join(receipt.names[:5]) or "nothing new"
            log.warning("%s refused %s %s: %s", node, kind, names, receipt.error)


async def read_message(context: Context) -> bytes | None:
    """The next message; None when the proxy has no more."""
    data: object = await context.read()
    return data if isinstance(data, bytes) else None


def to_ending(error: MeshextError | RequestError) -> StreamEnded:
    """The status of a stream that asked for what is not given."""
    if isinstance(error, StreamEnded):
        return error
    return StreamEnded(grpc.StatusCode.INVALID_ARGUMENT, str(error))
