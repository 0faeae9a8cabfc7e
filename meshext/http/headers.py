"""Header lines: ordered, multi-valued, names case-insensitive.

The lines are one immutable tuple that every write replaces. So a snapshot is a reference, taking a
failed hook's writes back is an assignment, and "nothing changed" is an identity test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TypeVar, overload

from meshext.errors import HeaderError
from meshext.http.legal import check_name, check_token, check_value, decode, encode

T = TypeVar("T")
Line = tuple[str, bytes]
Lines = tuple[Line, ...]


class Headers(MutableMapping[str, str]):
    """Header lines of a request or response, or its trailers.

    `headers["a"]` and `get` give the first line, `get_all` every line, `joined` all of them with commas;
    `headers["a"] = x` replaces every `a`. Values are `str` by UTF-8 with surrogateescape. Names that are
    not tokens and values with control characters raise HeaderError.
    """

    __slots__ = ("_lines", "_sealed")

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: Lines = tuple((name.lower(), encode(value)) for name, value in lines)
        self._sealed: str | None = None

    @classmethod
    def from_lines(cls, lines: Lines, *, sealed: str | None = None) -> Headers:
        """Headers over raw lines (names in lower case); `sealed` is why they can not be written."""
        made = cls.__new__(cls)
        made._lines = lines
        made._sealed = sealed
        return made

    def to_lines(self) -> Lines:
        """The raw lines, names in lower case."""
        return self._lines

    def copied(self) -> Headers:
        """The same lines, sealed alike, in an object of their own."""
        return Headers.from_lines(self._lines, sealed=self._sealed)

    def replace_lines(self, lines: Lines) -> None:
        """Put other raw lines in place of all, sealed or not (for the engine)."""
        self._lines = lines

    def __getitem__(self, name: str) -> str:
        lower = name.lower()
        for line in self._lines:
            if line[0] == lower:
                return decode(line[1])
        raise KeyError(name)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The first line of that name, else the default."""
        lower = name.lower()
        for line in self._lines:
            if line[0] == lower:
                return line[1].decode("utf-8", "surrogateescape")
        return default

    def get_all(self, name: str) -> list[str]:
        """The value of every line of that name, in order."""
        lower = name.lower()
        return [decode(value) for key, value in self._lines if key == lower]

    def joined(self, name: str) -> str | None:
        """Every line of that name joined with `, ` (RFC 9110 5.3); None where there is none."""
        values = self.get_all(name)
        return ", ".join(values) if values else None

    def __setitem__(self, name: str, value: str) -> None:
        lower = check_token(name) if type(name) is str else check_name(name)
        self._put(lower, ((lower, check_value(lower, value)),))

    def set_all(self, name: str, values: Iterable[str]) -> None:
        """Replace every line of that name by these, where the first of them stood."""
        lower = check_name(name)
        self._put(lower, tuple([(lower, check_value(lower, value)) for value in values]))

    def _put(self, lower: str, fresh: Lines) -> None:
        if self._sealed is not None:
            raise HeaderError(self._sealed)
        lines = self._lines
        for line in lines:
            if line[0] == lower:
                at = lines.index(line)
                self._lines = lines[:at] + fresh + tuple([line for line in lines[at:] if line[0] != lower])
                return
        self._lines = lines + fresh

    def add(self, name: str, value: str) -> None:
        """One more line, after those there are."""
        lower = check_name(name)
        line = (lower, check_value(lower, value))
        self._check_open()
        self._lines = (*self._lines, line)

    def __delitem__(self, name: str) -> None:
        """Remove every line of that name; silent where there is none."""
        lower = check_name(name)
        self._check_open()
        if any(line[0] == lower for line in self._lines):
            self._lines = tuple(line for line in self._lines if line[0] != lower)

    def __iter__(self) -> Iterator[str]:
        """Distinct names, in the order of their first line."""
        return iter(dict.fromkeys(name for name, _ in self._lines))

    def __len__(self) -> int:
        return len({name for name, _ in self._lines})

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        lower = name.lower()
        return lower in [line[0] for line in self._lines]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]  # every line: a view over names would hide repeated ones
        """Name and value of every line, in order."""
        return [(name, decode(value)) for name, value in self._lines]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._lines == other._lines

    __hash__ = None  # type: ignore[assignment]  # mutable, as in MutableMapping

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"

    def _check_open(self) -> None:
        if self._sealed is not None:
            raise HeaderError(self._sealed)
