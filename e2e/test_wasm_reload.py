"""A compiled filter changes under load: it is compiled again, nothing is lost, what is wrong is not taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stage import wait_for
from e2e.under_load import Got, Load, under_load
from e2e.watched import started

MINUTES = 10  # the run-time library is compiled first where it has changed

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

FILTER = """
from dataclasses import dataclass

from meshext import Filter, Request, Response

from helper import VERSION

CODE = {version}


class Versions(Filter):
    @dataclass(frozen=True)
    class Config:
        version: int = 0

    def __init__(self, config: Config) -> None:
        self.versions = f"{{CODE}} {{VERSION}} {{config.version}}"

    def on_request(self, request: Request) -> None:
        request.response_headers["x-early"] = self.versions

    def on_response(self, response: Response) -> None:
        response.headers["x-late"] = self.versions
"""


class Project:
    """A filter, a module beside it and a configuration, all of one version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.parent / "log"
        self.write(1)

    def write(self, version: int) -> None:
        self.save("helper.py", f"VERSION = {version}\n")
        self.save("config.yaml", f"version: {version}\n")
        self.save("versions.py", FILTER.format(version=version))

    def save(self, name: str, text: str) -> None:
        """As an editor does it."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        fresh.rename(self.folder / name)

    def says(self, *parts: str) -> bool:
        """Whether the log comes to have all of these."""
        return wait_for(lambda: all(part in self.log.read_text() for part in parts), limit=60.0)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


@pytest.fixture
def url(project: Project) -> Iterator[str]:
    spec, config = f"{project.folder}/versions.py:Versions", f"{project.folder}/config.yaml"
    with (
        project.log.open("w") as errors,
        started(
            "run", spec, "--config", config, "--mode", "wasm", "--watch", errors=errors.fileno()
        ) as listening,
    ):
        yield listening


def judge(got: Got) -> str:
    """`version N` for an answer of one version throughout."""
    early, late = got.header("x-early"), got.header("x-late")
    if got.status != 200 or early != late or len(set(early.split())) != 1:
        return f"{got.status} early {early!r} late {late!r} {got.body[:80]!r}"
    return f"version {early.split()[0]}"


def comes(load: Load, kind: str) -> bool:
    """Whether such answers come now."""
    before = load.kinds[kind]
    return wait_for(lambda: load.kinds[kind] > before + 5, limit=60.0)


def test_what_changes_is_compiled_again_and_what_is_wrong_is_not_taken(project: Project, url: str) -> None:
    with under_load(int(url.rpartition(":")[2]), target="/delay/20", judge=judge, among=4) as load:
        assert comes(load, "version 1")
        project.write(2)
        assert comes(load, "version 2"), project.log.read_text()[-3000:]

        project.save("versions.py", FILTER.format(version="eval('3')"))
        assert project.says("the last good version serves on", "versions.py:8:", "^^^^")
        assert comes(load, "version 2")

        project.save("versions.py", FILTER.format(version="3)"))
        assert project.says("unmatched ')'"), project.log.read_text()[-2000:]
        project.save("config.yaml", "version: many\n")
        project.save("versions.py", FILTER.format(version="3"))
        assert project.says("version: expected a whole number")
        assert comes(load, "version 2")

        project.write(3)
        assert comes(load, "version 3"), project.log.read_text()[-3000:]
    # Code and configuration are saved one after the other, so one may be there before the other.
    bad = [kind for kind in load.kinds if not kind.startswith(("version ", "200 early"))]
    assert bad == []
