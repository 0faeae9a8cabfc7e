"""Meshes written as YAML: documents, and under the kind `Workload` what has registered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from meshext.errors import MeshextError
from meshext.plan import Plan
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.kinds import KINDS
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.mesh_config import MeshConfig, MeshConfigSpec
from meshext_controlplane.model.proxy import Proxy, Transparent
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality, State, Workload, WorkloadPort
from meshext_controlplane.sources.places import Key, Origin
from meshext_controlplane.sources.planning import find_filters, plan_one
from meshext_controlplane.sources.reading import read_text

FOLDER = Path(__file__).parent / "meshes"


def parse_document(data: dict[str, Any]) -> MeshDocument:
    """A document of any kind, which has to be right."""
    (placed,) = read_text(Origin("mesh.json", json.dumps(data))).documents
    return placed.document


def parse_workload(data: dict[str, Any]) -> Workload:
    """A registered workload; everything but `name`, `address` and `ports` may be left out."""
    identity = SpiffeId("cluster.local", data.get("namespace", "default"), data.get("account", data["name"]))
    return Workload(
        name=data["name"],
        identity=identity,
        address=data["address"],
        labels=MappingProxyType(data.get("labels", {})),
        ports=tuple(WorkloadPort(**port) for port in data.get("ports", [])),
        state=State[data.get("state", "READY")],
        locality=Locality(*data.get("locality", "").split("/")),
        weight=data.get("weight", 1),
        gateway=data.get("gateway", False),
    )


def parse_documents(data: Iterable[dict[str, Any]]) -> MappingProxyType[str, tuple[MeshDocument, ...]]:
    """Documents by kind, without what looks for the place of a mistake."""
    found: dict[str, list[MeshDocument]] = {}
    for each in data:
        body = {key: value for key, value in each.items() if key not in ("kind", "apiVersion")}
        document = KINDS[each["kind"]].model_validate_json(json.dumps(body))
        found.setdefault(each["kind"], []).append(document)
    return MappingProxyType({kind: tuple(documents) for kind, documents in found.items()})


def parse_mesh(text: str) -> Mesh:
    """The mesh of documents with `---` between them."""
    documents: dict[str, list[MeshDocument]] = {}
    workloads = []
    config = MeshConfigSpec()
    for data in yaml.safe_load_all(text):
        if data["kind"] == "Workload":
            workloads.append(parse_workload(data))
            continue
        document = parse_document(data)
        documents.setdefault(data["kind"], []).append(document)
        config = document.spec if isinstance(document, MeshConfig) else config
    mesh = Mesh(
        config=config,
        documents=MappingProxyType({kind: tuple(each) for kind, each in documents.items()}),
        workloads=tuple(workloads),
    )
    return replace(mesh, plans=MappingProxyType(dict(plan(mesh))))


def plan(mesh: Mesh) -> Iterator[tuple[Key, Plan]]:
    """The plans of the mesh's filters that load."""
    for key, source in find_filters(mesh).items():
        config = "" if source.config is None else json.dumps(source.config)
        with suppress(MeshextError):
            yield key, plan_one(source.filter, config, source.mode)


def read_mesh(name: str) -> Mesh:
    """The mesh of a file of `meshes`."""
    return parse_mesh((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def proxy_of(workload: Workload, *, outbound: int = 15001, transparent: Transparent | None = None) -> Proxy:
    """The sidecar of a workload."""
    return Proxy(
        node_id=f"{workload.name}.{workload.namespace}",
        identity=workload.identity,
        workload=workload,
        outbound=outbound,
        transparent=transparent,
    )
