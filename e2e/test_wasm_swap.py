"""A compiled filter is swapped by our control plane while requests come: none fails, connections go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from e2e.bench.wasm.delivery import Delivery, delivering
from e2e.bench.wasm.modules import compile_python
from e2e.under_load import Got, under_load
from meshext.envoy.wasm_filter import Module
from meshext_controlplane.xds.status import Sync
from tests.conformance.background import Background
from tests.conformance.waiting import wait_for

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(600)]

FILTER = """
from dataclasses import dataclass

from meshext import Filter, Request, Response


class Version(Filter):
    @dataclass(frozen=True)
    class Config:
        limit: int = 3

    @dataclass
    class State:
        seen: str = ""

    def __init__(self, config: Config) -> None:
        self.limit = config.limit

    def on_request(self, request: Request[State]) -> None:
        request.state.seen = "VERSION"

    def on_response(self, response: Response[State]) -> None:
        response.headers["x-seen"] = response.state.seen
        response.headers["x-version"] = "VERSION"
"""
VERSIONS = ("one", "two")
SWAPS = 10
ENOUGH = 40
"""Answers of a version before the next one comes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The two modules, and an Envoy with two workers that has the first one."""

    modules: dict[str, Module]
    delivery: Delivery
    background: Background

    def push(self, module: Module) -> None:
        """Give Envoy that one."""

        async def give() -> None:
            self.delivery.push(module)

        self.background.run(give())

    def syncs(self) -> list[Sync]:
        """How the types are that the proxy has asked for."""
        return [each.sync for status in self.delivery.mesh.hub.status() for each in status.types]


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder, background, stack = tmp_path_factory.mktemp("swapped"), Background(), AsyncExitStack()
    modules = {version: compiled(folder / version, version) for version in VERSIONS}
    (folder / "envoy").mkdir()
    serving = delivering(folder / "envoy", modules[VERSIONS[0]], threads=2)
    delivery = background.run(stack.enter_async_context(serving))
    yield Setting(modules, delivery, background)
    background.run(stack.aclose())
    background.close()


def compiled(folder: Path, version: str) -> Module:
    """The filter as that version has it."""
    folder.mkdir()
    (folder / "filter.py").write_text(FILTER.replace("VERSION", version))
    return compile_python(str(folder / "filter.py"))


def by_version(got: Got) -> str:
    """Status, the version that saw the request, the version that saw the response."""
    return f"{got.status} {got.header('x-seen')} {got.header('x-version')}"


def test_no_request_fails_and_each_is_seen_by_one_version(swapped: Setting) -> None:
    with under_load(swapped.delivery.port, among=8, judge=by_version) as load:
        for number in range(SWAPS):
            version = VERSIONS[(number + 1) % 2]
            kind = f"200 {version} {version}"
            before = load.kinds[kind]
            swapped.push(swapped.modules[version])
            wait_for(lambda kind=kind, before=before: load.kinds[kind] > before + ENOUGH)  # type: ignore[misc]
            assert load.kinds[kind] > before + ENOUGH
    assert set(load.kinds) == {f"200 {version} {version}" for version in VERSIONS}
    assert load.count > SWAPS * ENOUGH


def test_a_refused_configuration_leaves_the_filter_that_there_was(swapped: Setting) -> None:
    with under_load(swapped.delivery.port, among=2, judge=by_version) as load:
        swapped.push(replace(swapped.modules["two"], configuration='{"limit": "many"}'))
        wait_for(lambda: Sync.NACKED in swapped.syncs())
        assert Sync.NACKED in swapped.syncs()
        count = load.count
        wait_for(lambda: load.count > count + ENOUGH)
    assert set(load.kinds) == {"200 one one"}
