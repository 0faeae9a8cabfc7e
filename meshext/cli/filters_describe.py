"""`meshext filters describe`: one filter's page."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def describe(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of `meshext filters list`, or any other SPEC.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the configuration's JSON Schema.")
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print the example alone, to start from.")
    ] = False,
) -> None:
    """Describe a filter: what it does, where it runs, every field of its configuration, what it costs.

    All of it is gathered from the filter's code and docstrings, so it is what is installed here.

    Examples:
      meshext filters describe ab-routing
      meshext filters describe ab-routing --example > config.yaml
      meshext filters describe ab-routing --json | jq .schema
    """
    from meshext.cli.filter_page import build_page, to_data
    from meshext.cli.filter_page_text import to_text
    from meshext.cli.output import print_warning
    from meshext.cli.selection import load_quietly

    page = load_quietly(lambda: build_page(name))
    for problem in page.refused:
        print_warning(f"{name} refuses its own example: {problem}")
    if example:
        print(check_example(name, page.words.example), end="")
    elif as_json:
        print(json.dumps(to_data(page), indent=2))
    else:
        print(to_text(page), end="")


def check_example(name: str, text: str) -> str:
    """The example; SpecError where there is none."""
    from meshext.errors import SpecError

    if not text:
        raise SpecError(f"{name!r} has no example: its class's docstring has no section 'Example:'")
    return text
