"""A mesh of a test: one control plane, as many workloads as it wants, in a folder of its own."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import MESHEXT, Process, wait_for
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore
from tests.ports import free_port

APPLICATION = Path(__file__).with_name("application.py")
PORT = 8080
OUTBOUND = 15001
_ADDRESSES = itertools.count(random.randrange(2, 60_000))  # tests that run side by side do not meet


def next_address() -> str:
    """An address of this machine that no other workload of a test has."""
    number = next(_ADDRESSES) % 65_000
    return f"127.7.{number // 250}.{number % 250 + 1}"


@dataclass
class Member:
    """A workload: its sidecar's process, and where that is."""

    name: str
    namespace: str
    address: str
    process: Process
    folder: Path

    @property
    def admin(self) -> Path:
        """Envoy's admin socket."""
        return self.folder / "data" / "envoy" / "admin.sock"

    def call(self, url: str) -> dict[str, Any]:
        """What its application gets from a URL through the mesh: {"status", "body", "headers"}."""
        found: dict[str, Any] = json.loads(
            ask_socket(self.folder / "app.sock", f"/call?url={quote(url, safe='')}")
        )
        return found

    def reaches(self, place: str) -> bool:
        """Whether its application is there, and is answered with 200 at that host or `HOST/PATH`."""
        try:
            return bool(self.call(f"http://{place}")["status"] == 200)
        except OSError:  # the application does not listen yet, or was not answered
            return False


@dataclass
class World:
    """The folder, the control plane, and who is in the mesh."""

    folder: Path
    listen: int = 0
    join: int = 0
    control_plane: Process = field(init=False)
    members: list[Member] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def documents(self) -> Path:
        return self.folder / "mesh"

    def write(self, name: str, text: str) -> None:
        """Put documents into the folder, whole or not at all."""
        part = self.folder / f".{name}"
        part.write_text(text)
        os.replace(part, self.documents / name)

    def start(self, *options: str) -> None:
        """Start the control plane."""
        self.listen, self.join = free_port(), free_port()
        arguments = [
            "controlplane",
            *("--config", str(self.documents), "--state", str(self.state)),
            *("--listen", f"127.0.0.1:{self.listen}", "--join-listen", f"127.0.0.1:{self.join}"),
            *options,
        ]
        self.control_plane = Process("controlplane", arguments, self.folder)
        wait_for("the control plane serves", lambda: self.control_plane.says("serving joining"))

    def token(self, namespace: str, account: str, labels: Mapping[str, str], *ports: int) -> str:
        """A join token."""
        with StateStore(self.state, create=False) as store:
            facts = read_facts(store)
            identity = SpiffeId(facts.trust_domain, namespace, account)
            limits = Limits(dict(labels), tuple((port, port) for port in ports))
            return Tokens(facts, store).create(identity, limits=limits, ttl=timedelta(minutes=5)).reveal()

    def add(
        self,
        name: str,
        *options: str,
        namespace: str = "shop",
        account: str = "",
        labels: Mapping[str, str] = {},
        protocol: str = "http",
        application: Path = APPLICATION,
        environment: Mapping[str, str] = {},
        token: str = "",
    ) -> Member:
        """Start a workload with its sidecar; `options` are more words of `meshext sidecar`. It has a new
        token where none is given."""
        folder = self.folder / name
        folder.mkdir()
        address = next_address()
        account = account or name.rpartition("-")[0] or name
        labels = {"app": account, **labels}
        socket = folder / "app.sock"
        arguments = [
            "sidecar",
            *("--control-plane", f"127.0.0.1:{self.listen}", "--join", f"127.0.0.1:{self.join}"),
            *("--name", name, "--address", address, "--data", str(folder / "data")),
            *("--port", f"{PORT}:{protocol}=unix:{socket}", "--drain-delay", "0.2", "--drain", "2"),
            *options,
            *("--", sys.executable, str(application), str(socket)),
        ]
        token = token or self.token(namespace, account, labels, PORT)
        environment = {**environment, "MESHEXT_TOKEN": token}
        member = Member(name, namespace, address, Process(name, arguments, self.folder, environment), folder)
        self.members.append(member)
        return member

    def add_gateway(self, name: str, *options: str, namespace: str = "edge", gate: str = "") -> Member:
        """Start a gateway with the label `gate`; its own name without a number where none is said."""
        folder = self.folder / name
        folder.mkdir()
        address, labels = next_address(), {"gate": gate or name.rpartition("-")[0] or name}
        arguments = [
            "sidecar",
            *("--control-plane", f"127.0.0.1:{self.listen}", "--join", f"127.0.0.1:{self.join}"),
            *("--name", name, "--address", address, "--data", str(folder / "data")),
            *("--gateway", "--drain-delay", "0.2", "--drain", "2", *options),
        ]
        environment = {"MESHEXT_TOKEN": self.token(namespace, name, labels)}
        member = Member(name, namespace, address, Process(name, arguments, self.folder, environment), folder)
        self.members.append(member)
        return member

    def ask(self, *words: str) -> Any:
        """What a command says as JSON about this mesh; None where it says nothing."""
        command = [*MESHEXT, *words, "--json", "--state", str(self.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout) if done.stdout else None

    def run(self, *words: str) -> int:
        """Run a command on this mesh's state; its exit code."""
        command = [*MESHEXT, *words, "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).returncode

    def last_words(self) -> str:
        """The end of every process's log."""
        processes = [self.control_plane, *(member.process for member in self.members)]
        return "\n".join(f"-- {each.name}\n{each.text[-4000:]}" for each in processes) + "\n"

    def synced(self) -> bool:
        """Whether every member's proxy has said yes to everything."""
        found = self.ask("proxy-status") or []
        states = {state["state"] for proxy in found for state in proxy["types"].values()}
        return len(found) == len(self.members) and states <= {"SYNCED", "NOT SENT"}


@contextmanager
def mesh(folder: Path, documents: Mapping[str, str], *options: str) -> Iterator[World]:
    """A mesh with these documents; everything is ended with the block."""
    world = World(folder)
    world.documents.mkdir()
    for name, text in documents.items():
        world.write(name, text)
    try:
        world.start(*options)
        yield world
    finally:
        sys.stderr.write(world.last_words())  # pytest shows it where the test has failed
        for member in world.members:
            member.process.stop()
        world.control_plane.stop()
