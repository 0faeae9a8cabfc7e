"""What one local stream asked for of one type, and was given: SotW and delta. No I/O.

The rules are those of the xDS protocol (`xds_protocol.rst`): what the client has is not sent again, an answer
to an older message is no acknowledgement of the last one, and what was refused waits for another version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.snapshot import CLUSTER, LISTENER, Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

Resources = Mapping[str, Resource]
ALL = "*"
_WHOLE = frozenset({CLUSTER, LISTENER})
"""Types of which no name means all."""

MAX_NAMES = 100_000
"""Names that one stream may ask for."""


class SubscriptionError(ValueError):
    """A request that no Envoy would send."""


@dataclass(slots=True)
class SotwSubscription:
    """Of a state-of-the-world stream: each answer has everything that is asked for."""

    type_url: str
    names: frozenset[str] = frozenset()
    nonce: int = 0
    sent: str | None = None
    asked: bool = False

    def take(self, request: discovery_pb2.DiscoveryRequest) -> str:
        """Note a request; Envoy's reason where it refuses the last answer, else ""."""
        if request.response_nonce and request.response_nonce != str(self.nonce):
            return ""
        names = frozenset(_checked(request.resource_names))
        if not names and self.type_url in _WHOLE:
            names = frozenset({ALL})
        if names != self.names:
            self.names, self.asked = names, True
        if not request.response_nonce:
            self.sent, self.asked = request.version_info or None, not request.version_info
        return request.error_detail.message if request.HasField("error_detail") else ""

    def answer(self, resources: Resources) -> discovery_pb2.DiscoveryResponse | None:
        """What to send now; None where the client has it all."""
        wanted = resources if ALL in self.names else sorted(self.names & resources.keys())
        found = [resources[name] for name in wanted]
        version = _hash(found)
        if not self.names or (version == self.sent and not self.asked):
            return None
        self.nonce += 1
        self.sent, self.asked = version, False
        response = discovery_pb2.DiscoveryResponse(
            version_info=version, type_url=self.type_url, nonce=str(self.nonce)
        )
        for resource in found:
            response.resources.add(type_url=self.type_url, value=resource.body)
        return response


@dataclass(slots=True)
class DeltaSubscription:
    """Of a delta stream: each answer has what the client does not have yet."""

    type_url: str
    names: dict[str, str | None] = field(default_factory=dict)
    """Each name that is asked for, with the version that the client has; None for none, "" where it was
    told that there is none."""
    everything: bool = False
    begun: bool = False
    nonce: int = 0

    def take(self, request: discovery_pb2.DeltaDiscoveryRequest) -> str:
        """Note a request; Envoy's reason where it refuses an answer, else ""."""
        subscribed = request.resource_names_subscribe
        if ALL in subscribed or (not self.begun and not subscribed and self.type_url in _WHOLE):
            self.everything = True
        if ALL in request.resource_names_unsubscribe:
            self.everything = False
        if not self.begun and self.everything:
            self.names.update(request.initial_resource_versions)
        self.begun = True
        for name in request.resource_names_unsubscribe:
            self.names.pop(name, None)
        for name in subscribed:
            if name != ALL:
                self.names[name] = request.initial_resource_versions.get(name)
        _checked(self.names)
        return request.error_detail.message if request.HasField("error_detail") else ""

    def answer(self, resources: Resources) -> discovery_pb2.DeltaDiscoveryResponse | None:
        """What to send now; None where the client has it all."""
        response = discovery_pb2.DeltaDiscoveryResponse(type_url=self.type_url)
        wanted = {**dict.fromkeys(resources), **self.names} if self.everything else self.names
        for name, has in list(wanted.items()):
            resource = resources.get(name)
            version = resource.version if resource else ""
            if version == has:
                continue
            self.names[name] = version
            if resource is None:
                response.removed_resources.append(name)
            else:
                added = response.resources.add(name=name, version=version)
                added.resource.type_url, added.resource.value = self.type_url, resource.body
        if not response.resources and not response.removed_resources:
            return None
        self.nonce += 1
        response.nonce = str(self.nonce)
        return response


def _hash(resources: Iterable[Resource]) -> str:
    digest = hashlib.sha256()
    for resource in resources:
        digest.update(f"{resource.name}\0{resource.version}\0".encode())
    return digest.hexdigest()[:16]


def _checked(names: Iterable[str]) -> tuple[str, ...]:
    given = tuple(names)
    if len(given) > MAX_NAMES:
        raise SubscriptionError(f"{len(given)} names are asked for; {MAX_NAMES} is the most")
    return given
