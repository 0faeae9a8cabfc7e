"""One compose project: brought up, looked into, broken, and always taken down.

Whatever becomes of us, SIGKILL too, a process of its own takes the containers, networks and volumes down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.compose.engine import find_compose
from e2e.compose.waiting import wait_for
from meshext.lifeline import guarded

SHOP = Path(__file__).with_name("docker-compose.yaml")
TRANSPARENT = Path(__file__).with_name("transparent.yaml")
DOCUMENTS = {SHOP: "/suite/shop/mesh", TRANSPARENT: "/suite/mesh"}
"""Where the control plane's container has the mesh's documents."""

BUILD = 900.0
"""Seconds for the image, where there is nothing of it yet."""

_COMMAND = 120.0  # seconds for one command


VARIABLES = {
    # Two suites on one engine need networks of their own, and any port.
    "MESHEXT_SUITE_IPV6": f"fd77:6d65:{os.getpid() & 0xFFFF:x}::/64",
    **dict.fromkeys(("MESHEXT_SHOP_HTTP", "MESHEXT_SHOP_HTTPS", "MESHEXT_SHOP_PROMETHEUS"), "0"),
    "MESHEXT_SHOP_VISITS": "0",
}


class ComposeError(AssertionError):
    """A command of docker's failed; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Project:
    """A running project; services are called by their names in the compose file."""

    name: str
    file: Path

    def compose(self, *words: str, limit: float = _COMMAND) -> str:
        """What a command of compose prints; ComposeError where it fails."""
        return run([*find_compose(), "-p", self.name, "-f", str(self.file), *words], limit=limit)

    def container(self, service: str) -> str:
        """The container of a service, also of one that has stopped."""
        label = "label=com.docker.compose"
        words = ["--filter", f"{label}.project={self.name}", "--filter", f"{label}.service={service}"]
        found = run(["docker", "ps", "--all", "--quiet", "--no-trunc", *words]).split()
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What docker knows of a service's container."""
        (found,) = json.loads(run(["docker", "inspect", self.container(service)]))
        assert isinstance(found, dict)
        return found

    @property
    def documents(self) -> str:
        """The folder of the mesh's documents, in the control plane's container."""
        return DOCUMENTS[self.file]

    def address(self, service: str, kind: str = "IPAddress", *, network: str = "") -> str:
        """A container's address on its only network, or on that one; IPv6 is `GlobalIPv6Address`."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        if network:
            return str(networks[f"{self.name}_{network}"][kind])
        (only,) = networks.values()
        return str(only[kind])

    def published(self, service: str, port: int) -> int:
        """Which port of 127.0.0.1 leads to a service's port."""
        bindings = self.inspect(service)["NetworkSettings"]["Ports"][f"{port}/tcp"]
        return int(bindings[0]["HostPort"])

    def wait_healthy(self, service: str) -> None:
        """Wait until docker says that a service is; one without a health check is always."""

        def is_healthy() -> bool:
            health = self.inspect(service)["State"].get("Health")
            return health is None or health["Status"] == "healthy"

        wait_for(f"{service} is healthy", is_healthy)

    def is_running(self, service: str) -> bool:
        """Whether the container runs."""
        return bool(self.inspect(service)["State"]["Running"])

    def running(self) -> frozenset[str]:
        """The services whose containers run."""
        label = "com.docker.compose"
        words = ["--filter", f"label={label}.project={self.name}"]
        words += ["--format", f'{{{{.Label "{label}.service"}}}}']
        return frozenset(run(["docker", "ps", *words]).split())

    def exec(
        self,
        service: str,
        *command: str,
        text: str | None = None,
        user: str = "",
        limit: float = _COMMAND,
    ) -> str:
        """What a command prints in a service's container, as root unless said otherwise."""
        who = ["--user", user] if user else []
        inside = ["docker", "exec", "-i", *who, self.container(service), *command]
        return run(inside, text=text, limit=limit)

    def envoy(self, service: str, path: str) -> str:
        """What the admin interface of a sidecar's Envoy says."""
        return self.exec(service, "python3", "/suite/admin.py", f"/var/lib/meshext/sidecars/{service}", path)

    def stats(self, service: str, pattern: str) -> dict[str, int]:
        """Counters and gauges of a sidecar's Envoy."""
        said = self.envoy(service, f"/stats?filter={pattern}")
        pairs = (line.split(": ") for line in said.splitlines())
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def call(self, service: str, target: str, *headers: str, user: str = "") -> dict[str, Any]:
        """What an application in that container gets from a target of `image/call.py`."""
        said = self.exec(service, "python3", "/suite/call.py", target, *headers, user=user)
        answer = json.loads(said)
        assert isinstance(answer, dict)
        return answer

    def send(
        self, service: str, requests: Sequence[Mapping[str, Any]], *, at_once: int = 8
    ) -> list[dict[str, Any]]:
        """What comes back to each of many requests, as `image/many.py` has them, so many at once."""
        command = ("python3", "/suite/many.py", str(at_once))
        answers = json.loads(self.exec(service, *command, text=json.dumps(requests)))
        assert isinstance(answers, list)
        return answers

    def meshext(self, *words: str, text: str | None = None, limit: float = _COMMAND) -> str:
        """What a verb of `meshext` prints beside the control plane."""
        command = ("env", "MESHEXT_STATE=/state/mesh", "meshext", *words)
        return self.exec("control-plane", *command, text=text, limit=limit)

    def docker(self, verb: str, service: str, *words: str) -> str:
        """`docker kill`, `restart`, `pause`, ... of a service's container."""
        return run(["docker", verb, *words, self.container(service)])

    def write(self, name: str, documents: str) -> None:
        """Put documents into the mesh's folder, whole or not at all."""
        place = f"{self.documents}/{name}"
        self.exec("control-plane", "sh", "-c", f"cat >/tmp/new && mv /tmp/new {place}", text=documents)

    def remove(self, name: str) -> None:
        """Take documents away again."""
        self.exec("control-plane", "rm", f"{self.documents}/{name}")

    def read(self, name: str) -> str:
        """Documents of the mesh's folder; "" where there is no such file."""
        return self.exec("control-plane", "sh", "-c", f"cat {self.documents}/{name} 2>/dev/null || :")

    @contextmanager
    def changed(self, name: str, documents: str) -> Iterator[None]:
        """The mesh with other documents in that file, for a while; with "" without it."""
        before = self.read(name)
        self._put(name, documents)
        try:
            yield
        finally:
            self._put(name, before)

    def _put(self, name: str, documents: str) -> None:
        if documents:
            self.write(name, documents)
        else:
            self.remove(name)

    def logs(self) -> str:
        """The end of every container's output."""
        return self.compose("logs", "--no-color", "--tail", "200")


def run(command: Sequence[str], *, text: str | None = None, limit: float = _COMMAND) -> str:
    """What a command prints; ComposeError where it fails or takes too long."""
    # A command of compose that outlived us would make what nobody takes down any more.
    bound = guarded(list(command))
    try:
        done = subprocess.run(bound, input=text, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise ComposeError(f"{' '.join(command)} did not end in {limit:g} s") from None
    if done.returncode != 0:
        raise ComposeError(f"{' '.join(command)}: {done.stderr.strip()[-4000:]}")
    return done.stdout


@contextmanager
def project(*services: str, file: Path) -> Iterator[Project]:
    """The project of a compose file, its services up and healthy, or these; taken down with the block."""
    name = f"meshext-{file.stem.removeprefix('docker-')}-{os.getpid()}"
    os.environ.update(VARIABLES)
    script = str(Path(__file__).with_name("reaper.py"))
    reaper = subprocess.Popen(
        [sys.executable, script, *find_compose(), "-p", name, "-f", str(file)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    made = Project(name, file)
    try:
        made.compose("up", "--detach", "--build", *services, limit=BUILD)
        for service in services or made.compose("config", "--services").split():
            made.wait_healthy(service)
        yield made
    except BaseException:
        sys.stderr.write(made.logs())
        raise
    finally:
        assert reaper.stdin is not None
        reaper.stdin.close()
        reaper.wait()
