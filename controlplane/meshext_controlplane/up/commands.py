"""Command lines of the mesh's processes, and what they find in their environment. Pure but for our own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from meshext_controlplane.model.workload_document import PortSpec, Readiness
from meshext_controlplane.up.instances import OUTBOUND, Instance

MESHEXT = (sys.executable, "-m", "meshext")
"""What runs our own command."""

DRAIN_DELAY, DRAIN, GRACE = 0.2, 5.0, 5.0
"""Seconds: for peers to learn that a workload leaves, for open requests, for the application to end."""


def build_environment() -> dict[str, str]:
    """`python` is the one that runs us, so that what is installed beside meshext is found."""
    here = os.path.dirname(sys.executable)
    return {"PATH": os.pathsep.join(part for part in (here, os.environ.get("PATH", "")) if part)}


def build_control_plane_command(*, documents: Path, state: Path, listen: str, joining: str) -> list[str]:
    """The command line of the control plane; addresses are HOST:PORT."""
    command = [*MESHEXT, "controlplane", "--config", str(documents), "--state", str(state)]
    return [*command, "--listen", listen, "--join-listen", joining]


def build_sidecar_command(instance: Instance, control_plane: str) -> list[str]:
    """The command line of an instance's sidecar; `control_plane` is HOST:PORT."""
    command = [*MESHEXT, "sidecar", "--control-plane", control_plane]
    command += ["--name", instance.name, "--address", instance.address, "--data", str(instance.data)]
    leaving = ["--drain-delay", f"{DRAIN_DELAY:g}", "--drain", f"{DRAIN:g}", "--grace", f"{GRACE:g}"]
    for name, value in instance.labels.items():
        command += ["--label", f"{name}={value}"]
    if instance.gateway:
        return [*command, *leaving, "--gateway"]
    command += ["--outbound", str(OUTBOUND)]
    for port in instance.ports:
        command += ["--port", format_port(port, instance.application(port))]
    command += format_probe(instance.readiness)
    return [*command, *leaving, "--", *instance.command]


def format_port(port: PortSpec, application: str) -> str:
    """As `--port` takes it: `NUMBER[:NAME][/PROTOCOL]=ADDRESS`."""
    name = f":{port.name}" if port.name else ""
    return f"{port.port}{name}/{port.protocol}={application}"


def format_probe(readiness: Readiness | None) -> list[str]:
    """`--probe` and its pace; nothing where the sidecar's own choice is right."""
    if readiness is None:
        return []
    asked = readiness.http_get or readiness.tcp_socket
    kind, path = ("http", readiness.http_get.path) if readiness.http_get else ("tcp", "")
    port = f":{asked.port}" if asked and asked.port else ""
    options = ["--probe", f"{kind}{port}{path}", "--probe-failures", str(readiness.failures)]
    if readiness.period is not None:
        options += ["--probe-period", f"{readiness.period.total_seconds():g}"]
    if readiness.timeout is not None:
        options += ["--probe-timeout", f"{readiness.timeout.total_seconds():g}"]
    return options
