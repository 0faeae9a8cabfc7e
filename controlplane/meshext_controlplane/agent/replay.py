"""Envoy's configuration out of the last good resources, while the control plane is away. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.last_good import LastGood
from meshext_controlplane.agent.local_subscription import DeltaSubscription, SotwSubscription
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

MAX_TYPES = 50
"""Types that one stream may ask for."""


class DeltaReplay:
    """Answers the requests of one delta stream; what is not there is said to be gone: nobody waits."""

    def __init__(self, last_good: LastGood, gate: InboundGate) -> None:
        self._last_good = last_good
        self._gate = gate
        self._types: dict[str, DeltaSubscription] = {}

    def answer(self, body: bytes) -> bytes | None:
        """What to send; None for nothing. SubscriptionError, DecodeError."""
        request = discovery_pb2.DeltaDiscoveryRequest.FromString(body)
        subscription = self._types.get(request.type_url)
        if subscription is None:
            subscription = DeltaSubscription(request.type_url)
            if len(self._types) < MAX_TYPES:
                self._types[request.type_url] = subscription
        subscription.take(request)
        return self._say(subscription)

    def news(self) -> Iterator[bytes]:
        """What to send now that the gate has opened."""
        return (said for each in self._types.values() if (said := self._say(each)) is not None)

    def _say(self, subscription: DeltaSubscription) -> bytes | None:
        type_url = subscription.type_url
        response = subscription.answer(self._gate.visible(type_url, self._last_good.named(type_url)))
        return None if response is None else response.SerializeToString()


class SotwReplay:
    """Answers the requests of one state-of-the-world stream."""

    def __init__(self, last_good: LastGood, gate: InboundGate) -> None:
        self._last_good = last_good
        self._gate = gate
        self._types: dict[str, SotwSubscription] = {}

    def answer(self, body: bytes) -> bytes | None:
        """What to send; None for nothing. SubscriptionError, DecodeError."""
        request = discovery_pb2.DiscoveryRequest.FromString(body)
        subscription = self._types.get(request.type_url)
        if subscription is None:
            subscription = SotwSubscription(request.type_url)
            if len(self._types) < MAX_TYPES:
                self._types[request.type_url] = subscription
        subscription.take(request)
        return self._say(subscription)

    def news(self) -> Iterator[bytes]:
        """What to send now that the gate has opened."""
        return (said for each in self._types.values() if (said := self._say(each)) is not None)

    def _say(self, subscription: SotwSubscription) -> bytes | None:
        type_url = subscription.type_url
        response = subscription.answer(self._gate.visible(type_url, self._last_good.named(type_url)))
        return None if response is None else response.SerializeToString()
