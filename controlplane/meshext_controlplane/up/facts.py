"""A running mesh for programs: addresses, process ids, logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from meshext_controlplane.up.instances import Instance
from meshext_controlplane.up.member import Member


def tell_facts(
    members: Sequence[tuple[Instance, Member]], *, control_plane: str, state: Path
) -> dict[str, Any]:
    """What becomes JSON; `pid` is that of the sidecar, `state` the control plane's."""
    workloads = [
        {
            "name": instance.name,
            "namespace": instance.namespace,
            "service_account": instance.service_account,
            "address": instance.address,
            "ports": [port.port for port in instance.ports],
            "gateway": instance.gateway,
            "proxy": "" if instance.gateway else instance.proxy,
            "pid": member.pid,
            "log": str(member.log),
        }
        for instance, member in members
    ]
    return {"control_plane": control_plane, "state": str(state), "workloads": workloads}
