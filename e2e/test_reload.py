"""Code and configuration change under load, with the real Envoy: nothing is lost, nothing is mixed.

MESHEXT_RELOADS says how often; a hundred are a closing run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from e2e.front import at, fronting
from e2e.played import Link, PlayedUpstream, connect, played_upstream, request, response, status_of
from e2e.stage import Stage, report, wait_for
from e2e.under_load import Got, Load, under_load
from e2e.watched import serving
from meshext.envoy.upstreams import parse_upstream
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
        self.version = config.version
        self.versions = f"{CODE} {helper.VERSION} {config.version}"

    def on_request(self, request: Request) -> None:
        request.headers["x-version"] = str(self.version)
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

    def setup(self, mode: Mode | None, workers: int, **more: Any) -> Setup:
        return Setup(
            specs=(self.spec,),
            configs=(self.config,),
            mode=mode,
            workers=workers,
            watch=True,
            **{"connection_age": 1.0, "drain": 5.0, **more},
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


def test_a_fifth_old_version_hastens_the_oldest(project: Project) -> None:
    """Four old versions may wait for their exchanges as long as they like; a fifth has the time to drain."""
    with played_upstream() as upstream, ExitStack() as stack:
        upstreams = (parse_upstream(f"played={upstream.address}"),)
        setup = project.setup("proc", 1, upstreams=upstreams, drain=1.0, connection_age=0.3)
        stage = Stage(setup)
        stack.callback(stage.close)
        opened = {}
        for version in range(1, 6):
            project.write(version, response=True)
            opened[version] = open_on(stage, upstream, version)
            stack.enter_context(opened[version][0])
            stack.enter_context(opened[version][1])
        project.write(6, response=True)
        stage.logged("an old version still has open exchanges; they have 1 s, and the next change waits")
        client, served = opened[1]
        assert status_of(client.head()) == 500
        assert served.ended()
        client, served = open_on(stage, upstream, 6)
        client.close()
        served.close()
        for version in range(2, 6):
            client, served = opened[version]
            served.send(response(200, "content-length: 0"))
            head = client.head()
            assert status_of(head) == 200
            words = f"{version} {version} {version}".encode()
            assert b"x-early: " + words in head
            assert b"x-late: " + words in head
        assert sum("an old version still has" in line for line in stage.lines) == 1


def open_on(stage: Stage, upstream: PlayedUpstream, version: int) -> tuple[Link, Link]:
    """Both ends of an exchange that this version has seen the request of; waits until it serves."""
    words = f"x-version: {version}".encode()
    while True:
        client = connect(stage.port)
        client.send(request())
        served = upstream.accept()
        if words in served.head():
            return client, served
        client.close()
        served.close()


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
