"""Who may have configuration: the node that a proxy says it is, against the identity that it has proved."""

from __future__ import annotations

import re
from collections.abc import Callable

from meshext.errors import MeshextError
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.node_metadata import MetadataError, parse_metadata
from meshext_proto.envoy.config.core.v3 import base_pb2

_NODE_ID = re.compile(r"(?P<name>[a-z0-9][-a-z0-9.]{0,252})\.(?P<namespace>[a-z0-9][-a-z0-9]{0,62})")

Find = Callable[[str, str], Workload | None]
"""A registered workload by namespace and name."""


class NotAdmitted(MeshextError):
    """A proxy gets nothing; `later` where it may well get something when it asks again."""

    def __init__(self, text: str, *, later: bool = False) -> None:
        self.later = later
        super().__init__(text)


def admit_node(node: base_pb2.Node, peer: Peer, find: Find) -> Proxy:
    """The proxy of a node message; NotAdmitted unless the identity owns the workload that it names."""
    identity = peer.identity
    named = _NODE_ID.fullmatch(node.id)
    if named is None:
        raise NotAdmitted(f"node id {node.id[:80]!r} is not WORKLOAD.NAMESPACE, such as checkout-1.shop")
    if named["namespace"] != identity.namespace:
        raise NotAdmitted(f"{identity} may not have the configuration of {node.id}")
    workload = find(named["namespace"], named["name"])
    if workload is None:
        raise NotAdmitted(f"{node.id} is not registered yet; its agent registers it", later=True)
    if workload.identity != identity:
        raise NotAdmitted(f"{identity} may not have the configuration of {node.id}")
    try:
        outbound, transparent = parse_metadata(node)
    except MetadataError as error:
        raise NotAdmitted(f"node metadata {error}") from None
    version = node.user_agent_build_version.version
    return Proxy(
        node_id=node.id,
        identity=identity,
        workload=workload,
        kind=_kind(node, workload),
        outbound=outbound,
        transparent=transparent,
        envoy=(version.major_number, version.minor_number, version.patch),
        serial=peer.serial,
    )


def _kind(node: base_pb2.Node, workload: Workload) -> ProxyKind:
    if node.user_agent_name.startswith("gRPC"):
        return ProxyKind.GRPC
    return ProxyKind.GATEWAY if workload.gateway else ProxyKind.SIDECAR
