"""What every proxy has: the answer to `meshext proxy-status`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from meshext_controlplane.snapshot import TYPES
from meshext_controlplane.subscription.state import digest
from meshext_controlplane.xds.connection import Connection, Times


class Sync(Enum):
    """Whether a proxy has what it shall have of one type."""

    SYNCED = "SYNCED"
    STALE = "STALE"
    NACKED = "NACKED"
    NOT_SENT = "NOT SENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStatus:
    """One type at one proxy. `version` is of all that it has accepted; times in seconds since 1970, or 0.

    `error` is Envoy's own reason for the last refusal that still stands, `refused` the resources' names.
    """

    type_url: str
    sync: Sync
    version: str = ""
    resources: int = 0
    sent: float = 0.0
    accepted: float = 0.0
    nacked: float = 0.0
    error: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyStatus:
    """One stream. `problem` says why the newest configuration is not served to it, if so."""

    node_id: str
    identity: str
    kind: str
    envoy: tuple[int, int, int]
    protocol: str
    since: float
    problem: str
    serial: str
    types: tuple[TypeStatus, ...]


def to_status(connection: Connection[Any]) -> ProxyStatus:
    """How that stream stands now."""
    proxy = connection.proxy
    others = (url for url in connection.session.subscriptions if url not in TYPES)
    return ProxyStatus(
        node_id=proxy.node_id,
        identity=str(proxy.identity),
        kind=proxy.kind.value,
        envoy=proxy.envoy,
        protocol=connection.protocol,
        since=connection.since,
        problem=connection.problem,
        serial=proxy.serial,
        types=tuple(_of_type(connection, type_url) for type_url in (*TYPES, *others)),
    )


def _of_type(connection: Connection[Any], type_url: str) -> TypeStatus:
    subscription = connection.session.subscriptions.get(type_url)
    times = connection.times.get(type_url, Times())
    if subscription is None or not (times.sent or subscription.acked):
        return TypeStatus(type_url=type_url, sync=Sync.NOT_SENT)
    refused = subscription.refused
    if refused:
        sync = Sync.NACKED
    else:
        sync = Sync.SYNCED if subscription.idle else Sync.STALE
    return TypeStatus(
        type_url=type_url,
        sync=sync,
        version=digest(subscription.acked.values()),
        resources=len(subscription.acked),
        sent=times.sent,
        accepted=times.accepted,
        nacked=times.refused,
        error=subscription.error if refused else "",
        refused=refused,
    )
