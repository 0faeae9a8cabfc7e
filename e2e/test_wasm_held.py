"""Whatever a hook does for ever, the other listeners of its worker wait for no longer than was promised.

CPU is what counts: on a busy machine others run in between, which is no fault of the hook.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.bench.gateways import start_envoy
from e2e.bench.wasm.held import OTHER, PROMISED, UNBOUNDED, build_two, measure
from e2e.bench.wasm.modules import compile_python
from e2e.filters.laborious import laborious
from e2e.filters.unbounded import unbounded
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess
from tests.conformance.background import Background

pytestmark = [pytest.mark.alone, pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(600)]

LABORIOUS = f"{Path(laborious.__file__)}:Laborious"
TIMES = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """An Envoy with one worker and two listeners."""

    background: Background
    envoy: EnvoyProcess

    def held(self, deed: str) -> float:
        """Milliseconds of CPU that the deed takes its worker, at the least of a few times."""
        return min(self.background.run(measure(self.envoy, deed)).cpu for _ in range(TIMES))


def running(spec: str, folder: Path) -> Iterator[Setting]:
    background = Background()
    bootstrap = build_two(compile_python(spec), folder)
    envoy = background.run(start_envoy(bootstrap, folder, listeners=(LISTENER, OTHER)))
    yield Setting(background, envoy)
    background.run(envoy.stop())
    background.close()


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    yield from running(LABORIOUS, tmp_path_factory.mktemp("working"))


@pytest.fixture(scope="module")
def running_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    yield from running(UNBOUNDED, tmp_path_factory.mktemp("unbounded"))


@pytest.mark.parametrize("deed", [*laborious.DEEDS, *laborious.OF_REQUESTS])
def test_work_without_end_is_ended_in_time(working: Setting, deed: str) -> None:
    assert working.held(deed) < PROMISED


@pytest.mark.parametrize("deed", [*unbounded.ENDLESS, *unbounded.DEEP, *unbounded.LARGE])
def test_what_runs_away_is_ended_in_time(running_away: Setting, deed: str) -> None:
    assert running_away.held(deed) < PROMISED
