"""The last good resources between two lives of a sidecar: one file, written a while after they change."""

from __future__ import annotations

import asyncio
import hashlib
import logging

from meshext_controlplane.agent.directory import Directory
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.last_good import LastGood, decode_last_good, encode_last_good
from meshext_controlplane.agent.registration import to_registration
from meshext_controlplane.model.workload import State, Workload

FILE = "last-good.binpb"
INTERVAL = 2.0  # seconds from one look to the next, so that a storm of edits is written seldom

log = logging.getLogger("meshext.sidecar")


def fingerprint(workload: Workload, *, outbound: int) -> str:
    """What a configuration was made for: another address or port, and it is of no use."""
    told = to_registration(workload, State.READY).SerializeToString(deterministic=True)
    return hashlib.sha256(b"%s %d " % (str(workload.identity).encode(), outbound) + told).hexdigest()


def load_last_good(directory: Directory, made_for: str) -> LastGood:
    """What was stored, empty where nothing was; a file that can not be read is as good as none."""
    try:
        return decode_last_good(directory.read(FILE) or b"", made_for)
    except DirectoryError as error:
        log.warning("%s; a start without the control plane is not possible", error)
        return LastGood()


async def keep_stored(directory: Directory, last_good: LastGood, made_for: str) -> None:
    """Store what has changed, for ever, and once more when cancelled."""
    stored = last_good.version
    try:
        while True:
            await asyncio.sleep(INTERVAL)
            if last_good.version != stored:
                stored = last_good.version
                body = encode_last_good(last_good, made_for)
                await asyncio.to_thread(_write, directory, body)
    finally:
        if last_good.version != stored:
            _write(directory, encode_last_good(last_good, made_for))


def _write(directory: Directory, body: bytes) -> None:
    try:
        directory.write(FILE, body)
    except DirectoryError as error:
        log.error("configuration is not stored for a start without the control plane: %s", error)
