"""`meshext filters list`: the filters that are installed, with what each is for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meshext.plugins import Offer

BROKEN = 1
HEADINGS = ("filter", "from", "what it does")


@dataclass(frozen=True, slots=True)
class Listed:
    """One installed filter: what it is for, or why it does not load."""

    offer: Offer
    summary: str = ""
    problem: str = ""


def list_filters(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the filters that are installed, ours and those of other distributions.

    Ends with 1 where one of them does not load; the others are listed all the same.

    Example: meshext filters list
    """
    from meshext.cli.selection import load_quietly

    found = load_quietly(list_offers)
    if as_json:
        print(json.dumps([to_data(each) for each in found], indent=2))
    else:
        show(found)
    raise typer.Exit(BROKEN if any(each.problem for each in found) else 0)


def list_offers() -> list[Listed]:
    """Every installed filter, loaded."""
    from meshext.plugins import find_offers

    return [look_at(offer) for offer in find_offers()]


def look_at(offer: Offer) -> Listed:
    """One filter, loaded by what stands behind its name: what two distributions offer is listed twice."""
    from meshext.cli.docstrings import parse_docstring
    from meshext.errors import MeshextError
    from meshext.plugins import load_filter

    try:
        cls = load_filter(offer.target)
    except MeshextError as error:
        return Listed(offer, problem=str(error))
    return Listed(offer, parse_docstring(cls.__doc__).summary)


def to_data(each: Listed) -> dict[str, object]:
    """What `--json` prints of one filter."""
    offer = each.offer
    return {
        "name": offer.name,
        "class": offer.target,
        "distribution": offer.distribution or None,
        "version": offer.version or None,
        "summary": each.summary,
        "problem": each.problem or None,
    }


def show(found: list[Listed]) -> None:
    """A table for people."""
    from meshext.cli.output import format_table, heading, to_line

    if not found:
        print("no filter is installed; a file is written path/to/file.py:Class")
        return
    rows = [(each.offer.name, owner(each.offer), to_line(each.problem or each.summary)) for each in found]
    header, *lines = format_table([HEADINGS, *rows])
    print("\n".join([heading(header), *lines]))


def owner(offer: Offer) -> str:
    """Distribution and version in one cell."""
    return f"{offer.distribution} {offer.version}".strip() or "?"
