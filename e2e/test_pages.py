"""The example on the page of each filter that ships with us runs as it is printed, in the real Envoy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshext.cli.filter_page import Page, build_page
from meshext.plan import Mode
from meshext.plugins import find_offers
from meshext.sandbox import Options, Proxy, build_setup
from meshext.sandbox.calls import DEFAULT, try_call

pytestmark = pytest.mark.envoy

SHIPPED = [offer.name for offer in find_offers() if offer.target.startswith("meshext_filters.")]
MODES: tuple[Mode, ...] = ("authz", "proc")


def carried() -> Iterator[tuple[str, Mode]]:
    """Each filter with each mode that can carry its example."""
    for name in SHIPPED:
        usage = build_page(name).by_example
        able = [verdict.runtime.mode for verdict in usage.verdicts if verdict.can] if usage else []
        yield from ((name, mode) for mode in MODES if mode in able)


def start(page: Page, mode: Mode, folder: Path) -> Proxy:
    file = folder / "config.yaml"
    file.write_text(page.words.example, encoding="utf-8")
    return Proxy.start(build_setup(Options(specs=(page.spec,), config=(str(file),), mode=mode)))


@pytest.mark.parametrize(("name", "mode"), list(carried()))
def test_the_example_runs(name: str, mode: Mode, tmp_path: Path) -> None:
    proxy = start(build_page(name), mode, tmp_path)
    try:
        results = [try_call(call, proxy.url) for call in DEFAULT.calls]
    finally:
        proxy.stop()
    assert [problem for result in results for problem in result.problems] == []
    assert [line for line in proxy.logs if f" error   {name}" in line or "Traceback" in line] == []


def test_every_filter_has_a_mode_that_carries_its_example() -> None:
    assert {name for name, _ in carried()} == set(SHIPPED)
