"""What one local stream asked for and was given: SotW and delta over one small set of names. No I/O.

The rules are those of the xDS protocol (`xds_protocol.rst`): what the client has is not sent again, an answer
to an older message is no acknowledgement of the last one, and what was refused waits for another version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.snapshot import SECRET, Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

Resources = Mapping[str, Resource]
MAX_NAMES = 100
"""Names that one stream may ask for; there are two."""


class SubscriptionError(ValueError):
    """A request that no Envoy would send."""


@dataclass(slots=True)
class SotwSubscription:
    """A stream of `StreamSecrets`: each answer has everything that is asked for."""

    names: tuple[str, ...] = ()
    nonce: int = 0
    sent: str | None = None
    asked: bool = False

    def take(self, request: discovery_pb2.DiscoveryRequest) -> str:
        """Note a request; Envoy's reason where it refuses the last answer, else ""."""
        _check_type(request.type_url)
        if request.response_nonce and request.response_nonce != str(self.nonce):
            return ""
        names = _checked(request.resource_names)
        if names != self.names:
            self.names, self.asked = names, True
        if not request.response_nonce:
            self.sent = request.version_info or None
        return request.error_detail.message if request.HasField("error_detail") else ""

    def answer(self, resources: Resources) -> discovery_pb2.DiscoveryResponse | None:
        """What to send now; None where the client has it all."""
        found = [resources[name] for name in self.names if name in resources]
        version = "+".join(resource.version for resource in found)
        if not self.names or (version == self.sent and not self.asked):
            return None
        self.nonce += 1
        self.sent, self.asked = version, False
        response = discovery_pb2.DiscoveryResponse(
            version_info=version, type_url=SECRET, nonce=str(self.nonce)
        )
        for resource in found:
            response.resources.add(type_url=SECRET, value=resource.body)
        return response


@dataclass(slots=True)
class DeltaSubscription:
    """A stream of `DeltaSecrets`: each answer has what the client does not have yet."""

    names: dict[str, str | None] = field(default_factory=dict)
    """Each name that is asked for, with the version that the client was given; "" where it was told that
    there is none."""
    nonce: int = 0

    def take(self, request: discovery_pb2.DeltaDiscoveryRequest) -> str:
        """Note a request; Envoy's reason where it refuses an answer, else ""."""
        _check_type(request.type_url)
        for name in request.resource_names_unsubscribe:
            self.names.pop(name, None)
        for name in request.resource_names_subscribe:
            self.names[name] = request.initial_resource_versions.get(name)
        _checked(self.names)
        return request.error_detail.message if request.HasField("error_detail") else ""

    def answer(self, resources: Resources) -> discovery_pb2.DeltaDiscoveryResponse | None:
        """What to send now; None where the client has it all."""
        response = discovery_pb2.DeltaDiscoveryResponse(type_url=SECRET)
        for name, has in self.names.items():
            resource = resources.get(name)
            version = resource.version if resource else ""
            if version == has:
                continue
            self.names[name] = version
            if resource is None:
                response.removed_resources.append(name)
            else:
                added = response.resources.add(name=name, version=version)
                added.resource.type_url, added.resource.value = SECRET, resource.body
        if not response.resources and not response.removed_resources:
            return None
        self.nonce += 1
        response.nonce = str(self.nonce)
        return response


def _check_type(type_url: str) -> None:
    if type_url not in ("", SECRET):
        raise SubscriptionError(f"only {SECRET} is served here, not {type_url[:200]!r}")


def _checked(names: Iterable[str]) -> tuple[str, ...]:
    given = tuple(names)
    if len(given) > MAX_NAMES:
        raise SubscriptionError(f"{len(given)} names are asked for; {MAX_NAMES} is the most")
    return given
