"""The page of each filter that ships with us is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext.cli.filter_page import Page, build_page
from meshext.plugins import find_offers

EXAMPLES = Path(__file__).parents[2] / "filters" / "examples"
SHIPPED = [offer.name for offer in find_offers() if offer.target.startswith("meshext_filters.")]


@pytest.fixture(scope="module", params=SHIPPED)
def page(request: pytest.FixtureRequest) -> Page:
    return build_page(request.param)


def test_it_says_what_the_filter_does(page: Page) -> None:
    assert page.words.summary.endswith(".")
    assert page.words.paragraphs
    assert page.by_class.needs.name == page.spec


def test_its_example_is_accepted(page: Page) -> None:
    assert page.refused == ()
    assert page.by_example is not None
    assert any(verdict.can and verdict.runtime.mode for verdict in page.by_example.verdicts)


def test_every_field_and_metric_says_what_it_is_for(page: Page) -> None:
    records = page.model.records if page.model else {}
    assert [
        f"{cls.__qualname__}.{field.name}"
        for cls, fields in records.items()
        for field in fields
        if not field.help
    ] == []
    assert [metric.name for metric in (*page.metrics, *page.chosen) if not metric.help] == []


def test_it_lists_metrics(page: Page) -> None:
    assert page.metrics or page.chosen


def test_it_says_what_the_filter_costs(page: Page) -> None:
    assert page.costs


def test_an_example_folder_shows_it(page: Page) -> None:
    names = [name for folder in EXAMPLES.glob("*_*") for name in commands(folder)]
    assert page.spec in names


def commands(folder: Path) -> list[str]:
    """The filters that the README's command runs."""
    readme = (folder / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("meshext run ")]
    return [word for line in lines for word in line.split()[2:]]
