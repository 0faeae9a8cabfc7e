"""One stream as the hub sees it: the session, who is at the other end, and what happened when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import grpc

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.subscription.messages import Push, Receipt, Verdict
from meshext_controlplane.subscription.session import RECORDED, Session
from meshext_controlplane.subscription.subscription import Request
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.lanes import Lane
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.waves import Behind


@dataclass(slots=True)
class Times:
    """When a type was last sent, accepted and refused: seconds since 1970, 0 for never."""

    sent: float = 0.0
    accepted: float = 0.0
    refused: float = 0.0


class Connection(Generic[Request]):
    """`wake` is set when there may be something to send; `ended` says why the stream shall end.

    `remember` is called when the proxy has something else than before.
    """

    def __init__(
        self,
        proxy: Proxy,
        session: Session[Request],
        snapshot: Snapshot,
        observer: Observer,
        *,
        protocol: str,
    ) -> None:
        self.proxy = proxy
        self.session = session
        self.snapshot = snapshot
        self.protocol = protocol
        self.since = time.time()
        self.wake = asyncio.Event()
        self.ended: asyncio.Future[StreamEnded] = asyncio.get_running_loop().create_future()
        self.times: dict[str, Times] = {}
        self.behind = Behind()
        self.problem = ""
        self.remember: Callable[[], None] = lambda: None
        self._observer = observer
        self._lanes: dict[str, Lane] = {}

    def receive(self, request: Request) -> Receipt:
        """A request of the proxy."""
        receipt = self.session.receive(request)
        if receipt.verdict in (Verdict.ACK, Verdict.NACK):
            self._answered(receipt)
        self.wake.set()
        return receipt

    def sent(self, push: Push, *, size: int, lane: Lane | None) -> None:
        """That push was written."""
        self.times.setdefault(push.type_url, Times()).sent = time.time()
        if lane is not None:
            self._lanes[push.type_url] = lane
        self._observer.pushed(push.type_url, size=size, resources=len(push.resources))

    def serve(self, snapshot: Snapshot) -> None:
        """What the proxy shall have from now on."""
        self.snapshot = snapshot
        self.session.serve(snapshot)
        self.wake.set()

    def end(self, code: grpc.StatusCode, text: str) -> None:
        """End the stream with that status."""
        if not self.ended.done():
            self.ended.set_result(StreamEnded(code, text))

    def leave(self) -> None:
        """The stream has ended: nothing waits for it."""
        for lane in self._lanes.values():
            lane.leave()
        self.behind.leave(asyncio.get_running_loop().time(), self._observer)

    def rest(self) -> None:
        """There is nothing to send just now."""
        if self.session.idle:
            self.behind.clear(asyncio.get_running_loop().time(), self._observer)

    def _answered(self, receipt: Receipt) -> None:
        now, times = time.time(), self.times.setdefault(receipt.type_url, Times())
        if (lane := self._lanes.pop(receipt.type_url, None)) is not None:
            lane.leave()
        if receipt.verdict is Verdict.ACK:
            times.accepted = now
            if receipt.type_url in RECORDED:
                self.remember()
            self._observer.acknowledged(receipt.type_url, after=now - times.sent)
        else:
            times.refused = now
            self._observer.refused(receipt.type_url)
