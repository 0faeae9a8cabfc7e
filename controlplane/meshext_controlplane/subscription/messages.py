"""What passes between a proxy and a session, the same for both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from meshext_controlplane.snapshot import Resource

WILDCARD = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRequest:
    """`DiscoveryRequest`: `names` is all that the proxy wants of the type. `error` is a NACK's reason."""

    type_url: str
    names: tuple[str, ...] = ()
    version: str = ""
    nonce: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaRequest:
    """`DeltaDiscoveryRequest`: what changes in the names that the proxy wants.

    `versions` is what it has already, by name; it counts in the first request of a type.
    """

    type_url: str
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    nonce: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """One response. `version` is the state that the proxy has after it, "" where the protocol has none."""

    type_url: str
    nonce: str
    version: str
    resources: tuple[Resource, ...]
    removed: tuple[str, ...]


class Verdict(Enum):
    """What a request says about the last push of its type."""

    NONE = "none"
    ACK = "ack"
    NACK = "nack"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request: the verdict, and for a NACK whose resources it is about and why."""

    type_url: str
    verdict: Verdict
    error: str = ""
    names: tuple[str, ...] = ()
