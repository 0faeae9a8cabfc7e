"""Events of a mesh on this machine, as a person or a program reads them."""

from __future__ import annotations

import json as json_text
import sys
from typing import TYPE_CHECKING

from meshext.cli.output import print_problem, print_warning
from meshext.errors import MeshextError
from meshext.printable import printable

if TYPE_CHECKING:
    from meshext_controlplane.up.events import Event


def show_event(event: Event, *, json: bool) -> None:
    """One line on standard output, as JSON or for a person; last lines of a log go below it."""
    if json:
        print(json_text.dumps(event.to_json()), flush=True)
        return
    text = printable(event.text)
    if event.kind == "ended":
        print(text, *map(printable, event.lines), sep="\n    ", file=sys.stderr, flush=True)
    elif event.kind == "warning":
        print_warning(text)
    else:
        print(text, flush=True)


def print_lines(error: MeshextError) -> None:
    """An error of several lines: mistakes each in one, lines of a log as they were written."""
    for line in str(error).splitlines():
        if line.startswith(" "):
            print(printable(line), file=sys.stderr, flush=True)
        else:
            print_problem(line)
