"""The mesh that is rebuilt from a control plane's answer is the one that is served."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import grpc.aio
import pytest
import yaml

from meshext.config.redaction import REDACTED
from meshext_controlplane.cli.admin import SOCKET
from meshext_controlplane.cli.looking import look
from meshext_controlplane.inspection.view import View
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.secret import PUBLIC, Secret
from meshext_controlplane.registrations import parse_registration, to_registration
from meshext_controlplane.server.admin import AdminService
from meshext_controlplane.server.configuring import Configuring, Plans
from meshext_controlplane.server.control_plane import translate
from meshext_controlplane.server.lingering import Lingering
from meshext_controlplane.server.serving import Serving
from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.xds.hub import Hub
from tests.controlplane.inspection.views import SHOP, read_shop, view_of
from tests.controlplane.server.test_configuring import Kept
from tests.controlplane.translation.meshes import FOLDER, parse_mesh, proxy_of

MESHES = [SHOP, *sorted(FOLDER.glob("*.yaml"))]


def write_documents(file: Path, folder: Path) -> None:
    """The documents of a mesh, without its workloads."""
    documents = [each for each in yaml.safe_load_all(file.read_text()) if each["kind"] != "Workload"]
    (folder / "mesh.yaml").write_text(yaml.safe_dump_all(documents))


async def see(folder: Path, mesh: Mesh) -> tuple[View, Mesh]:
    """What a control plane with these documents and workloads tells, and what it serves."""
    serving = Serving(translate, Lingering(clock=time.monotonic, later=lambda _: None))

    def configure(configuration: Configuration, plans: Plans) -> None:
        serving.configure(configuration.config, configuration.documents, plans)

    configuring = Configuring(folder, Kept(), clock=time.time, changed=configure)
    await configuring.load()
    registered = ((to_registration(each), each.identity) for each in mesh.workloads)
    serving.populate(tuple(parse_registration(*each) for each in registered))
    admin = AdminService(configuring, serving, Hub(serving.snapshot_of), list, ready=lambda: True)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((admin.handlers(),))
    server.add_insecure_port(f"unix:{folder / SOCKET}")
    await server.start()
    try:
        return await asyncio.to_thread(look, folder), serving.mesh
    finally:
        await server.stop(None)


@pytest.mark.parametrize("file", MESHES, ids=lambda file: str(file.stem))
def test_proxies_would_get_the_same(file: Path, tmp_path: Path) -> None:
    write_documents(file, tmp_path)
    view, served = asyncio.run(see(tmp_path, parse_mesh(file.read_text())))
    rebuilt = replace(view.mesh, plans=served.plans)
    assert without_secrets(rebuilt) == without_secrets(served)
    one, other = Translator(served), Translator(rebuilt)
    for workload in served.workloads:
        if not workload.gateway:
            assert one.snapshot(proxy_of(workload)) == other.snapshot(proxy_of(workload))


def without_secrets(mesh: Mesh) -> Mesh:
    """The mesh without the documents that are not told as they are."""
    return replace(
        mesh, documents={kind: each for kind, each in mesh.documents.items() if kind != Secret.KIND}
    )


def test_of_secrets_only_certificates_are_told(tmp_path: Path) -> None:
    (file,) = (each for each in MESHES if each.stem == "gateways")
    write_documents(file, tmp_path)
    view, served = asyncio.run(see(tmp_path, parse_mesh(file.read_text())))
    told, held = view.mesh.of(Secret), served.of(Secret)
    assert [each.key for each in told] == [each.key for each in held]
    for one, other in zip(told, held, strict=True):
        for name, text in other.entries.items():
            assert one.entries[name] == (text if name in PUBLIC else REDACTED.encode())


def test_modes_are_of_filters_that_load(tmp_path: Path) -> None:
    write_documents(SHOP, tmp_path)
    view, _ = asyncio.run(see(tmp_path, read_shop()))
    assert view.ready
    assert view.modes == {
        ("FilterPolicy", "shop", "limits"): "authz",
        ("FilterPolicy", "istio-system", "first"): "proc",
    }
    assert [line for line in view.problems if "nowhere:Missing" in line or "nowhere" in line]


@pytest.mark.parametrize("name", ["reviews-2", "shop/reviews-2", "reviews-2.shop"])
def test_a_workload_has_three_names(name: str) -> None:
    (found,) = view_of(read_shop()).workload(name)
    assert (found.namespace, found.name) == ("shop", "reviews-2")
    assert view_of(read_shop()).workload(f"{name}x") == []
