"""`meshext`: the wiring. Everything is imported inside `main`, so that Ctrl-C is silent from the start."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer.core import TyperGroup

NAME = "meshext"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (`sys.argv` without arguments) and return the exit code. Nothing is raised."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = run_verb(build_group(), given)
        sys.stdout.flush()  # here, where a reader that has gone can still be told from a bug
    except BaseException as error:
        from meshext.cli.faults import report_fault

        return report_fault(error, verb=asked_verb(given))
    return code


def run_verb(group: TyperGroup, arguments: list[str]) -> int:
    """What the verb ended with. Its errors are left to the caller."""
    with group.make_context(NAME, arguments) as context:
        result: Any = group.invoke(context)
    return result if isinstance(result, int) else 0


def build_group() -> TyperGroup:
    """The group of all verbs, none of them loaded."""
    from meshext.cli.group import build_verb_group

    return build_verb_group()


def asked_verb(arguments: Sequence[str]) -> str:
    """The verb on the command line, for the hint at its help; "" where there is none."""
    from meshext.cli.verbs import VERBS, find_plugin_verbs

    names = {*(verb.name for verb in VERBS), *find_plugin_verbs()}
    return next((argument for argument in arguments[:1] if argument in names), "")
