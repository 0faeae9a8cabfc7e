"""A workload that no compose file names: one more replica, with an environment of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.compose.faults.breaking import list_links
from e2e.compose.faults.standing import all_synced
from e2e.compose.holders import newest
from e2e.compose.project import Project, run
from e2e.compose.waiting import wait_for

LABEL = "com.docker.compose"
STATS = 15090  # the application waits there for its sidecar: image/ready.py
DRAIN = 20  # seconds


@dataclass(frozen=True, slots=True)
class Guest:
    """`like` is a sidecar of the compose file: the same image, networks, privileges and application."""

    name: str
    like: str
    account: str
    port: str = "8080:http"
    locality: str = "here/east"
    namespace: str = "shop"

    @property
    def proxy(self) -> str:
        """Its name at the control plane."""
        return f"{self.name}.{self.namespace}"


@contextmanager
def joined(project: Project, guest: Guest, *, prepare: str = ":") -> Iterator[None]:
    """The guest with its application, known to the mesh; gone with the block, or with the project.

    `prepare` is what a shell does in the sidecar's container before that starts, such as `export`.
    """
    known = newest(project).keys()
    first, *others = list_links(project, guest.like)
    options = [f"--network={first.network}", f"--env=MESHEXT_TOKEN={_create_token(project, guest)}"]
    start = (
        f"{prepare}; exec meshext sidecar --control-plane control-plane:15010 --transparent"
        f" --name {guest.name} --port={guest.port} --locality={guest.locality}"
        f" --stats=0.0.0.0:{STATS} --data /var/lib/meshext/sidecars/{guest.name}"
    )
    with _container(project, guest.name, guest.like, options, ["sh", "-c", start]) as sidecar:
        for each in others:
            run(["docker", "network", "connect", each.network, sidecar])
        wait_for(f"{guest.name} has its configuration", lambda: all_synced(project, frozenset({guest.proxy})))
        like = f"{guest.like}-app"
        command = list(project.inspect(like)["Config"]["Cmd"])
        options = [f"--network=container:{sidecar}"]
        with _container(project, f"{guest.name}-app", like, options, command):
            yield
            # Leaving is no fault: the sidecar says goodbye and drains while its application still answers.
            run(["docker", "stop", "--time", f"{DRAIN}", sidecar])
    # It does not come back: else another root would wait until its certificate expires.
    for token, held in newest(project).items():
        if token not in known:
            project.meshext("ban", held["serial"], "--reason", f"{guest.name} has left")


def _create_token(project: Project, guest: Guest) -> str:
    """What it joins with."""
    number = guest.port.partition(":")[0]
    return project.meshext(
        "token", "create", f"--namespace={guest.namespace}", f"--service-account={guest.account}",
        f"--labels=app={guest.account}", f"--ports={number}",
    ).strip()  # fmt: skip


@contextmanager
def _container(
    project: Project, service: str, like: str, options: list[str], command: list[str]
) -> Iterator[str]:
    """A container with the labels of compose's own, so that `down` takes it along and services are found."""
    known = project.inspect(like)
    config, host = known["Config"], known["HostConfig"]
    labels = {"project": project.name, "service": service, "oneoff": "False", "container-number": "1"}
    name = f"{project.name}_{service}_1"
    words = ["--init", "--name", name, *(f"--label={LABEL}.{key}={value}" for key, value in labels.items())]
    words += [f"--cap-drop={each}" for each in host["CapDrop"] or ()]
    words += [f"--cap-add={each}" for each in host["CapAdd"] or ()]
    words += [f"--env={each}" for each in config["Env"]]
    run(["docker", "run", "--detach", *words, *options, config["Image"], *command])
    try:
        yield name
    except BaseException:
        sys.stderr.write(run(["sh", "-c", 'docker logs --tail 100 "$1" 2>&1', "sh", name]))
        raise
    finally:
        run(["docker", "rm", "--force", "--volumes", name])
