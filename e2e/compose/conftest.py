"""The running suite, for every test of this folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e.compose.engine import why_not
from e2e.compose.project import Project, project

TIME_LIMIT = 900  # seconds for a test with the image to build before it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of this folder take their time, and need an engine."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(TIME_LIMIT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the containers have said."""
    report = yield
    running = getattr(item, "funcargs", {}).get("suite")
    if report.failed and call.when == "call" and running is not None:
        report.sections.append(("output of the containers", running.logs()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Whether containers ran, and how long each case took: nobody has to look for it."""
    reports = [
        each
        for kind in ("passed", "failed", "error")
        for each in terminalreporter.stats.get(kind, ())
        if getattr(each, "when", "") == "call" and each.nodeid.startswith("e2e/compose/")
    ]
    terminalreporter.section("containers")
    if not reports:
        terminalreporter.write_line(f"did not run: {why_not() or 'no case was asked for'}")
        return
    for each in sorted(reports, key=lambda report: -report.duration):
        terminalreporter.write_line(f"{each.duration:6.1f} s  {each.outcome}  {each.nodeid}")
    terminalreporter.write_line(f"{len(reports)} cases ran; a failing one shows its containers' logs above")


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where no docker engine answers."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def suite(engine: None) -> Iterator[Project]:
    """The mesh of `docker-compose.yaml`, up and healthy."""
    with project() as running:
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
