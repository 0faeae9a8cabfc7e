"""`--watch`: a change is taken as a whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.hosts.service_process import ServiceProcess, ask, report, wait_for

pytestmark = pytest.mark.slow

RELOADS = int(os.environ.get("MESHEXT_RELOADS", "3"))
"""A hundred are a closing run."""
WARM_UP = 3
KEPT = 8
"""KiB that the process above the workers may keep of a reload: holes in its heap, and nothing of a worker."""

FILTER = """
from dataclasses import dataclass

from meshext import Filter, Request, Respond

import helper


class Versions(Filter):
    @dataclass(frozen=True, slots=True)
    class Config:
        version: int = 0

    def __init__(self, config: Config) -> None:
        self.version = config.version

    def on_request(self, request: Request) -> Respond:
        return Respond(403, body=f"CODE {helper.VERSION} {self.version}")
"""


class Project:
    """A filter, a module beside it and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filter, self.helper = folder / "versions.py", folder / "helper.py"
        self.config = folder / "config.yaml"
        self.filter.write_text(FILTER.replace("CODE", "1"))
        self.helper.write_text("VERSION = 1\n")
        self.config.write_text("version: 1\n")

    @property
    def spec(self) -> str:
        return f"{self.filter}:Versions"


@pytest.fixture
def project() -> Iterator[Project]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Project(Path(name))


@pytest.fixture
def service(project: Project, request: pytest.FixtureRequest) -> Iterator[ServiceProcess]:
    listen = getattr(request, "param", f"unix:{project.folder}/s.sock")
    options: dict[str, Any] = {"configs": (str(project.config),), "watch": True, "connection_age": 1.0}
    with ServiceProcess(project.spec, listen, **options) as service:
        yield service


def answers(address: str, text: str) -> Callable[[], bool]:
    return lambda: ask(address) == text


@pytest.mark.parametrize("service", ["127.0.0.1:0"], indirect=True)
def test_code_modules_and_configuration_are_loaded_again(service: ServiceProcess, project: Project) -> None:
    address = service.wait_serving()
    assert wait_for(answers(address, "1 1 1"))
    project.helper.write_text("VERSION = 2\n")
    assert wait_for(answers(address, "1 2 1"))
    project.config.write_text("version: 3\n")
    assert wait_for(answers(address, "1 2 3"))
    project.filter.write_text(FILTER.replace("CODE", "4"))
    assert wait_for(answers(address, "4 2 3"))
    assert wait_for(lambda: len(service.workers()) == 2)
    assert service.stop() == 0


def test_what_is_wrong_is_said_and_the_last_good_version_stays(
    service: ServiceProcess, project: Project
) -> None:
    address = service.wait_serving()
    project.helper.write_text("VERSION = = 2\n")
    service.wait_said(
        f"the change is not taken, the last good version serves on: '{project.filter}' does not import: "
        f"SyntaxError: invalid syntax ({project.helper}:1)"
    )
    assert ask(address) == "1 1 1"
    project.helper.write_text("VERSION = 2\n")
    assert wait_for(answers(address, "1 2 1"))
    project.config.write_text("version: many\n")
    service.wait_said(f"serves on: {project.config}: version: ")
    assert ask(address) == "1 2 1"
    project.helper.unlink()
    service.wait_said("ModuleNotFoundError")
    assert ask(address) == "1 2 1"
    project.config.write_text("version: 3\n")
    project.helper.write_text("VERSION = 3\n")
    assert wait_for(answers(address, "1 3 3"))


def test_version_that_needs_something_else_of_envoy_is_not_taken(
    service: ServiceProcess, project: Project
) -> None:
    address = service.wait_serving()
    more = "\n    def on_response(self, response: object) -> None:\n        return None\n"
    project.filter.write_text(FILTER.replace("CODE", "2") + more)
    service.wait_said("needs [")
    assert wait_for(lambda: len(service.lines_of("needs ")) == 2)
    assert '"on_response"' in service.lines_of("needs ")[1]
    assert ask(address) == "1 1 1"


def test_configuration_behind_a_symlink_that_is_moved(project: Project) -> None:
    """As Kubernetes mounts a ConfigMap."""
    for number in (1, 2):
        version = project.folder / f"..{number}"
        version.mkdir()
        (version / "config.yaml").write_text(f"version: {number}\n")
    data = project.folder / "..data"
    data.symlink_to("..1")
    project.config.unlink()
    project.config.symlink_to("..data/config.yaml")
    options: dict[str, Any] = {"configs": (str(project.config),), "watch": True, "connection_age": 1.0}
    with ServiceProcess(project.spec, f"unix:{project.folder}/s.sock", **options) as service:
        address = service.wait_serving()
        assert wait_for(answers(address, "1 1 1"))
        fresh = project.folder / "..data_tmp"
        fresh.symlink_to("..2")
        fresh.rename(data)
        assert wait_for(answers(address, "1 1 2"))


def memory(pid: int) -> int:
    """KiB of a process that are its own and no file's."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1])


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.timeout(30 * (WARM_UP + RELOADS))
def test_reloads_leave_nothing_behind(project: Project) -> None:
    """The process above the workers lives on: it keeps neither memory nor descriptors of what it replaced."""
    options: dict[str, Any] = {
        "configs": (str(project.config),),
        "watch": True,
        "connection_age": 1.0,
        "metrics": "127.0.0.1:0",
    }
    found: list[tuple[int, int]] = []
    with ServiceProcess(project.spec, f"unix:{project.folder}/s.sock", **options) as service:
        address, parent = service.wait_serving(), service.process.pid
        for version in range(2, WARM_UP + RELOADS + 2):
            project.config.write_text(f"version: {version}\n")
            assert wait_for(answers(address, f"1 1 {version}")), service.text
            if version in (WARM_UP + 1, WARM_UP + RELOADS + 1):
                assert wait_for(lambda: len(service.workers()) == 2)  # one serves, one stands ready
                found.append((memory(parent), descriptors(parent)))
        (before, held), (after, holds) = found
        # The worker before the last may be on its way out still.
        assert wait_for(lambda: descriptors(parent) <= held), (held, descriptors(parent))
        assert service.stop() == 0
    report(f"{RELOADS} reloads: {before} KiB before, {after} KiB after; descriptors {held}, {holds}")
    assert after - before <= KEPT * RELOADS + 512
