"""From workloads.yaml to instances and the command lines of their sidecars."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from meshext_controlplane.up.commands import MESHEXT, build_sidecar_command
from meshext_controlplane.up.errors import FolderError
from meshext_controlplane.up.folder import check_mesh, read_workloads
from meshext_controlplane.up.instances import (
    build_instances,
    find_open_ports,
    name_replicas,
    needed_ports,
)

WORKLOADS = """\
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: web, namespace: shop, labels: {app: web, version: v1}}
spec:
  serviceAccount: web
  command: [python, -m, web, --name, two words]
  ports: [{port: 8080, name: http, protocol: http}, {port: 9000}]
  env: {LEVEL: debug}
  replicas: 2
  readiness: {httpGet: {path: /healthz, port: 8080}, period: 500ms, timeout: 1m, failures: 5}
---
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: cron}
spec: {command: [sleep, "1000"], readiness: null}
---
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: tcp}
spec: {command: [./server], ports: [{port: 5432, applicationPort: 5433}], readiness: {tcpSocket: {}}}
---
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: front, namespace: edge, labels: {gate: front}}
spec: {gateway: true, ports: [{port: 8080, protocol: http}, {port: 8443, protocol: tls}]}
"""


def test_command_lines(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    (tmp_path / "workloads.yaml").write_text(WORKLOADS)
    lines = []
    for number, written in enumerate(read_workloads(tmp_path)):
        names = name_replicas(written.document)
        addresses = [f"127.1.{number}.{each}" for each, _ in enumerate(names, 1)]
        for instance in build_instances(written, addresses, Path("/state/sidecars")):
            command = build_sidecar_command(instance, "127.1.0.1:15010")
            lines.append(f"# {instance.node} in {instance.folder.relative_to(tmp_path)}/")
            lines.append(f"# needs TCP ports {needed_ports(written.document)}, {dict(instance.environment)}")
            lines.append(shlex.join(["meshext", *command[len(MESHEXT) :]]))
            lines += [f"# {warning}" for warning in find_open_ports([instance])]
    golden("\n".join(lines) + "\n", "commands.sh")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no Workload; write one for each program that shall run"),
        (WORKLOADS + "---\n" + WORKLOADS, "two workloads are web-1.shop"),
        (
            "apiVersion: meshext.dev/v1\nkind: Workload\nmetadata: {name: a}\nspec: {commands: [a]}\n",
            ":4: Workload default/a: spec.commands",
        ),
        ("kind: Service\napiVersion: v1\n", "kinds are Workload"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "workloads.yaml").write_text(text)
    with pytest.raises(FolderError) as refused:
        read_workloads(tmp_path)
    assert told in str(refused.value)
    assert str(tmp_path / "workloads.yaml") in str(refused.value)


def test_a_folder_without_workloads_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(
        FolderError, match=r"workloads\.yaml: can not be read: No such file or directory; write"
    ):
        read_workloads(tmp_path)


def test_a_mesh_does_not_start_with_a_document_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "ok.yaml").write_text("# nothing\n")
    check_mesh(tmp_path)
    (tmp_path / "mesh" / "bad.yaml").write_text(
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        "metadata: {name: a}\nspec: {mtls: {mode: STRIKT}}\n"
    )
    with pytest.raises(FolderError, match=r"bad\.yaml:4: PeerAuthentication default/a: spec\.mtls\.mode"):
        check_mesh(tmp_path)
