"""Snapshots as static bootstraps, so that the real Envoy judges every resource without a control plane."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from meshext_controlplane.agent.bootstrap import LARGEST_REGEX, REGEX_LIMIT
from meshext_controlplane.snapshot import SECRET, Snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data, to_data
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2

Data = dict[str, Any]
HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


def pipe_cluster(name: str, path: str) -> Data:
    """A cluster of gRPC over a Unix socket."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": path}}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": HTTP2,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def to_bootstrap(snapshot: Snapshot, *, sds: Path = Path("sds.sock")) -> Data:
    """The snapshot, routes in their listeners and endpoints in their clusters; only secrets are fetched."""
    data = deepcopy(snapshot_to_data(snapshot))
    routes = {each["name"]: each for each in data.get("RouteConfiguration", [])}
    assignments = {each["cluster_name"]: each for each in data.get("ClusterLoadAssignment", [])}
    extensions = {each["name"]: each["typed_config"] for each in data.get("TypedExtensionConfig", [])}
    for manager in (each for listener in data.get("Listener", []) for each in managers(listener)):
        if rds := manager.pop("rds", None):
            manager["route_config"] = routes[rds["route_config_name"]]
        for each in manager["http_filters"]:
            if each.pop("config_discovery", None):
                each["typed_config"] = extensions[each["name"]]
    for cluster in data["Cluster"]:
        if cluster.pop("eds_cluster_config", None):
            cluster["type"] = "STATIC"
            cluster["load_assignment"] = assignments[cluster["name"]]
    clusters = [*data["Cluster"], pipe_cluster("sds", str(sds))]
    secrets = [to_data(secret_pb2.Secret.FromString(each.body)) for each in snapshot.named(SECRET).values()]
    name_secrets(data.get("Listener", []))
    return {
        "node": {"id": "test", "cluster": "test"},
        "layered_runtime": {"layers": [{"name": "x", "static_layer": {REGEX_LIMIT: LARGEST_REGEX}}]},
        "static_resources": {
            "clusters": clusters,
            "listeners": data.get("Listener", []),
            "secrets": secrets,
        },
    }


def name_secrets(part: Any) -> None:
    """Secrets that come over ADS stand in the bootstrap: then there is only their name."""
    if isinstance(part, dict) and "ads" in part.get("sds_config", {}):
        del part["sds_config"]
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        name_secrets(each)


def managers(listener: Data) -> list[Data]:
    """The connection managers of a listener."""
    return [
        each["typed_config"]
        for chain in listener.get("filter_chains", [])
        for each in chain["filters"]
        if each["name"] == "envoy.filters.network.http_connection_manager"
    ]
