"""What one proxy shall have, as it goes over the wire: immutable, each resource versioned by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.message import Message

PREFIX = "type.googleapis.com/"

CLUSTER = f"{PREFIX}envoy.config.cluster.v3.Cluster"
ENDPOINT = f"{PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{PREFIX}envoy.config.listener.v3.Listener"
ROUTE = f"{PREFIX}envoy.config.route.v3.RouteConfiguration"
SECRET = f"{PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret"
EXTENSION = f"{PREFIX}envoy.config.core.v3.TypedExtensionConfig"

TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, EXTENSION)
"""Every type that is served, in the order in which additions are sent."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One encoded resource: `body` is the message's bytes (deterministic), `version` a hash of them."""

    type_url: str
    name: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Remembered(Resource):
    """A resource of which only its version is known and what it names, by type and name; no `body`."""

    references: frozenset[tuple[str, str]]


def encode_resource(name: str, message: Message) -> Resource:
    """The resource of an xDS message; equal messages give equal versions, on every control plane."""
    body = message.SerializeToString(deterministic=True)
    return from_body(PREFIX + message.DESCRIPTOR.full_name, name, body)


def from_body(type_url: str, name: str, body: bytes) -> Resource:
    """The resource of a message that is encoded already, deterministically."""
    return Resource(type_url, name, hashlib.sha256(body).hexdigest()[:16], body)


Named = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All resources of one proxy by type and name. Resources are shared between snapshots, never copied."""

    types: Mapping[str, Named]

    def named(self, type_url: str) -> Named:
        """The resources of one type; none of a type that is not served."""
        return self.types.get(type_url, _NONE)


_NONE: Named = MappingProxyType({})


def build_snapshot(resources: Iterable[Resource]) -> Snapshot:
    """Resources sorted into types; ValueError where two have the same name."""
    types: dict[str, dict[str, Resource]] = {}
    for resource in resources:
        named = types.setdefault(resource.type_url, {})
        if resource.name in named:
            raise ValueError(f"two resources of type {resource.type_url} are named {resource.name!r}")
        named[resource.name] = resource
    return Snapshot(MappingProxyType({url: MappingProxyType(named) for url, named in types.items()}))
