"""`meshext check`: what filters need, whether their configuration is right, and which runtimes carry them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext.cli.running_mesh import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext.cli.report import Report

CARRIED = 0
NOT_CARRIED = 1
HEALTHY = 0
UNHEALTHY = 1


Specs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SPEC...",
        help="path/to/file.py:Class, module:Class or a name; without one a running mesh is checked.",
    ),
]
Mode = Annotated[
    str | None, typer.Option(metavar="MODE", help="Demand this one: authz, proc or a runtime's name.")
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with the configuration's JSON Schema.")]


def check(
    specs: Specs = None,
    mode: Mode = None,
    config: Config = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Check filters without running them, or without SPEC a running mesh.

    Of filters: configuration, hooks, and which runtimes can carry them. Ends with 0 where a service (with
    --mode: that one) can carry them and the configuration is right, with 1 where none can, with 2 where a
    filter or its configuration is wrong.

    With --mode wasm they are compiled: what does not compile is shown under its source; else what each hook
    reads and writes, and how many calls of Envoy's host functions the example's calls (expect.yaml) took.

    Of a mesh: control plane, configuration, authority, workloads and their proxies, services, findings; in
    stages, with a hint for what is not as it should be. Ends with 0 where nothing has failed, else with 1.

    Examples:
      meshext check filter.py:Hello
      meshext check filter.py:Hello --config config.yaml --mode authz
      meshext check filter.py:Hello --mode wasm
      meshext check filter.py:Hello --json | jq .filters[0].schema
      meshext check --state .meshext
    """
    if not specs:
        refuse_options(mode, config)
        raise typer.Exit(HEALTHY if check_mesh(state, as_json=as_json) else UNHEALTHY)
    from meshext.cli.report import build_report, show_report, to_data
    from meshext.cli.selection import load_quietly

    report = load_quietly(lambda: build_report(specs, config or ()))
    wanted = check_wanted(mode, [verdict.runtime.mode for verdict in report.verdicts])
    report = study_filters(report, wanted, config or ())
    if as_json:
        print(json.dumps(to_data(report), indent=2))
    else:
        show_report(report)
    raise typer.Exit(to_code(report.carried_by(), wanted))


def to_code(carried: Sequence[str], wanted: str | None) -> int:
    """What the command ends with: whether the demanded mode, or any, is among those that can."""
    return CARRIED if (wanted in carried if wanted else carried) else NOT_CARRIED


def study_filters(report: Report, mode: str | None, configs: Sequence[str]) -> Report:
    """The report with what compiling the filters tells, where the demanded runtime compiles them."""
    import sys
    from dataclasses import replace

    from meshext.cli.report import judged
    from meshext.cli.selection import compile_quietly

    study = next((each.runtime.study for each in report.verdicts if each.runtime.mode == mode), None)
    if study is None:
        return report
    specs = [each.spec for each in report.filters]
    found = compile_quietly(
        lambda: study(specs, configs, lambda step: print(f"compiling: {step}", file=sys.stderr, flush=True))
    )
    return replace(report, study=found, verdicts=tuple(judged(each, mode, found) for each in report.verdicts))


def refuse_options(mode: str | None, config: Sequence[str] | None) -> None:
    """Options that are about filters have no meaning for a mesh."""
    from meshext.cli.faults import UsageError

    for name, value in (("--mode", mode), ("--config", config)):
        if value:
            raise UsageError(f"{name} is about a filter; name one, such as path/to/file.py:Class")


def check_mesh(state: Path, *, as_json: bool) -> bool:
    """Check a running mesh, and print what is found; whether nothing has failed."""
    from meshext.cli.running_mesh import load_mesh_check
    from meshext.cli.stages import print_json, show_stages

    stages = load_mesh_check()(state)
    return print_json(stages) if as_json else show_stages(stages)


def check_wanted(mode: str | None, known: Sequence[str]) -> str | None:
    """The mode that is asked for, if it is one."""
    from meshext.cli.faults import UsageError

    modes = [name for name in known if name]
    if mode is not None and mode not in modes:
        raise UsageError(f"--mode {mode!r} is not a mode; the modes are {', '.join(modes)}")
    return mode
