"""All streams: each is served the newest snapshot of its proxy, when the mesh changes."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.subscription.consistency import check_snapshot
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.session import Session
from meshext_controlplane.subscription.subscription import Request
from meshext_controlplane.xds.connection import Connection
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.gathering import Gathering, Kind
from meshext_controlplane.xds.lanes import Lanes
from meshext_controlplane.xds.memory import Memory
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.status import ProxyStatus, to_status
from meshext_controlplane.xds.variants import STATE, Variant
from meshext_controlplane.xds.waves import Wave, finish

log = logging.getLogger("meshext.xds")

STATIC = frozenset({"sds", "xds"})
"""The clusters of a sidecar's bootstrap."""

_SLICE = 0.005  # seconds of work after which others have their turn
_REMEMBERED = 10_000  # proxies whose last good snapshot is kept when they are away
_MOST_PER_PROXY = 3  # streams of one node id: Envoy's hot restart has two
_MOST_PER_GRPC = (
    200  # as many as an agent passes on: gRPC's own client has a stream for each target that it dials
)

_Key = tuple[str, SpiffeId, ProxyKind]


class Hub:
    """Who is connected, and what they get. `run` it in a task; everything happens in one event loop.

    `snapshot_of` gives what a proxy shall have now, without I/O. A snapshot that names what it does not hold
    is not served: the proxy keeps the last good one, and its status says why. `memory` is what proxies of
    the state of the world had, also before this process began.
    """

    def __init__(
        self,
        snapshot_of: Callable[[Proxy], Snapshot],
        *,
        static: frozenset[str] = STATIC,
        observer: Observer | None = None,
        gathering: Gathering | None = None,
        lanes: Lanes | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.memory = memory or Memory()
        self.lanes = lanes or Lanes()
        self._snapshot_of = snapshot_of
        self._static = static
        self._observer = observer or Observer()
        self._gathering = gathering or Gathering()
        self._references = References()
        self._differences = Differences()
        self._connections: dict[Connection[Any], None] = {}
        self._proxies: dict[_Key, list[Connection[Any]]] = {}
        self._good: OrderedDict[_Key, Snapshot] = OrderedDict()
        self._warming: OrderedDict[_Key, tuple[str, ...]] = OrderedDict()
        self._label = secrets.token_hex(3)
        self._streams = 0

    def notify(self, kind: Kind) -> None:
        """The mesh has changed. "configuration" is gathered, "endpoints" goes at once."""
        self._gathering.add(kind)

    async def run(self) -> None:
        """Serve what changes, until cancelled."""
        while True:
            kind, since = await self._gathering.wait()
            await self._serve_all(Wave(kind, since, asyncio.get_running_loop().time()))

    def join(self, proxy: Proxy, variant: Variant[Request]) -> Connection[Request]:
        """A stream of that proxy begins; StreamEnded where there is nothing that may be served."""
        self._end_oldest(proxy)
        before = [each for each in (self._good.get(_key(proxy)), self.memory.recall(proxy)) if each]
        snapshot, problem = self._newest(proxy, None)
        if snapshot is None:
            text = f"no configuration can be served to {proxy.node_id!r}: {problem}"
            raise StreamEnded(grpc.StatusCode.UNAVAILABLE, text)
        self._streams += 1
        label = f"{self._label}-{self._streams}"
        session = Session(
            variant.subscribe,
            snapshot,
            self._references,
            self._differences,
            label=label,
            before=before,
            warming=self._warming.pop(_key(proxy), ()),
        )
        connection = Connection(proxy, session, snapshot, self._observer, protocol=variant.name)
        connection.problem = problem
        if variant.name == STATE.name:
            connection.remember = partial(self.memory.note, proxy, session)
        self._connections[connection] = None
        self._proxies.setdefault(_key(proxy), []).append(connection)
        self._observer.connected(len(self._connections))
        return connection

    def leave(self, connection: Connection[Any]) -> None:
        """That stream has ended."""
        del self._connections[connection]
        if warming := connection.session.warming:
            self._warming[_key(connection.proxy)] = warming
            if len(self._warming) > _REMEMBERED:
                self._warming.popitem(last=False)
        same = self._of_proxy(connection.proxy)
        same.remove(connection)
        if not same:
            del self._proxies[_key(connection.proxy)]
        connection.leave()
        self.memory.rest(connection.proxy, connection.session)
        self._observer.connected(len(self._connections))

    def disconnect(self, predicate: Callable[[Proxy], bool], *, code: grpc.StatusCode, text: str) -> int:
        """End the streams of these proxies with that status; gives how many."""
        chosen = [connection for connection in self._connections if predicate(connection.proxy)]
        for connection in chosen:
            connection.end(code, text)
        return len(chosen)

    def proxies(self) -> list[Proxy]:
        """Every proxy that is connected, once."""
        return [connections[-1].proxy for connections in self._proxies.values()]

    def connections(self) -> tuple[Connection[Any], ...]:
        """Every stream, the oldest first."""
        return tuple(self._connections)

    def status(self) -> tuple[ProxyStatus, ...]:
        """Every stream, by node id."""
        return tuple(sorted(map(to_status, self._connections), key=lambda status: status.node_id))

    async def _serve_all(self, wave: Wave) -> None:
        loop = asyncio.get_running_loop()
        pause = loop.time() + _SLICE
        for connection in list(self._connections):
            if connection in self._connections and self._serve_one(connection):
                connection.behind.add(wave)
            if loop.time() > pause:
                await asyncio.sleep(0)
                pause = loop.time() + _SLICE
        finish(wave, loop.time(), self._observer)

    def _serve_one(self, connection: Connection[Any]) -> bool:
        """Whether there is something new for that stream; one that fails ends, and holds up no other."""
        try:
            return self._refresh(connection)
        except Exception:
            log.exception("%s can not be served; its stream ends", connection.proxy.node_id)
            connection.end(grpc.StatusCode.INTERNAL, "this proxy can not be served; the log says why")
            return False

    def _refresh(self, connection: Connection[Any]) -> bool:
        """Whether there is something new for that stream."""
        snapshot, connection.problem = self._newest(connection.proxy, connection.snapshot)
        if snapshot is None or snapshot is connection.snapshot:
            return False
        connection.serve(snapshot)
        return True

    def _newest(self, proxy: Proxy, before: Snapshot | None) -> tuple[Snapshot | None, str]:
        """The newest snapshot that may be served, and what is wrong with a newer one."""
        key = _key(proxy)
        good = before or self._good.get(key)
        try:
            snapshot = self._snapshot_of(proxy)
            if snapshot is not good and (
                problems := check_snapshot(
                    snapshot, self._references, self._differences, static=self._static, before=good
                )
            ):
                return self._hold_back(proxy, good, "; ".join(problems))
        except Exception as error:
            log.exception("the snapshot of %s failed", proxy.node_id)
            return self._hold_back(proxy, good, f"it can not be made: {error}")
        self._good[key] = snapshot
        self._good.move_to_end(key)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return snapshot, ""

    def _hold_back(self, proxy: Proxy, good: Snapshot | None, problem: str) -> tuple[Snapshot | None, str]:
        log.error("the newest configuration of %s is not served: %s", proxy.node_id, problem)
        self._observer.held_back()
        return good, problem

    def _end_oldest(self, proxy: Proxy) -> None:
        same = [each for each in self._of_proxy(proxy) if not each.ended.done()]
        most = _MOST_PER_GRPC if proxy.kind is ProxyKind.GRPC else _MOST_PER_PROXY
        for connection in same[: max(0, len(same) + 1 - most)]:
            connection.end(grpc.StatusCode.ABORTED, f"{proxy.node_id!r} has opened newer streams")

    def _of_proxy(self, proxy: Proxy) -> list[Connection[Any]]:
        return self._proxies.get(_key(proxy), [])


def _key(proxy: Proxy) -> _Key:
    return proxy.node_id, proxy.identity, proxy.kind
