"""What security and filter documents put into the configuration of one workload: where, and what.

`translate` asks here and knows nothing of the documents; places are those of `http_filters.ORDER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.peer_authentication import MtlsMode, mtls_mode
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.google.protobuf import any_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What policies put into one listener and its routes. Equal ones lead to the same encoded resources.

    `filters` are HTTP filters by the name of their place: an edit of them closes connections. `on_routes` is
    for filters that stand there already, by the filter's name (`rbac-deny`): an edit of it closes none.
    `network` are filters of a port that is not HTTP. `resources` are what all of that refers to: extension
    configurations, clusters of services.
    """

    filters: Mapping[str, tuple[HttpFilter, ...]] = field(default_factory=dict)
    on_routes: Mapping[str, any_pb2.Any] = field(default_factory=dict)
    network: tuple[components_pb2.Filter, ...] = ()
    resources: tuple[Resource, ...] = ()


class Policies:
    """The policies of one mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh

    def mtls_mode(self, workload: Workload, port: int) -> MtlsMode:
        """What the workload's port takes."""
        return mtls_mode(self.mesh, workload, port)

    def inbound(self, workload: Workload, port: int) -> Placed:  # noqa: ARG002
        """What is put before the workload's port."""
        return Placed()

    def outbound(self, workload: Workload) -> Placed:  # noqa: ARG002
        """What is put into the workload's own HTTP proxy."""
        return Placed()
