"""A Python filter as Envoy asks it: ext_authz or ext_proc, derived from the filter's class.

The same builders as those of `meshext config`, so that a filter means the same beside any Envoy; what they
give is turned into the messages that are served. That takes milliseconds, and happens when a filter changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from meshext.envoy.emit import to_data
from meshext.envoy.http_filter import build_http_filters
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.envoy.upstreams import UnixAddress
from meshext.plan import Plan
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_proto import POOL
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from meshext_proto.envoy.extensions.filters.http.ext_proc.v3 import ext_proc_pb2
from meshext_proto.envoy.extensions.filters.http.lua.v3 import lua_pb2
from meshext_proto.envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

PACKED: tuple[type[Message], ...] = (
    ext_authz_pb2.ExtAuthz,
    ext_proc_pb2.ExternalProcessor,
    lua_pb2.Lua,
    previous_hosts_pb2.PreviousHostsPredicate,
    http_protocol_options_pb2.HttpProtocolOptions,
)
"""Messages inside of others, which JSON names by their type: known once they are imported."""


@dataclass(frozen=True, slots=True)
class BuiltFilter:
    """`asking` is the filter that asks; `beside` has to stand right behind it, in the same order."""

    asking: HttpFilter
    beside: tuple[HttpFilter, ...]


def build_filter(plan: Plan, cluster: str, source: FilterSource) -> BuiltFilter:
    """The HTTP filters of a plan whose service is reached by that cluster.

    A service of the mesh is called by its host: its sidecar takes no name of a cluster for one.
    """
    authority = "" if source.service is None else source.service.host.rpartition("/")[2]
    asking, *beside = (
        ParseDict(to_data(each), HttpFilter(), descriptor_pool=POOL)
        for each in build_http_filters(plan, cluster=cluster, authority=authority)
    )
    return BuiltFilter(asking, tuple(beside))


def build_cluster_beside(cluster: str, socket: str) -> cluster_pb2.Cluster:
    """The cluster of a filter that runs beside the sidecar, at that Unix socket."""
    backend = Backend(addresses=(UnixAddress(socket),), cluster=cluster)
    return ParseDict(to_data(build_service_cluster(backend)), cluster_pb2.Cluster(), descriptor_pool=POOL)


def name_socket(namespace: str, name: str) -> str:
    """The socket of a filter's service, in the folder in which the sidecar runs Envoy.

    A digest, as names may be longer than a socket's path.
    """
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:16]
    return f"filter-{digest}.sock"
