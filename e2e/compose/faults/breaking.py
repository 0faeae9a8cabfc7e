"""Ways to break a running mesh. Each is a block; what it broke is whole again when the block is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.compose.project import Project, run
from e2e.compose.waiting import wait_for


@contextmanager
def killed(project: Project, service: str) -> Iterator[None]:
    """A container killed, and started again when the block is left."""
    project.docker("kill", service)
    try:
        yield
    finally:
        project.docker("start", service)


@contextmanager
def cut_off(project: Project, service: str) -> Iterator[None]:
    """A container out of all its networks, as if somebody had pulled the cable; then in them again."""
    container, cut = project.container(service), list[Link]()
    try:
        for link in list_links(project, service):
            run(["docker", "network", "disconnect", link.network, container])
            cut.append(link)
        yield
    finally:
        for link in cut:
            run(["docker", "network", "connect", *link.to_options(), link.network, container])


@dataclass(frozen=True, slots=True)
class Link:
    """A container in a network, as docker knows it."""

    network: str
    aliases: tuple[str, ...]

    def to_options(self) -> list[str]:
        """What gives it the same names; its address docker chooses, where nobody has chosen the network's."""
        return [word for alias in self.aliases for word in ("--alias", alias)]


def list_links(project: Project, service: str) -> list[Link]:
    """The networks of a service's container."""
    found = project.inspect(service)["NetworkSettings"]["Networks"]
    return [Link(name, tuple(each.get("Aliases") or ())) for name, each in found.items()]


def kill_program(project: Project, service: str, program: str) -> None:
    """Kill the processes of a program in a container, of which there is one at least."""
    said = project.exec(service, "python3", "-I", "-S", "/suite/send.py", "KILL", program)
    assert said.split(), f"nothing in {service} runs {program}"


def beside(project: Project, service: str, *command: str) -> str:
    """What a command prints in a container of its own, with the volumes of one that may not run."""
    image = str(project.inspect(service)["Config"]["Image"])
    volumes = ["--volumes-from", project.container(service), "--network", "none"]
    return run(["docker", "run", "--rm", *volumes, image, *command])


def wait_exit(project: Project, service: str) -> int:
    """The code that a container ends with by itself, though docker may have started it again since."""

    def ended() -> list[int]:
        state = project.inspect(service)["State"]
        return [int(state["ExitCode"])] if state["Status"] in ("exited", "restarting") else []

    (code,) = wait_for(f"{service} ends", ended)
    project.docker("stop", service)
    return code
