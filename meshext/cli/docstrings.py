"""The docstring of a filter class as a page: what it does, an example to copy, what it costs.

    class Hello(Filter):
        \"\"\"One line that says what it does.

        Paragraphs that say more.

        Example:
            who: ann

        Costs:
            11 us of CPU for a request (a 2 GHz core), nothing for a response.
        \"\"\"

`Example:` is a configuration as it is written in a file. `Configuration:` is for a `Config` that reads a
text of its own form: what may be in it, as a table. Every section may be left out.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass

SECTION = re.compile(r"^(Configuration|Example|Costs):[ \t]*\n((?:[ \t]+.*\n|[ \t]*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstring:
    """The parts of a docstring; each is "" or empty where it is not there.

    `paragraphs` are what follows the summary, each in the lines in which it was written.
    """

    summary: str = ""
    paragraphs: tuple[str, ...] = ()
    configuration: str = ""
    example: str = ""
    costs: str = ""


def parse_docstring(text: str | None) -> Docstring:
    """The parts of a docstring as Python keeps it."""
    if not text:
        return Docstring()
    clean = inspect.cleandoc(text) + "\n"
    sections = {name: textwrap.dedent(body).strip("\n") for name, body in SECTION.findall(clean)}
    summary, *paragraphs = re.split(r"\n[ \t]*\n+", SECTION.sub("", clean).strip("\n"))
    example = sections.get("Example", "")
    return Docstring(
        summary=" ".join(summary.split()),
        paragraphs=tuple(part.strip("\n") for part in paragraphs if part.strip()),
        configuration=sections.get("Configuration", ""),
        example=f"{example}\n" if example else "",
        costs=" ".join(sections.get("Costs", "").split()),
    )
