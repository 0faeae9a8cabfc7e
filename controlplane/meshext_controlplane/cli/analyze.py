"""`meshext analyze`: what is wrong in documents, or seldom meant, without a control plane."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meshext_controlplane.analysis.messages import Severity
    from meshext_controlplane.sources.configuration import Configuration
    from meshext_controlplane.sources.places import Problem
    from meshext_controlplane.sources.reading import Reading

REFUSED = "MX001"
FOUND = 1

Names = Annotated[
    list[str] | None, typer.Argument(metavar="FILE|FOLDER...", help="Documents; folders as a whole.")
]
Suppress = Annotated[
    list[str] | None, typer.Option("--suppress", "-S", metavar="CODE", help="Leave a code out; repeatable.")
]
Threshold = Annotated[
    str,
    typer.Option("--failure-threshold", metavar="LEVEL", help="From which level on the exit code is 1."),
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Codes = Annotated[bool, typer.Option("--codes", help="List all codes instead.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding, ready to be shown."""

    severity: Severity
    code: str
    source: str
    line: int
    object: str
    path: str
    text: str
    hint: str

    def __str__(self) -> str:
        from meshext.printable import printable

        where = f"{self.source}:{self.line}" if self.line else self.source
        name = f"{self.object}: " if self.object else ""
        path = f"{self.path}: " if self.path else ""
        level = self.severity.name.capitalize()
        return printable(f"{level} [{self.code}] {where}: {name}{path}{self.text}; {self.hint}")


def analyze(
    names: Names = None,
    suppress: Suppress = None,
    failure_threshold: Threshold = "error",
    json: Json = False,
    codes: Codes = False,
) -> None:
    """Find mistakes and traps in documents, before they are given to a control plane.

    Documents of workloads.yaml, which `meshext up` reads, may be among them. Each finding has a code that
    keeps its meaning; `--codes` lists them. Ends with 1 where something of the threshold's level (error,
    warning or info) is found, with 2 where a file can not be found, else with 0.

    Examples:
      meshext analyze mesh/
      meshext analyze mesh/ new.yaml -S MX105 --failure-threshold warning
    """
    from meshext.cli.faults import UsageError

    if codes:
        print("\n".join(list_codes()))
        return
    if not names:
        raise UsageError("no files given; write for example meshext analyze mesh/")
    threshold = parse_threshold(failure_threshold)
    found = find_lines(names, check_codes(suppress or ()))
    if json:
        print(json_text.dumps([to_data(line) for line in found], indent=2))
    else:
        print("\n".join(map(str, found)) or "nothing found")
    if any(line.severity >= threshold for line in found):
        raise typer.Exit(FOUND)


def parse_threshold(text: str) -> Severity:
    """The level of that name."""
    from meshext.cli.faults import UsageError
    from meshext_controlplane.analysis.messages import Severity

    if text.upper() not in Severity.__members__:
        raise UsageError(f"--failure-threshold {text!r} is no level; write error, warning or info")
    return Severity[text.upper()]


def check_codes(given: Sequence[str]) -> frozenset[str]:
    """Codes to leave out; one that does not exist is a mistake."""
    from meshext.cli.faults import UsageError
    from meshext_controlplane.analysis.messages import CODES

    for code in given:
        if code not in CODES:
            raise UsageError(f"--suppress {code!r} is no code; meshext analyze --codes lists them")
    return frozenset(given)


def list_codes() -> list[str]:
    """A table of all codes."""
    from meshext.cli.output import format_table
    from meshext_controlplane.analysis.messages import CODES

    rows = [(code, each.severity.name.lower(), each.title) for code, each in CODES.items()]
    return format_table([("code", "level", "what"), *rows])


def find_lines(names: Sequence[str], suppressed: frozenset[str]) -> list[Line]:
    """Everything that is found in these files and folders, by place."""
    from meshext_controlplane.sources.configuration import merge

    readings, notes = read_all(names)
    configuration = merge(readings, notes=notes)
    lines = [*to_refusals(configuration), *to_findings(configuration)]
    kept = [line for line in lines if line.code not in suppressed]
    return sorted(kept, key=lambda line: (line.source, line.line, line.code, line.text))


def read_all(names: Sequence[str]) -> tuple[list[Reading], list[Problem]]:
    """The files, and those of the folders; MeshextError where one does not exist."""
    from meshext.errors import MeshextError
    from meshext_controlplane.model.kinds import ALL_KINDS
    from meshext_controlplane.sources.folder import read_file, read_folder

    readings: dict[str, Reading] = {}
    notes: list[Problem] = []
    for name in names:
        path = Path(name)
        if not path.exists():
            raise MeshextError(f"{name}: no such file or folder")
        if path.is_dir():
            folder = read_folder(path, kinds=ALL_KINDS)
            notes += folder.problems
            readings |= {each.origin.source: each for each in folder.readings}
        else:
            readings[str(path)] = read_file(str(path), kinds=ALL_KINDS).reading
    return list(readings.values()), notes


def to_refusals(configuration: Configuration) -> list[Line]:
    """What is refused."""
    from meshext_controlplane.analysis.messages import CODES
    from meshext_controlplane.sources.places import show_key

    return [
        Line(
            severity=CODES[REFUSED].severity,
            code=REFUSED,
            source=each.source,
            line=each.line,
            object=show_key(each.key) if each.key else "",
            path=each.path,
            text=each.text,
            hint=each.hint,
        )
        for each in configuration.problems
    ]


def to_findings(configuration: Configuration) -> list[Line]:
    """What analyzers say about the rest."""
    from meshext.policy.findings import dotted
    from meshext_controlplane.analysis.analyze import analyze as find
    from meshext_controlplane.model.mesh import Mesh
    from meshext_controlplane.sources.places import find_places, show_key

    mesh = Mesh(config=configuration.config, documents=configuration.documents)
    found = [(configuration.good[each.key], each) for each in find(mesh)]
    lines = find_places((placed.origin, (*placed.path, *each.path)) for placed, each in found)
    return [
        Line(
            severity=each.severity,
            code=each.code,
            source=placed.origin.source,
            line=lines[placed.origin, (*placed.path, *each.path)],
            object=show_key(each.key),
            path=dotted(each.path).removesuffix(": "),
            text=each.text,
            hint=each.hint,
        )
        for placed, each in found
    ]


def to_data(line: Line) -> dict[str, object]:
    """A finding as JSON has it."""
    return {
        "code": line.code,
        "level": line.severity.name.lower(),
        "source": line.source,
        "line": line.line,
        "object": line.object,
        "path": line.path,
        "message": line.text,
        "hint": line.hint,
    }
