"""Look at a whole running mesh, and find a workload in it by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshext_controlplane.inspection.view import View
    from meshext_controlplane.model.workload import Workload


def look(state: Path) -> View:
    """The mesh as its control plane tells of it now; AdminError where none answers."""
    from meshext_controlplane.cli.admin import call
    from meshext_controlplane.inspection.view import read_view
    from meshext_proto.meshext import admin_pb2

    told = call(state, "Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
    status = call(state, "ProxyStatus", admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply)
    return read_view(told, status)


def find_workload(view: View, name: str) -> Workload:
    """The workload of NAME, NAMESPACE/NAME or NAME.NAMESPACE; AdminError where there is none, or several."""
    from meshext_controlplane.cli.admin import AdminError

    found = view.workload(name)
    if len(found) > 1:
        names = ", ".join(f"{each.namespace}/{each.name}" for each in found)
        raise AdminError(f"{name}: there are several, {names}; write one of these")
    if not found:
        known = sorted(f"{each.namespace}/{each.name}" for each in view.mesh.workloads)
        listed = ", ".join(known[:MOST]) + (", ..." if len(known) > MOST else "")
        there = f"there are {listed}" if known else "none has registered"
        raise AdminError(f"{name}: no such workload; {there}")
    return found[0]


MOST = 20  # names that a message lists
