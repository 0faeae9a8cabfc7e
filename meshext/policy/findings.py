"""Mistakes while they are collected: each with its path, so that its line can be found at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from meshext.config import Document, Plain
from meshext.config.places import Path, find_lines
from meshext.config.wording import shown, unknown_key
from meshext.errors import ConfigError

MAX_PROBLEMS = 100


class Findings:
    """The mistakes of one text. `name_of` says which document a path lies in, "" where that is plain."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: list[tuple[Path, int, str]] = []

    def refuse(self, path: Path, problem: str, *, within: int = 0) -> None:
        """Note what is wrong at a path; its first `within` parts lead to the policy and are not shown."""
        self._problems.append((path, within, problem))

    @property
    def found(self) -> Sequence[tuple[Path, int, str]]:
        """The mistakes so far: path, how many of its parts lead to the policy, and what is wrong."""
        return self._problems

    def check(self, title: Callable[[Path], str]) -> None:
        """Raise ConfigError with all mistakes, by line; `title` names the policy that a path lies in."""
        if not self._problems:
            return
        kept = self._problems[:MAX_PROBLEMS]
        lines = find_lines(self._document.text, {path for path, _, _ in kept})
        told = [
            (lines[path], f"line {lines[path]}: {title(path)}{dotted(path[within:])}{problem}")
            for path, within, problem in kept
        ]
        told.sort(key=lambda each: each[0])
        more = len(self._problems) - MAX_PROBLEMS
        end = [f"and {more} more mistakes"] if more > 0 else []
        raise ConfigError([*[text for _, text in told], *end], source=self._document.source)

    # -- shapes ------------------------------------------------------------------------------------

    def mapping(self, value: Plain, path: Path, within: int, example: str) -> Mapping[str, Plain] | None:
        """The value as a mapping; None, with a mistake noted, where it is none."""
        if isinstance(value, dict):
            return value
        self.refuse(path, f"expected a mapping, got {shown(value)}; write {example}", within=within)
        return None

    def items(self, value: Plain, path: Path, within: int, example: str) -> Sequence[Plain]:
        """The value as a list, empty where it is absent or null or, with a mistake noted, no list."""
        if value is None:
            return ()
        if isinstance(value, list):
            return value
        self.refuse(path, f"expected a list, got {shown(value)}; write {example}", within=within)
        return ()

    def text(self, value: Plain, path: Path, within: int, example: str) -> str:
        """The value as text, "" where it is absent or null or, with a mistake noted, no text."""
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        quoted = (
            f'; put it in quotes: "{value!r}"' if isinstance(value, int | float) else f"; write {example}"
        )
        if isinstance(value, bool):
            quoted = f'; put it in quotes: "{str(value).lower()}"'
        self.refuse(path, f"expected text, got {shown(value)}{quoted}", within=within)
        return ""

    def keys(self, value: Mapping[str, Plain], known: Sequence[str], path: Path, within: int) -> None:
        """Note every key that nobody knows."""
        for name in value:
            if name not in known:
                self.refuse((*path, name), unknown_key(name, known), within=within)


def dotted(path: Path) -> str:
    """`spec.rules[0].to[1]: ` of a path; "" for the whole document."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return f"{text}: " if text else ""
