"""A sidecar's Python filter is swapped while requests come: none fails, and their connection goes on."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography import x509

from e2e.certificates import Authority
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.stage import wait_for
from meshext.envoy.echo import EchoServer
from meshext.envoy.process import EnvoyProcess
from meshext.hosts.options import ServiceOptions
from meshext.sandbox.service import ServiceProcess
from meshext_controlplane.snapshot import EXTENSION, LISTENER, Snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import managers, to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

pytestmark = pytest.mark.envoy

FILTER = """
from meshext import Filter

class Version(Filter):
    def on_response(self, response):
        response.headers["x-version"] = "{version}"
"""
READING = """
    async def on_request_body(self, request):
        assert request.body == b""
"""
CODE = {"one": FILTER.format(version="one"), "two": FILTER.format(version="two") + READING}
MESH = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: open, namespace: istio-system}
spec: {mtls: {mode: DISABLE}}
---
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: version, namespace: shop}
spec: {filter: "SPEC"}
---
kind: Workload
name: swapped
namespace: shop
address: 127.1.7.3
ports: [{number: 8080, application: "unix:FOLDER/echo.sock", protocol: http}]
"""
NAME = "filter|shop|version"
ROUNDS = 20  # swaps there and back
EACH = 10  # requests between two swaps


@dataclass(frozen=True, slots=True)
class Swapped:
    """The running sidecar; `extension` is the file that its filter comes from."""

    snapshots: dict[str, Snapshot]
    extension: Path
    background: Background
    envoy: EnvoyProcess

    def swap(self, version: str) -> None:
        """Give the sidecar the filter's resource as that version has it, asking that version's service."""
        write_extension(self.extension, self.snapshots[version], version)

    def counted(self, pattern: str) -> int:
        """Envoy's statistics of that pattern, added up."""
        return sum(self.background.run(self.envoy.admin.stats(pattern)).values())


def write_extension(place: Path, snapshot: Snapshot, version: str) -> None:
    (resource,) = snapshot_to_data(snapshot)["TypedExtensionConfig"]
    resource["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"] = version
    resource["@type"] = EXTENSION
    place.with_suffix(".new").write_text(json.dumps({"version_info": version, "resources": [resource]}))
    os.replace(place.with_suffix(".new"), place)


def build_bootstrap(snapshot: Snapshot, folder: Path) -> dict[str, Any]:
    """The sidecar's resources, its filter's configuration from a file, a cluster for each version."""
    bootstrap = to_bootstrap(snapshot, sds=folder / "sds.sock")
    resources = bootstrap["static_resources"]
    source = {
        "path_config_source": {"path": str(folder / "extension.json")},
        "resource_api_version": "V3",
    }
    types = ["type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"]
    for manager in (each for listener in resources["listeners"] for each in managers(listener)):
        for each in manager["http_filters"]:
            if each["name"] == NAME:
                del each["typed_config"]
                each["config_discovery"] = {"config_source": source, "type_urls": types}
    (own,) = [each for each in resources["clusters"] if each["name"] == NAME]
    for version in CODE:
        text = json.dumps(own).replace(json.dumps(NAME), json.dumps(version))
        cluster = json.loads(text)
        (endpoints,) = cluster["load_assignment"]["endpoints"]
        address = endpoints["lb_endpoints"][0]["endpoint"]["address"]
        address["pipe"]["path"] = str(folder / f"{version}.sock")
        resources["clusters"].append(cluster)
    return bootstrap


@pytest.fixture(scope="module")
def swapped() -> Iterator[Swapped]:
    with TemporaryDirectory(prefix="mx-") as name, ExitStack() as stack:
        folder, background = Path(name), Background()
        stack.callback(background.close)
        server = EchoServer("shop")
        background.run(server.start(f"unix:{folder}/echo.sock"))
        stack.callback(lambda: background.run(server.__aexit__(None, None, None)))
        authority = Authority(folder, "ca")
        pair = authority.issue("a", [x509.UniformResourceIdentifier("spiffe://cluster.local/ns/a/sa/a")])
        stack.enter_context(serving_secrets(folder / "sds.sock", build_secrets(pair, authority.file)))
        snapshots = {}
        for version, code in CODE.items():
            (folder / f"{version}.py").write_text(code)
            spec = f"{folder}/{version}.py:Version"
            options = ServiceOptions(specs=(spec,), address=f"unix:{folder}/{version}.sock")
            service = background.run(ServiceProcess.start(options, on_line=lambda line: None))
            stack.callback(lambda each: background.run(each.stop()), service)
            mesh = parse_mesh(MESH.replace("SPEC", spec).replace("FOLDER", name))
            snapshots[version] = Translator(mesh).snapshot(proxy_of(mesh.workloads[0]))
        write_extension(folder / "extension.json", snapshots["one"], "one")
        bootstrap = json.dumps(build_bootstrap(snapshots["one"], folder))
        envoy = background.run(EnvoyProcess.start(bootstrap, folder / "envoy", concurrency=1))
        stack.callback(lambda: background.run(envoy.stop()))
        yield Swapped(snapshots, folder / "extension.json", background, envoy)


def test_only_the_filters_own_resource_differs(swapped: Swapped) -> None:
    one, two = swapped.snapshots.values()
    assert one.named(LISTENER) == two.named(LISTENER)
    assert one.named(EXTENSION) != two.named(EXTENSION)


def test_no_request_fails_and_the_connection_goes_on(swapped: Swapped) -> None:
    link = http.client.HTTPConnection("127.1.7.3", 8080, timeout=30)
    told = []

    def ask() -> str:
        link.request("POST", "/", body=b"")
        answer = link.getresponse()
        answer.read()
        assert answer.status == 200
        told.append(answer.headers["x-version"])
        return told[-1]

    def asks(version: str) -> bool:
        return ask() == version

    assert asks("one")
    socket = link.sock
    for number in range(ROUNDS):
        version = ("two", "one")[number % 2]
        swapped.swap(version)
        assert wait_for(partial(asks, version))
        for _ in range(EACH):
            assert asks(version)
    assert link.sock is socket
    assert len(told) > ROUNDS * EACH
    assert swapped.counted(r"listener_manager\.listener_(modified|in_place_updated)") == 0
    link.close()
