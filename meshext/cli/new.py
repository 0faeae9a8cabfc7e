"""`meshext new`: a project of one's own, small enough to read in a minute."""

from __future__ import annotations

import keyword
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from meshext.cli.faults import UsageError
from meshext.errors import MeshextError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")
LONGEST_NAME = 50
TAKEN = frozenset({"meshext", "pytest", "test", "tests", "config", "hashlib", "typer", "yaml"})
TAKEN_CLASSES = frozenset({"Counter", "Filter", "Request", "Respond", "Config"})


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _: my-filter.")],
    directory: Annotated[
        str, typer.Option(metavar="DIR", help="Where the folder NAME is made.", show_default=False)
    ] = ".",
) -> None:
    """Make a project of your own: a filter, its tests, a configuration, calls to try, a README.

    The tests pass as they are, without Envoy. A folder with something in it is left alone.

    Examples:
      meshext new my-filter
      cd my-filter && python3 -m pytest && meshext run my_filter.py:MyFilter --try
    """
    from meshext.cli.project import build_files

    project = parse_name(name)
    folder = Path(directory) / project.name
    files = build_files(project)
    write_files(folder, files)
    print(f"made {folder}/ with {', '.join(files)}")
    print(f"\nnext:\n  cd {shlex.quote(str(folder))}\n  python3 -m pytest")
    print(f"  meshext run {project.spec} --try")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The names in a project: of the distribution, its only module, and the filter's class."""

    name: str
    module: str
    class_name: str

    @property
    def spec(self) -> str:
        """How the filter is named on the command line, in the project's folder."""
        return f"{self.module}.py:{self.class_name}"


def parse_name(text: str) -> Project:
    """The names of a project from the one that was given; UsageError where Python could not import it."""
    module = text.replace("-", "_").lower()
    words = re.split("[-_]", text)
    class_name = "".join(word[:1].upper() + word[1:] for word in words)
    if not NAME.fullmatch(text) or len(text) > LONGEST_NAME:
        raise UsageError(
            f"{text!r} is not a name; write letters and digits with - between words, such as my-filter"
        )
    taken = module in TAKEN or module in sys.stdlib_module_names or keyword.iskeyword(module)
    if taken or class_name in TAKEN_CLASSES or keyword.iskeyword(class_name):
        raise UsageError(
            f"{text!r} would hide what Python or meshext call so; write another, such as my-{text}"
        )
    return Project(name=text, module=module, class_name=class_name)


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write a project; MeshextError where something is there already or the folder can not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise MeshextError(f"{str(folder)!r} is there already and not empty; choose another name")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MeshextError(f"can not write {error.filename or str(folder)!r}: {error.strerror}") from error
