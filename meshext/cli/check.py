"""`meshext check`: what filters need, whether their configuration is right, and which runtimes carry them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

CARRIED = 0
NOT_CARRIED = 1


def check(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="path/to/file.py:Class, module:Class or a name.")
    ],
    mode: Annotated[
        str | None, typer.Option(metavar="MODE", help="Demand this one: authz, proc or a runtime's name.")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the configuration's JSON Schema.")
    ] = False,
) -> None:
    """Check filters without running them: configuration, hooks, and which runtimes can carry them.

    Ends with 0 where a service (with --mode: that one) can carry them and the configuration is right, with
    1 where none can, with 2 where a filter or its configuration is wrong.

    Examples:
      meshext check filter.py:Hello
      meshext check filter.py:Hello --config config.yaml --mode authz
      meshext check filter.py:Hello --json | jq .filters[0].schema
    """
    from meshext.cli.report import build_report, show_report, to_data
    from meshext.cli.selection import load_quietly

    report = load_quietly(lambda: build_report(specs, config or ()))
    carried = report.carried_by()
    wanted = check_wanted(mode, [verdict.runtime.mode for verdict in report.verdicts])
    if as_json:
        print(json.dumps(to_data(report), indent=2))
    else:
        show_report(report)
    raise typer.Exit(CARRIED if (wanted in carried if wanted else carried) else NOT_CARRIED)


def check_wanted(mode: str | None, known: Sequence[str]) -> str | None:
    """The mode that is asked for, if it is one."""
    from meshext.cli.faults import UsageError

    modes = [name for name in known if name]
    if mode is not None and mode not in modes:
        raise UsageError(f"--mode {mode!r} is not a mode; the modes are {', '.join(modes)}")
    return mode
