"""The file that tells gRPC's own xDS client about the mesh (`$GRPC_XDS_BOOTSTRAP`, gRFCs A27 and A29).

Its configuration comes through the agent's socket, as an Envoy's does: the agent proves who the workload is
by mTLS, and answers out of what it keeps where the control plane is away. To other workloads the client
speaks mTLS itself, with the certificate in the agent's folder, which it reads again when that is renewed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from meshext_controlplane.agent.certificate_files import CHAIN, KEY, ROOTS
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality
from meshext_controlplane.translate.grpc_clusters import PROVIDER
from meshext_controlplane.translate.names import GRPC_SERVER

VARIABLE = "GRPC_XDS_BOOTSTRAP"
"""Where every gRPC looks for the file's name; it has to be set before gRPC is loaded."""

REFRESH = "1s"
"""How often certificates are read again: a mesh that changes its root waits for agents, and these follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSetup:
    """What the client is told: who it is, the agent's socket, the folder with its certificate."""

    name: str
    identity: SpiffeId
    agent: Path
    certificates: Path
    locality: Locality = field(default_factory=Locality)


def build_grpc_bootstrap(setup: GrpcSetup) -> str:
    """The file, as JSON."""
    place, folder = setup.locality, setup.certificates
    files = {
        "certificate_file": str(folder / CHAIN),
        "private_key_file": str(folder / KEY),
        "ca_certificate_file": str(folder / ROOTS),
        "refresh_interval": REFRESH,
    }
    server = {
        "server_uri": f"unix:{setup.agent}",
        "channel_creds": [{"type": "insecure"}],
        "server_features": ["xds_v3"],
    }
    node = {
        "id": f"{setup.name}.{setup.identity.namespace}",
        "cluster": f"{setup.identity.service_account}.{setup.identity.namespace}",
        "locality": {"region": place.region, "zone": place.zone, "sub_zone": place.sub_zone},
    }
    document = {
        "xds_servers": [server],
        "node": node,
        "certificate_providers": {PROVIDER: {"plugin_name": "file_watcher", "config": files}},
        "server_listener_resource_name_template": f"{GRPC_SERVER}%s",
    }
    return json.dumps(document, indent=2) + "\n"
