"""A filter's page for people, as wide as the terminal, at most 100 columns."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from meshext.cli import schema_table
from meshext.cli.filter_page import Page, Usage
from meshext.cli.filters_list import owner
from meshext.cli.help import WIDTH
from meshext.cli.output import Row, format_table, heading, terminal_width
from meshext.cli.report import FAILURES
from meshext.printable import printable

INDENT = "  "
DEEPER = "      "


def to_text(page: Page) -> str:
    """The whole page, which ends with a line break."""
    parts = [
        (title(page), about(page)),
        ("where it runs", running(page)),
        ("configuration", fields(page)),
        ("metrics", metrics(page)),
        ("costs", paragraph(page.costs)),
        ("example", example(page)),
    ]
    blocks = ["\n".join([heading(name), *lines]) for name, found in parts if (lines := list(found))]
    return "\n\n".join(blocks) + "\n"


def title(page: Page) -> str:
    """The name and where the filter comes from."""
    name = page.by_class.needs.name
    return f"{name} ({owner(page.offer)}, {page.offer.target})" if page.offer else f"{name} ({page.spec})"


def about(page: Page) -> Iterator[str]:
    """What it does."""
    yield from paragraph(page.words.summary or "(its class has no docstring)")
    for text in page.words.paragraphs:
        yield ""
        yield from paragraph(text)


def running(page: Page) -> Iterator[str]:
    """Hooks, runtimes and what else a configuration of Envoy follows from."""
    needs = page.by_class.needs
    facts = [
        ("hooks", ", ".join(page.by_class.hooks)),
        *modes(page.by_class),
        *in_example(page),
        ("reads", ", ".join([*needs.attributes, *needs.metadata_namespaces])),
        ("metadata", f"written to {needs.namespace}"),
        ("failure", FAILURES[needs.failure]),
        ("time limit", f"{needs.time_limit * 1000:g} ms for each hook"),
    ]
    return iter(format_table([fact for fact in facts if fact[1]], indent=INDENT))


def modes(usage: Usage) -> Iterator[Row]:
    """A row for each service that could carry it."""
    for verdict in usage.verdicts:
        if verdict.runtime.mode:
            yield f"--mode {verdict.runtime.mode}", "yes" if verdict.can else f"no: {verdict.refusals[0]}"


def in_example(page: Page) -> Iterator[Row]:
    """The same for the example, where that makes a difference: a configuration may switch hooks off."""
    usage = page.by_example
    if usage is not None and usage.hooks != page.by_class.hooks:
        able = [verdict.runtime.mode for verdict in usage.verdicts if verdict.can and verdict.runtime.mode]
        yield "in the example", f"{', '.join(usage.hooks)}; {' and '.join(able) or 'no mode'}"


def fields(page: Page) -> Iterator[str]:
    """Every field: name, type and default on a line, below it what it is for."""
    if page.model is None:
        yield from paragraph("none")
        return
    rows = schema_table.to_rows(page.model)
    if not rows and page.words.configuration:
        yield from (f"{INDENT}{printable(line)}".rstrip() for line in page.words.configuration.splitlines())
    elif not rows:
        yield from paragraph(f"a text of its own form{', see the example' if page.words.example else ''}")
    for name, kind, default, text in rows:
        given = default if default in ("required", "(secret)") else f"default {default}"
        yield from wrap(f"{name}  {kind}, {given}", INDENT, INDENT + DEEPER)
        yield from wrap(text, DEEPER, DEEPER)


def metrics(page: Page) -> Iterator[str]:
    """Every metric: name, labels, kind, below it what it counts."""
    for metric in (*page.metrics, *page.chosen):
        labels = f"{{{', '.join(metric.labels)}}}" if metric.labels else ""
        by_example = ", with the example" if metric in page.chosen else ""
        yield from wrap(f"{metric.name}{labels}  {metric.kind}{by_example}", INDENT, INDENT + DEEPER)
        yield from wrap(metric.help, DEEPER, DEEPER)


def example(page: Page) -> Iterator[str]:
    """The example as it is written in a file, and how to run it."""
    if not page.words.example:
        return
    yield f"{INDENT}meshext filters describe {page.spec} --example > config.yaml"
    yield f"{INDENT}meshext run {page.spec} --config config.yaml"
    yield ""
    for line in page.words.example.splitlines():
        yield f"{DEEPER}{printable(line)}".rstrip()


def paragraph(text: str) -> list[str]:
    """A paragraph, wrapped; a list keeps its lines."""
    if any(line.startswith(("- ", "  ")) for line in text.splitlines()):
        return [f"{INDENT}{printable(line)}" for line in text.splitlines()]
    return wrap(" ".join(text.split()), INDENT, INDENT)


def wrap(text: str, indent: str, further: str) -> list[str]:
    """Lines that a terminal can hold."""
    width = min(terminal_width(), WIDTH) if sys.stdout.isatty() else WIDTH
    return textwrap.wrap(
        printable(text), width, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False
    )
