"""Envoy's configuration stream: through to the control plane, or out of the last good resources without one.

Envoy's own failover between two sources does not come back (see ARCHITECTURE.md), so its only source is this
one. A change of what stands behind a stream ends it; Envoy opens another one at once and says what it has,
so nothing is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import grpc
import grpc.aio

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.last_good import DeltaWatch, LastGood, SotwWatch
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.passage import Form, Passage, Reach
from meshext_controlplane.agent.replay import DeltaReplay, SotwReplay

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"

FORMS = (
    Form(f"/{SERVICE}/StreamAggregatedResources", SotwWatch, SotwReplay),
    Form(f"/{SERVICE}/DeltaAggregatedResources", DeltaWatch, DeltaReplay),
)

GRPC_FORMS = (Form(f"/{SERVICE}/StreamAggregatedResources", partial(SotwWatch, shares=True), SotwReplay),)
"""What gRPC's own client speaks, with a stream for each target that it dials."""


class Relay:
    """The aggregated discovery service of one Envoy, or with GRPC_FORMS of the clients in an application."""

    def __init__(
        self,
        control_plane: ControlPlane,
        last_good: LastGood,
        gate: InboundGate,
        counts: Counts | None = None,
        *,
        forms: Sequence[Form] = FORMS,
    ) -> None:
        self._control_plane = control_plane
        self._last_good = last_good
        self._gate = gate
        self._counts = counts or Counts()
        self._forms = forms
        self._backoff = Backoff(longest=10.0)
        self._reach = Reach()
        self._superseded = asyncio.Event()

    def handlers(self) -> grpc.GenericRpcHandler:
        """To be added to a grpc.aio server."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            form.method.rpartition("/")[2]: grpc.stream_stream_rpc_method_handler(self._handler(form))
            for form in self._forms
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _handler(self, form: Form) -> Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Any]:
        async def handle(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            if self._forms is not GRPC_FORMS:
                # One Envoy has one stream: an older one is of an Envoy that has died, or of nobody we know.
                self._superseded.set()
                self._superseded = asyncio.Event()
            shared = (self._backoff, self._reach, self._counts)
            behind = (self._control_plane, self._last_good, self._gate, *shared)
            await Passage(form, context, *behind).serve(self._superseded)

        return handle
