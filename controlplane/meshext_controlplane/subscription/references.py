"""Which resources a resource names: clusters, endpoints, routes, secrets and extensions by xDS over ADS."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from meshext_controlplane.snapshot import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    PREFIX,
    ROUTE,
    SECRET,
    Remembered,
    Resource,
)
from meshext_proto import POOL

Reference = tuple[str, str]
"""Type URL and name."""

_ANY = "google.protobuf.Any"
_DEEPEST = 64  # messages inside messages; generated configuration has about 20
_KEPT = 50_000  # resources whose references are remembered


def _cluster_field(field: str) -> Callable[[Any], Iterator[Reference]]:
    def find(message: Any) -> Iterator[Reference]:
        if name := getattr(message, field):
            yield (CLUSTER, name)

    return find


def _is_ads(source: Any) -> bool:
    return source.WhichOneof("config_source_specifier") in ("ads", "self")


def _endpoints(message: Any) -> Iterator[Reference]:
    if message.type == message.EDS and _is_ads(message.eds_cluster_config.eds_config):
        yield (ENDPOINT, message.eds_cluster_config.service_name or message.name)


def _routes(message: Any) -> Iterator[Reference]:
    if _is_ads(message.config_source):
        yield (ROUTE, message.route_config_name)


def _secrets(message: Any) -> Iterator[Reference]:
    if _is_ads(message.sds_config):
        yield (SECRET, message.name)


def _extensions(message: Any) -> Iterator[Reference]:
    if message.HasField("config_discovery") and _is_ads(message.config_discovery.config_source):
        yield (EXTENSION, message.name)


def _several(message: Any) -> Iterator[Reference]:
    return ((CLUSTER, name) for name in message.cluster_names)


_HCM = "envoy.extensions.filters.network.http_connection_manager.v3"

_NAMING: dict[str, Callable[[Any], Iterator[Reference]]] = {
    "envoy.config.cluster.v3.Cluster": _endpoints,
    "envoy.config.core.v3.ApiConfigSource": _several,
    "envoy.config.core.v3.GrpcService.EnvoyGrpc": _cluster_field("cluster_name"),
    "envoy.config.core.v3.HttpUri": _cluster_field("cluster"),
    "envoy.config.listener.v3.Filter": _extensions,
    "envoy.config.listener.v3.ListenerFilter": _extensions,
    "envoy.config.route.v3.RouteAction": _cluster_field("cluster"),
    "envoy.config.route.v3.RouteAction.RequestMirrorPolicy": _cluster_field("cluster"),
    "envoy.config.route.v3.WeightedCluster.ClusterWeight": _cluster_field("name"),
    "envoy.config.trace.v3.ZipkinConfig": _cluster_field("collector_cluster"),
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy": _cluster_field("cluster"),
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight": _cluster_field(
        "name"
    ),
    "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig": _secrets,
    f"{_HCM}.HttpFilter": _extensions,
    f"{_HCM}.Rds": _routes,
}
"""The messages that name a resource, and how."""


class References:
    """What resources name, remembered by type and version, as most are the same for many proxies."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, str], frozenset[Reference]] = OrderedDict()

    def of(self, resource: Resource) -> frozenset[Reference]:
        """All that one resource names. Nothing where only its version is known."""
        if isinstance(resource, Remembered):
            return resource.references
        if resource.type_url in (ENDPOINT, SECRET) or not resource.body:
            return frozenset()
        key = (resource.type_url, resource.name, resource.version)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = find_references(resource)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def find_references(resource: Resource) -> frozenset[Reference]:
    """What one resource names; ValueError where it is no message of its type."""
    try:
        message = _parse(resource.type_url, resource.body)
        return frozenset(_walk(message, _DEEPEST)) if message is not None else frozenset()
    except DecodeError as error:
        raise ValueError(f"{resource.name!r} is no {resource.type_url}: {error}") from None


def _parse(type_url: str, body: bytes) -> Message | None:
    """None for a message that is not among ours: nothing is known of what it names."""
    try:
        descriptor = POOL.FindMessageTypeByName(type_url.removeprefix(PREFIX))
    except KeyError:
        return None
    return GetMessageClass(descriptor).FromString(body)


def _walk(message: Any, depth: int) -> Iterator[Reference]:
    if depth == 0:
        raise ValueError(f"messages are nested more than {_DEEPEST} deep")
    descriptor = message.DESCRIPTOR
    if descriptor.full_name == _ANY:
        inner = _parse(message.type_url, message.value)
        if inner is not None:
            yield from _walk(inner, depth - 1)
        return
    if (find := _NAMING.get(descriptor.full_name)) is not None:
        yield from find(message)
    for name, is_map, is_list in _branches(descriptor):
        value = getattr(message, name)
        if is_map:
            inside = value.values()
        elif is_list:
            inside = value
        else:
            inside = (value,) if message.HasField(name) else ()
        for each in inside:
            yield from _walk(each, depth - 1)


@cache
def _branches(descriptor: Descriptor) -> tuple[tuple[str, bool, bool], ...]:
    """The fields under which something may be named: name, whether a map, whether a list."""
    found = []
    for field in descriptor.fields:
        inner = field.message_type
        if inner is None:
            continue
        is_map = inner.GetOptions().map_entry
        if is_map:
            inner = inner.fields_by_name["value"].message_type
        if inner is not None and _names_something(inner):
            found.append((field.name, is_map, field.is_repeated))
    return tuple(found)


@cache
def _names_something(descriptor: Descriptor) -> bool:
    """Whether a message of that type, or one inside it, can name a resource."""
    seen = {descriptor.full_name}
    waiting = [descriptor]
    while waiting:
        each = waiting.pop()
        if each.full_name in _NAMING or each.full_name == _ANY:
            return True
        for field in each.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
    return False
