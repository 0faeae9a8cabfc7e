"""Meshes with gRPC services behind Envoys, and clients without one."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import Process
from e2e.mesh.shop import STRICT
from e2e.mesh.world import Member, World, next_address

GREETER = Path(__file__).with_name("greeter.py")
DIALER = Path(__file__).with_name("dialer.py")


def grpc_service(name: str, port: int = 50051) -> str:
    """A service of the workloads that are labelled `app` by its name."""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: grpc, port: {port}, targetPort: 8080}}]
"""


def grpc_shop(*names: str) -> dict[str, str]:
    """The folder of a mesh with these services, under STRICT mTLS."""
    return {"shop.yaml": "---\n".join([*map(grpc_service, names), STRICT])}


def add_greeter(world: World, name: str, **more: Any) -> Member:
    """A gRPC service behind an Envoy."""
    return world.add(name, application=GREETER, protocol="grpc", **more)


@dataclass
class Dialer:
    """A client: its agent's process, and the application's socket."""

    member: Member
    socket: Path

    def call(self, target: str, *meta: str, **more: str) -> dict[str, Any]:
        """One call: {"code", "details", "reply"}; `meta` are `key:value`."""
        return self._ask("/call", target=target, meta=meta, **more)

    def tally(self, target: str, calls: int = 10) -> Counter[str]:
        """How often each server answered, by its name; calls that failed by their code."""
        got = [self.call(target) for _ in range(calls)]
        return Counter(each["reply"]["name"] if each["reply"] else each["code"] for each in got)

    def load(self, target: str) -> dict[str, Any]:
        """Calls from now on, and what came back so far: {"kinds", "names", "problems", "count"}."""
        return self._ask("/load", target=target)

    def enough(self, target: str) -> dict[str, Any]:
        """No more calls; what came back."""
        return self._ask("/enough", target=target)

    def reaches(self, target: str) -> bool:
        """Whether it is there, and a call is answered."""
        try:
            return bool(self.call(target)["code"] == "OK")
        except OSError:
            return False

    def _ask(self, path: str, **asked: Any) -> dict[str, Any]:
        query = urlencode(asked, doseq=True)
        found: dict[str, Any] = json.loads(ask_socket(self.socket, f"{path}?{query}"))
        return found


def add_dialer(world: World, name: str, *options: str, namespace: str = "shop", **labels: str) -> Dialer:
    """Start a gRPC client without an Envoy."""
    folder = world.folder / name
    folder.mkdir()
    address, socket = next_address(), folder / "app.sock"
    account = name.rpartition("-")[0] or name
    arguments = [
        "sidecar",
        *("--control-plane", f"127.0.0.1:{world.listen}", "--join", f"127.0.0.1:{world.join}"),
        *("--name", name, "--address", address, "--data", str(folder / "data"), "--grpc"),
        *(word for each in labels.items() for word in ("--label", "=".join(each))),
        *options,
        *("--", sys.executable, "-m", "e2e.mesh.dialer", str(socket)),
    ]
    environment = {"MESHEXT_TOKEN": world.token(namespace, account, labels)}
    member = Member(name, namespace, address, Process(name, arguments, world.folder, environment), folder)
    world.members.append(member)
    return Dialer(member, socket)


def add_server(world: World, name: str, *options: str) -> Member:
    """A gRPC service without an Envoy."""
    folder = world.folder / name
    folder.mkdir()
    address, account = next_address(), name.rpartition("-")[0] or name
    arguments = [
        "sidecar",
        *("--control-plane", f"127.0.0.1:{world.listen}", "--join", f"127.0.0.1:{world.join}"),
        *("--name", name, "--address", address, "--data", str(folder / "data"), "--grpc"),
        *("--label", f"app={account}", "--port", "8080:grpc", "--drain-delay", "0.2", *options),
        *("--", sys.executable, str(GREETER)),
    ]
    environment = {"MESHEXT_TOKEN": world.token("shop", account, {"app": account}, 8080)}
    member = Member(name, "shop", address, Process(name, arguments, world.folder, environment), folder)
    world.members.append(member)
    return member


def virtual_service(http: str, host: str = "echo") -> str:
    """One for a service, with these rules in YAML's flow form."""
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {host}, namespace: shop}}
spec: {{hosts: [{host}], http: {http}}}
"""
