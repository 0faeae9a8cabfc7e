"""The two protocols as a table: how requests are read, which rules hold, how responses are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from meshext_controlplane.snapshot import Named
from meshext_controlplane.subscription.delta import DeltaSubscription
from meshext_controlplane.subscription.messages import DeltaRequest, Push, StateRequest
from meshext_controlplane.subscription.state import StateSubscription
from meshext_controlplane.subscription.subscription import Request, Subscription
from meshext_controlplane.xds import delta, sotw
from meshext_controlplane.xds.limits import Node


@dataclass(frozen=True, slots=True)
class Variant(Generic[Request]):
    """One protocol; `method` is its RPC. `read` raises RequestError."""

    name: str
    method: str
    read: Callable[[bytes], tuple[Request, Node]]
    subscribe: Callable[[str, Named, Sequence[Named]], Subscription[Request]]
    encode: Callable[[Push], bytes]


STATE: Variant[StateRequest] = Variant(
    "sotw", "StreamAggregatedResources", sotw.read_request, StateSubscription, sotw.encode_push
)
DELTA: Variant[DeltaRequest] = Variant(
    "delta", "DeltaAggregatedResources", delta.read_request, DeltaSubscription, delta.encode_push
)
