"""The last resources that Envoy took, as they pass by: what was sent and acknowledged. No I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.message import DecodeError

from meshext_controlplane.snapshot import CLUSTER, LISTENER, Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2
from meshext_proto.meshext import stored_pb2

_WHOLE = frozenset({CLUSTER, LISTENER})
"""Types whose SotW responses have everything there is; others have what is new."""

Types = dict[str, dict[str, Resource]]
Added = tuple[dict[str, Resource], frozenset[str], bool]
"""What one response brings: resources, names that go, whether it is everything."""


class LastGood:
    """What Envoy runs with, by type and name. `version` counts up with each change."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.version = 0
        self._types: Types = {}
        for resource in resources:
            self._types.setdefault(resource.type_url, {})[resource.name] = resource

    def named(self, type_url: str) -> Mapping[str, Resource]:
        """The resources of one type."""
        return self._types.get(type_url, {})

    def __iter__(self) -> Iterator[Resource]:
        return (resource for named in self._types.values() for resource in named.values())

    def __len__(self) -> int:
        return sum(map(len, self._types.values()))

    def take(self, type_url: str, added: Added, *, base: frozenset[str] | None = None) -> None:
        """Envoy has taken a response. `base` are the names that it had when its stream began; others go."""
        resources, removed, whole = added
        old = {} if whole else self._types.get(type_url, {})
        kept = {
            name: resource
            for name, resource in old.items()
            if name not in removed and (base is None or name in base)
        }
        new = kept | resources
        if new != self._types.get(type_url, {}):
            self._types[type_url] = new
            self.version += 1


class DeltaWatch:
    """Reads along on one delta stream."""

    def __init__(self, last_good: LastGood) -> None:
        self._last_good = last_good
        self._base: dict[str, frozenset[str]] = {}
        self._known: set[str] = set()
        self.fresh = True
        """Whether Envoy had nothing when the stream began."""
        self._sent: dict[tuple[str, str], Added] = {}

    def sent(self, body: bytes) -> None:
        """A response went to Envoy."""
        response = discovery_pb2.DeltaDiscoveryResponse.FromString(body)
        resources = {
            each.name: Resource(response.type_url, each.name, each.version, each.resource.value)
            for each in response.resources
        }
        removed = frozenset(response.removed_resources)
        self._sent[response.type_url, response.nonce] = (resources, removed, False)

    def asked(self, body: bytes) -> str:
        """A request came from Envoy; its reason where it refuses a response, else ""."""
        request = discovery_pb2.DeltaDiscoveryRequest.FromString(body)
        type_url = request.type_url
        if type_url not in self._known:
            self._known.add(type_url)
            self.fresh = self.fresh and not request.initial_resource_versions
            self._base[type_url] = frozenset(request.initial_resource_versions)
        added = self._sent.pop((type_url, request.response_nonce), None)
        if request.HasField("error_detail"):
            return request.error_detail.message or "no reason was given"
        if added is not None:
            self._last_good.take(type_url, added, base=self._base.pop(type_url, None))
        if gone := frozenset(request.resource_names_unsubscribe):
            self._last_good.take(type_url, ({}, gone, False))
        return ""


class SotwWatch:
    """Reads along on one state-of-the-world stream.

    Several streams may share what is kept, each for the names that it asks for: then none says what is all.
    """

    def __init__(self, last_good: LastGood, *, shares: bool = False) -> None:
        self._last_good = last_good
        self._shares = shares
        self._sent: dict[str, tuple[str, Added]] = {}
        self.fresh = True
        """Whether Envoy had nothing when the stream began."""

    def sent(self, body: bytes) -> None:
        """A response went to Envoy."""
        response = discovery_pb2.DiscoveryResponse.FromString(body)
        type_url = response.type_url
        resources = {}
        for each in response.resources:
            name = stored_pb2.Named.FromString(each.value).name
            # A version of the whole type would make each of its resources new with any of them.
            version = hashlib.sha256(each.value).hexdigest()[:16]
            resources[name] = Resource(type_url, name, version, each.value)
        self._sent[type_url] = (response.nonce, (resources, frozenset(), type_url in _WHOLE))

    def asked(self, body: bytes) -> str:
        """A request came from Envoy; its reason where it refuses a response, else ""."""
        request = discovery_pb2.DiscoveryRequest.FromString(body)
        if not request.response_nonce:
            self.fresh = self.fresh and not request.version_info
        nonce, added = self._sent.get(request.type_url, ("", None))
        if added is None or not request.response_nonce or request.response_nonce != nonce:
            return ""
        del self._sent[request.type_url]
        if request.HasField("error_detail"):
            return request.error_detail.message or "no reason was given"
        names = frozenset(request.resource_names)
        if self._shares:
            gone = names - added[0].keys() if request.type_url in _WHOLE else frozenset()
            self._last_good.take(request.type_url, (added[0], gone, False))
            return ""
        base = None if request.type_url in _WHOLE else names
        self._last_good.take(request.type_url, added, base=base)
        return ""


def encode_last_good(last_good: LastGood, made_for: str) -> bytes:
    """For a file."""
    message = stored_pb2.LastGood(made_for=made_for)
    for resource in last_good:
        message.resources.add(
            type_url=resource.type_url, name=resource.name, version=resource.version, body=resource.body
        )
    return message.SerializeToString()


def decode_last_good(body: bytes, made_for: str) -> LastGood:
    """Of a file; empty where it is damaged or was made for another workload."""
    try:
        message = stored_pb2.LastGood.FromString(body)
    except DecodeError:
        return LastGood()
    if message.made_for != made_for:
        return LastGood()
    return LastGood(Resource(each.type_url, each.name, each.version, each.body) for each in message.resources)
