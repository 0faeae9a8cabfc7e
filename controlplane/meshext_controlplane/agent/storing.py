"""What a sidecar keeps for a start without the control plane: the last good resources, and its filters."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, replace

from meshext_controlplane.agent.directory import Directory
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.filters import WantedFilter
from meshext_controlplane.agent.last_good import LastGood, decode_last_good, encode_last_good
from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.registrations import to_registration

FILE, FILTERS = "last-good.binpb", "filters.json"
INTERVAL = 2.0  # seconds from one look to the next, so that a storm of edits is written seldom

log = logging.getLogger("meshext.sidecar")


def fingerprint(workload: Workload, *, outbound: int, transparent: Transparent | None = None) -> str:
    """What a configuration was made for: another address or port, and it is of no use."""
    told = to_registration(replace(workload, state=State.READY)).SerializeToString(deterministic=True)
    rules = b"" if transparent is None else repr(transparent).encode()
    made_for = b"%s %d %s" % (str(workload.identity).encode(), outbound, rules)
    return hashlib.sha256(made_for + told).hexdigest()


def load_last_good(directory: Directory, made_for: str) -> LastGood:
    """What was stored, empty where nothing was; a file that can not be read is as good as none."""
    try:
        return decode_last_good(directory.read(FILE) or b"", made_for)
    except DirectoryError as error:
        log.warning("%s; a start without the control plane is not possible", error)
        return LastGood()


def store_filters(directory: Directory, filters: Iterable[WantedFilter], made_for: str) -> None:
    """Keep which filters run beside this sidecar; where that fails it is logged."""
    document = {"made_for": made_for, "filters": [asdict(each) for each in filters]}
    _write(directory, FILTERS, json.dumps(document).encode())


def load_filters(directory: Directory, made_for: str) -> list[WantedFilter]:
    """What was stored; none where that is damaged or was for another workload."""
    try:
        document = json.loads(directory.read(FILTERS) or b"{}")
        if document["made_for"] != made_for:
            return []
        return [WantedFilter(**each) for each in document["filters"]]
    except (DirectoryError, ValueError, LookupError, TypeError):
        return []


async def keep_stored(directory: Directory, last_good: LastGood, made_for: str) -> None:
    """Store what has changed, for ever, and once more when cancelled."""
    stored = last_good.version
    try:
        while True:
            await asyncio.sleep(INTERVAL)
            if last_good.version != stored:
                stored = last_good.version
                body = encode_last_good(last_good, made_for)
                await asyncio.to_thread(_write, directory, FILE, body)
    finally:
        if last_good.version != stored:
            _write(directory, FILE, encode_last_good(last_good, made_for))


def _write(directory: Directory, name: str, body: bytes) -> None:
    try:
        directory.write(name, body)
    except DirectoryError as error:
        log.error("configuration is not stored for a start without the control plane: %s", error)
