"""Write what the project needs, in the versions that it is tested with, as files that pip reads.

python requirements.py FOLDER EXTRA...     what runs, by ./pyproject.toml: requirements.txt, constraints.txt
python requirements.py FOLDER --build      what its wheel is built with
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
    """Write both files; pip looks for the second one beside the first."""
    folder, *words = sys.argv[1:]
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    kind = "constraint-dependencies"
    if words == ["--build"]:
        kind = "build-constraint-dependencies"
        wanted = list(project["build-system"]["requires"])
    else:
        wanted = list(list_requirements(project, words))
    place = Path(folder)
    place.mkdir(parents=True)
    (place / "requirements.txt").write_text("\n".join(["--constraint constraints.txt", *wanted, ""]))
    (place / "constraints.txt").write_text("\n".join([*project["tool"]["uv"][kind], ""]))


if __name__ == "__main__":
    main()
