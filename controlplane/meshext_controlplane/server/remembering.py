"""Keeps what proxies have over a restart of the control plane, a moment behind and off the path of pushes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.state.errors import StateDamaged, StateError
from meshext_controlplane.state.served import ServedRecord, ServedStore, to_hash
from meshext_controlplane.state.worker import StateThread
from meshext_controlplane.subscription.recording import Reader, Recorder
from meshext_controlplane.xds.memory import Memory, Place, Read

AT_ONCE = 50
"""Proxies in one transaction."""

INTERVAL = 1.0
"""Seconds from one write to the next: what a kill may take from what is known."""

_SPARE = 2_000  # blobs that nobody needs, until they are swept out

Changes = Mapping[str, tuple[SpiffeId, Snapshot] | None]

log = logging.getLogger("meshext.controlplane")


class Remembering:
    """Writes a memory's changes. What can not be written is tried again; serving does not wait for it."""

    def __init__(self, memory: Memory, folder: Path, *, interval: float = INTERVAL) -> None:
        self._memory = memory
        self._store = ServedStore(folder)
        self._interval = interval
        self._thread = StateThread()
        self._recorder = Recorder(to_hash)
        self._blobs = 0
        self._swept = 0
        self._failing = False

    async def load(self) -> None:
        """What was kept, into the memory; what is damaged is as good as nothing."""
        try:
            records, blobs = await self._thread.run(self._store.load)
            if blobs:
                blobs = await self._thread.run(self._sweep, records, blobs)
        except StateDamaged as error:
            await self._begin_anew(error)
            return
        except StateError as error:
            self._tell(error)
            return
        self._memory.restore(_to_stored(records, Reader(blobs)))

    async def run(self) -> None:
        """Write what changes, until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.write()

    async def finish(self) -> None:
        """Write the last of it."""
        await self.write()
        await self._thread.run(self._store.close)
        self._thread.close()

    async def write(self) -> None:
        """Write what has changed, a few proxies at a time, so that nothing else waits for long."""
        while changes := self._memory.take_changes(AT_ONCE):
            if not await self._write_some(changes):
                return

    async def _write_some(self, changes: Changes) -> bool:
        """Whether there is a point in going on."""
        try:
            await self._thread.run(self._write, changes)
            self._failing = False
        except StateDamaged as error:
            await self._begin_anew(error)
            return False
        except StateError as error:
            self._memory.note_again(changes)
            self._tell(error)
            return False
        return True

    def _write(self, changes: Changes) -> None:
        blobs: dict[str, bytes] = {}
        records = [
            ServedRecord(node_id, str(known[0]), self._recorder.encode(known[1], blobs))
            for node_id, known in changes.items()
            if known is not None
        ]
        gone = [node_id for node_id, known in changes.items() if known is None]
        try:
            self._store.write(records, blobs, gone)
        except StateError:
            self._recorder = Recorder(to_hash)  # what was counted as written is not
            raise
        self._blobs += len(blobs)
        if self._blobs > 2 * self._swept + _SPARE:
            self._sweep(*self._store.load())

    def _sweep(self, records: Iterable[ServedRecord], blobs: dict[str, bytes]) -> dict[str, bytes]:
        """Drop what no record needs; what is left."""
        reader, living = Reader(blobs), set[str]()
        for record in records:
            try:
                living.update(reader.find_blobs(record.content))
            except ValueError:
                self._store.write([], {}, [record.node_id])
        self._blobs = self._swept = self._store.sweep(living)
        self._recorder.keep(living)
        return {name: content for name, content in blobs.items() if name in living}

    async def _begin_anew(self, error: StateError) -> None:
        log.warning("what proxies had is not known, it is written anew: %s", error)
        self._recorder = Recorder(to_hash)
        self._blobs = self._swept = 0
        self._memory.note_again()
        try:
            await self._thread.run(self._store.discard)
        except StateError as failed:
            self._tell(failed)

    def _tell(self, error: StateError) -> None:
        if not self._failing:
            log.error("what proxies have is not kept for a restart: %s", error)
        self._failing = True


def _to_stored(records: Iterable[ServedRecord], reader: Reader) -> dict[Place, Read]:
    stored: dict[Place, Read] = {}
    for record in records:
        try:
            place = record.node_id, SpiffeId.parse(record.identity)
        except SpiffeIdError as error:
            log.warning("what %s had is not known: %s", record.node_id, error)
            continue
        stored[place] = partial(_read, record, reader)
    return stored


def _read(record: ServedRecord, reader: Reader) -> Snapshot | None:
    try:
        return reader.decode(record.content)
    except ValueError as error:
        log.warning("what %s had is not known: %s", record.node_id, error)
        return None
