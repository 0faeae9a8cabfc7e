"""Where a document was written, and what is wrong with one: told with file, line, path and a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meshext.config import Plain
from meshext.config.places import Path, find_lines
from meshext.policy.findings import dotted
from meshext.printable import printable
from meshext_controlplane.model.base import MeshDocument

LONGEST_PATH = 300  # characters of a path that a message shows

Key = tuple[str, str, str]
"""Kind, namespace and name of an object."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """A text that documents were read from.

    `rank` orders origins: a folder's files by path come before what was applied, by time.
    """

    source: str
    text: str = field(repr=False)
    rank: tuple[int, str, float] = (0, "", 0.0)

    def lines(self, paths: Iterable[Path]) -> dict[Path, int]:
        """The lines of paths; of one that is not there, the line of what would hold it."""
        return find_lines(self.text, set(paths))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A valid document and where it stands: `path` leads to it in the text, `value` is as written."""

    document: MeshDocument
    value: Plain
    origin: Origin
    path: Path

    @property
    def key(self) -> Key:
        """Kind, namespace and name."""
        return self.document.key

    @property
    def order(self) -> tuple[tuple[int, str, float], tuple[int, ...]]:
        """What documents are sorted by."""
        return self.origin.rank, tuple(part for part in self.path if isinstance(part, int))

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return f"{self.origin.source}:{self.origin.lines([self.path])[self.path]}"


def find_places(wanted: Iterable[tuple[Origin, Path]]) -> dict[tuple[Origin, Path], int]:
    """The lines of paths in several texts, each text looked at once."""
    paths: dict[Origin, set[Path]] = {}
    for origin, path in wanted:
        paths.setdefault(origin, set()).add(path)
    return {
        (origin, path): line for origin, found in paths.items() for path, line in origin.lines(found).items()
    }


def show_places(wanted: Sequence[Placed]) -> list[str]:
    """`FILE:LINE` of each, in that order, each text looked at once."""
    lines = find_places((each.origin, each.path) for each in wanted)
    return [f"{each.origin.source}:{lines[each.origin, each.path]}" for each in wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong: `text` says what was expected and found, `hint` what to write instead.

    `line` is 0 where the whole source is meant, `key` None where no object can be named; `path` is as people
    write it (`spec.http[0].timeout`), "" for the whole document.
    """

    source: str
    line: int
    key: Key | None
    path: str
    text: str
    hint: str

    def __str__(self) -> str:
        """One line, whatever is in names and values."""
        where = f"{self.source}:{self.line}" if self.line else self.source
        name = f"{show_key(self.key)}: " if self.key else ""
        path = f"{self.path[:LONGEST_PATH]}: " if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return printable(f"{where}: {name}{path}{self.text}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A problem before its line is looked up; the first `within` parts of `path` lead to the document."""

    path: Path
    within: int
    text: str
    key: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Broken:
    """A document that can not be as it is: `path` within it, `text` with the hint behind the last `; `.

    `refers_to` are the objects whose change may have broken it, whether they are there or not.
    """

    placed: Placed
    path: Path
    text: str
    refers_to: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        """The object that is refused."""
        return self.placed.key


def place_mistakes(origin: Origin, mistakes: Iterable[Mistake]) -> list[Problem]:
    """Mistakes as problems with their lines, by line; what stands behind the last `;` is the hint."""
    listed = list(mistakes)
    lines = origin.lines(each.path for each in listed) if listed else {}
    problems = []
    for each in listed:
        text, _, hint = each.text.rpartition("; ") if "; " in each.text else (each.text, "", "")
        path = dotted(each.path[each.within :]).removesuffix(": ")
        problems.append(
            Problem(
                source=origin.source, line=lines[each.path], key=each.key, path=path, text=text, hint=hint
            )
        )
    return sorted(problems, key=lambda problem: problem.line)


def show_key(key: Key) -> str:
    """`Kind namespace/name`."""
    kind, namespace, name = key
    return f"{kind} {namespace}/{name}"
