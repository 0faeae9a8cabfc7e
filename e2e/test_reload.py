"""Code and configuration change under load, with the real Envoy: nothing is lost, nothing is mixed.

MESHEXT_RELOADS says how often; a hundred are a closing run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from e2e.front import at, fronting
from e2e.stage import Stage, report, wait_for
from e2e.under_load import Got, Load, under_load
from e2e.watched import serving
from meshext.plan import Mode
from meshext.sandbox import Setup

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

ROUNDS = int(os.environ.get("MESHEXT_RELOADS", "3"))

REQUEST = """
from dataclasses import dataclass

from meshext import Filter, Request, Response

import helper

CODE = VERSION


class Versions(Filter):
    time_limit = 5.0  # a busy machine is no failure

    @dataclass(frozen=True, slots=True)
    class Config:
        version: int = 0

    def __init__(self, config: Config) -> None:
        self.versions = f"{CODE} {helper.VERSION} {config.version}"

    def on_request(self, request: Request) -> None:
        request.response_headers["x-early"] = self.versions
"""
RESPONSE = """
    def on_response(self, response: Response) -> None:
        response.headers["x-late"] = self.versions
"""


class Project:
    """A filter, a module beside it and a configuration, all of one version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = f"{folder}/versions.py:Versions"
        self.config = f"{folder}/config.yaml"
        self.write(1, response=True)

    def write(self, version: int, *, response: bool) -> None:
        """All three, one after the other, as an author saves them."""
        text = REQUEST.replace("VERSION\n", f"{version}\n", 1) + (RESPONSE if response else "")
        for name, content in (
            ("versions.py", text),
            ("helper.py", f"VERSION = {version}\n"),
            ("config.yaml", f"version: {version}\n"),
        ):
            fresh = self.folder / f"{name}.new"
            fresh.write_text(content)
            fresh.rename(self.folder / name)

    def setup(self, mode: Mode | None, workers: int) -> Setup:
        return Setup(
            specs=(self.spec,),
            configs=(self.config,),
            mode=mode,
            workers=workers,
            watch=True,
            connection_age=1.0,
            drain=5.0,
        )


@pytest.fixture
def project() -> Iterator[Project]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Project(Path(name))


def judge(got: Got) -> str:
    """`version N` for an answer of one version throughout."""
    early, late = got.header("x-early"), got.header("x-late")
    if got.status != 200 or len(set(early.split())) != 1 or (late and late != early):
        return f"{got.status} early {early!r} late {late!r} {got.body[:80]!r}"
    return f"version {early.split()[0]}" + (" late" if late else "")


def comes(load: Load, kind: str) -> bool:
    """Whether such answers come now."""
    before = load.kinds[kind]
    return wait_for(lambda: load.kinds[kind] > before + 5, limit=60.0)


@pytest.mark.parametrize("workers", [1, 2])
def test_reloads_under_load(project: Project, workers: int) -> None:
    stage = Stage(project.setup("proc", workers))
    try:
        reload_under_load(project, stage.port, stage.lines, f"{workers} workers")
    finally:
        stage.close()


def reload_under_load(project: Project, port: int, lines: list[str], how: str) -> None:
    """One version after the other, each seen by clients, none of which is failed or told a mixture."""
    with under_load(port, target="/delay/20", judge=judge) as load:
        assert comes(load, "version 1 late")
        for version in range(2, ROUNDS + 2):
            project.write(version, response=True)
            assert comes(load, f"version {version} late"), "\n".join(lines[-20:])
    bad = {kind: count for kind, count in load.kinds.items() if not kind.startswith("version ")}
    report(f"{ROUNDS} reloads, {how}: {load.count} answers, longest {load.longest:.2f} s, {bad}")
    assert not bad


@pytest.mark.parametrize("workers", [1, 2])
def test_reloads_under_load_over_tcp(project: Project, workers: int) -> None:
    """The old port is closed and the new one opened under one number, and no connection is lost between."""
    options = ("--watch", "--workers", str(workers), "--config", project.config, "--drain", "5")
    with (
        serving(project.spec, *options) as served,
        fronting(project.spec, "proc", at(served.port)) as envoy,
    ):
        reload_under_load(project, envoy.port, served.lines, f"over TCP, {workers} workers")


def test_hooks_that_change_replace_the_listener(project: Project) -> None:
    """With on_response the filter needs ext_proc, without it ext_authz is enough."""
    stage = Stage(project.setup(None, 1))
    try:
        with under_load(stage.port, target="/delay/20", judge=judge) as load:
            assert comes(load, "version 1 late")
            for version in range(2, ROUNDS + 2):
                late = version % 2 == 1
                project.write(version, response=late)
                kind = f"version {version}" + (" late" if late else "")
                assert comes(load, kind), "\n".join(stage.lines[-20:])
        bad = {kind: count for kind, count in load.kinds.items() if not kind.startswith("version ")}
        report(f"{ROUNDS} new listeners: {load.count} answers, {load.longest:.2f} s at most")
        assert not bad
    finally:
        stage.close()
