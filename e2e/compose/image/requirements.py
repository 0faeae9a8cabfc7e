"""Print what the project needs at run time, in the versions that it is tested with.

python requirements.py EXTRA...        reads pyproject.toml of this folder
python requirements.py --build         what its wheel is built with
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path


def list_requirements(project: dict[str, object], extras: Iterable[str]) -> Iterator[str]:
    """The project's requirements and those of its extras, which may name other extras."""
    table = project["project"]
    assert isinstance(table, dict)
    yield from table["dependencies"]
    waiting, seen = list(extras), set[str]()
    while waiting:
        extra = waiting.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for each in table["optional-dependencies"][extra]:
            if own := re.fullmatch(r"meshext\[(.+)\]", each):
                waiting += own[1].split(",")
            else:
                yield each


def main() -> None:
    """Write requirements, then every other pin of the resolution as a requirement of that version."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    kind = "constraint-dependencies"
    if sys.argv[1:] == ["--build"]:
        kind = "build-constraint-dependencies"
        wanted = list(project["build-system"]["requires"])
    else:
        wanted = list(list_requirements(project, sys.argv[1:]))
    pins = dict(each.split("==") for each in project["tool"]["uv"][kind])
    constraints = Path("constraints.txt")
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
    sys.stdout.write("\n".join([f"--constraint {constraints.absolute()}", *wanted, ""]))


if __name__ == "__main__":
    main()
