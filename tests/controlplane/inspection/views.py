"""Views of meshes that are written as YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from meshext_controlplane.inspection.view import ProxyState, TypeState, View, node_id
from meshext_controlplane.model.mesh import Mesh
from tests.controlplane.translation.meshes import parse_mesh

SHOP = Path(__file__).with_name("shop.yaml")
SYNCED = ProxyState(envoy="1.40.0", types={"CDS": TypeState("SYNCED"), "SDS": TypeState("NOT SENT")})
REFUSED = ProxyState(
    envoy="1.40.0",
    types={"CDS": TypeState("SYNCED"), "LDS": TypeState("NACKED", "no such filter", ("inbound",))},
)


def read_shop() -> Mesh:
    """The mesh of `shop.yaml`."""
    return parse_mesh(SHOP.read_text(encoding="utf-8"))


def view_of(mesh: Mesh, **proxies: ProxyState) -> View:
    """The mesh as its control plane would tell it; `proxies` are by the names of workloads."""
    return View(
        mesh=replace(mesh, plans=MappingProxyType({})),
        modes={key: plan.mode for key, plan in mesh.plans.items()},
        places={each.key: f"{each.KIND}.yaml:1" for kind in mesh.documents.values() for each in kind},
        proxies={node_id(each): proxies[each.name] for each in mesh.workloads if each.name in proxies},
    )
