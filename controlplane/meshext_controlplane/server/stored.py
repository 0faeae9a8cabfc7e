"""The state behind what is applied and who is registered, each as the rest of the server wants it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.registrations import (
    RegistrationError,
    parse_registration,
    to_registration,
)
from meshext_controlplane.server.configuring import AppliedText
from meshext_controlplane.server.registry import Key as Place
from meshext_controlplane.sources.places import Key
from meshext_controlplane.state.documents import Change, Delete, Documents, Put
from meshext_controlplane.state.errors import StateError
from meshext_controlplane.state.registrations import RegistrationRecord, Registrations
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread
from meshext_proto.meshext import workloads_pb2

log = logging.getLogger("meshext.controlplane")


class StoredDocuments:
    """Applied documents (`server.configuring.AppliedStore`)."""

    def __init__(self, store: StateStore, thread: StateThread, clock: Callable[[], float]) -> None:
        self._documents = Documents(store)
        self._thread = thread
        self._clock = clock

    async def load(self) -> Sequence[AppliedText]:
        """All of them."""
        found = await self._thread.run(self._documents.all)
        return [AppliedText(key=each.key, text=each.text, at=float(each.applied)) for each in found]

    async def change(self, put: Sequence[AppliedText], remove: Sequence[Key]) -> None:
        """On disk when it returns; StateError, and nothing is changed."""
        changes: list[Change] = [*(Put(each.key, each.text) for each in put), *map(Delete, remove)]
        await self._thread.run(self._documents.apply, changes, now=int(self._clock()))


class StoredRegistrations:
    """Registrations (`server.registry.Journal`): written in the background, in order.

    A write that fails costs nothing but the memory of a restart, so it is logged and the mesh goes on.
    `forgotten` is told of each that goes.
    """

    def __init__(
        self,
        store: StateStore,
        thread: StateThread,
        clock: Callable[[], float],
        *,
        forgotten: Callable[[Place], None] | None = None,
    ) -> None:
        self._registrations = Registrations(store)
        self._forgotten = forgotten
        self._thread = thread
        self._clock = clock
        self._writes: set[asyncio.Task[None]] = set()

    async def load(self) -> list[Workload]:
        """All that can be read; the others are logged."""
        records = await self._thread.run(self._registrations.all)
        return [workload for record in records if (workload := _to_workload(record)) is not None]

    def keep(self, workload: Workload) -> None:
        """Write it soon."""
        record = RegistrationRecord(
            namespace=workload.namespace,
            name=workload.name,
            identity=str(workload.identity),
            serial="",
            body=to_registration(workload).SerializeToString(),
            seen=int(self._clock()),
        )
        self._begin(self._registrations.put, record)

    def forget(self, key: Place) -> None:
        """Remove it soon."""
        if self._forgotten is not None:
            self._forgotten(key)
        self._begin(self._registrations.remove, *key)

    async def finish(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._writes)

    def _begin(self, write: Callable[..., object], *given: Any) -> None:
        task = asyncio.create_task(self._write(write, *given))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _write(self, write: Callable[..., object], *given: Any) -> None:
        try:
            await self._thread.run(write, *given)
        except StateError as error:
            log.error("a registration is not stored: %s", error)


def _to_workload(record: RegistrationRecord) -> Workload | None:
    try:
        message = workloads_pb2.Registration.FromString(record.body)
        return parse_registration(message, SpiffeId.parse(record.identity))
    except (ValueError, RegistrationError, SpiffeIdError) as error:
        log.error("the registration of %s/%s is left out: %s", record.namespace, record.name, error)
        return None
