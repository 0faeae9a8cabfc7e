"""The running suite, for every test of this folder."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Generator, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from e2e.compose.engine import why_not
from e2e.compose.project import SHOP, TRANSPARENT, Project, project
from e2e.compose.shop.mending import mend
from e2e.compose.shop.visiting import settled
from e2e.compose.waiting import wait_for

LOGS = pytest.StashKey[Path]()
SUMMARY = "MESHEXT_CONTAINERS_SUMMARY"
FIRST = 300.0  # seconds until a new shop answers, on a machine that does other things too
TIME_LIMIT = 900  # seconds for a test with the image to build before it


def pytest_configure(config: pytest.Config) -> None:
    """A new folder for the logs of this run's failing cases, outside of the checkout."""
    config.stash[LOGS] = Path(tempfile.mkdtemp(prefix="meshext-containers-"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Where nothing failed, nothing is kept."""
    with suppress(OSError):
        config.stash[LOGS].rmdir()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of this folder take time and the machine; the shop that they start runs beside no others."""
    for item in filter(is_ours, items):
        item.add_marker(pytest.mark.alone)
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.timeout(TIME_LIMIT))
    items.sort(key=is_ours)


def is_ours(item: pytest.Item) -> bool:
    """Whether a test is of this folder."""
    return item.path.is_relative_to(Path(__file__).parent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the containers have said, and keeps it in a file."""
    report = yield
    given = getattr(item, "funcargs", {})
    running = given.get("suite") or given.get("running_shop")
    if report.failed and running is not None:
        said = running.logs()
        report.sections.append(("output of the containers", said))
        place = item.config.stash[LOGS] / f"{re.sub('[^a-z0-9]+', '-', item.name.lower())}.log"
        place.write_text(said, encoding="utf-8")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Whether containers ran, and how long each case took: nobody has to look for it.

    Also in the file that MESHEXT_CONTAINERS_SUMMARY names, for whoever has more to say after us.
    """
    stats = terminalreporter.stats
    reports = [each for kind in ("passed", "failed", "error") for each in stats.get(kind, ())]
    lines = list(summarize([each for each in reports if each.nodeid.startswith("e2e/compose/")]))
    lines += [f"its containers have said: {each}" for each in sorted(config.stash[LOGS].glob("*"))]
    terminalreporter.section("containers")
    terminalreporter.write_line("\n".join(lines))
    if place := os.environ.get(SUMMARY):
        Path(place).write_text("\n".join(["containers:", *lines, ""]), encoding="utf-8")


def summarize(reports: list[pytest.TestReport]) -> Iterator[str]:
    """A line for each case, the longest first; a case whose setup failed counts as one that failed."""
    if not reports:
        yield f"did not run: {why_not() or 'no case was asked for'}"
        return
    for each in sorted(reports, key=lambda report: -report.duration):
        if each.when == "call" or each.failed:
            yield f"{each.duration:6.1f} s  {each.outcome}  {each.nodeid}"
    failed = sum(each.failed for each in reports)
    cases = len({each.nodeid for each in reports})
    yield f"{cases} cases ran, {failed} failed, in {sum(each.duration for each in reports):.0f} s"


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where no docker engine answers."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def suite(engine: None) -> Iterator[Project]:
    """The mesh of `transparent.yaml`, up and healthy."""
    with project(file=TRANSPARENT) as running:
        yield running


@pytest.fixture
def mesh(suite: Project, request: pytest.FixtureRequest) -> Iterator[Project]:
    """The same, as it was, for a test that breaks something: what it does not put back is put back."""
    yield suite
    for service in ("web-1", "checkout-1", "batch-1"):
        if not suite.is_running(service):
            suite.docker("start", service)
            suite.wait_healthy(service)
            suite.docker("restart", f"{service}-app", "--time", "1")


@pytest.fixture(scope="session")
def running_shop(engine: None) -> Iterator[Project]:
    """The shop of `docker-compose.yaml`, up, healthy, and answering; one that runs already where its project
    is named in MESHEXT_SHOP_PROJECT, which is left as it is."""
    name = os.environ.get("MESHEXT_SHOP_PROJECT")
    with nullcontext(Project(name, SHOP)) if name else project(file=SHOP) as running:
        wait_for("the shop answers whole", lambda: settled(running), patience=FIRST)
        yield running


@pytest.fixture
def shop(running_shop: Project) -> Iterator[Project]:
    """The same for one case: what it has stopped is started again after it."""
    yield running_shop
    mend(running_shop)
