"""Header lines: ordered, multi-valued, names case-insensitive; `meshext.http.headers`.

The list of lines is never changed, only replaced: so a snapshot is a reference, and "nothing changed" is an
identity test.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar, overload

from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.meshext.legal import check_name, check_value, decode, encode
from meshext_wasm.library.raw import virtual

T = TypeVar("T")


class Headers(Iterable[str]):
    """Header lines of a request or response, or its trailers."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        made: list[tuple[str, bytes]] = []
        for name, value in lines:
            made.append((name.lower(), encode(value)))
        self._lines: list[tuple[str, bytes]] = made
        self._sealed = ""

    def to_lines(self) -> list[tuple[str, bytes]]:
        """The raw lines, names in lower case."""
        return self._lines

    def replace_lines(self, lines: list[tuple[str, bytes]]) -> None:
        """Put other raw lines in place of all, sealed or not (for the engine)."""
        self._lines = lines

    def seal(self, reason: str) -> None:
        """From here on nothing can be written, for this reason; "" opens it again."""
        self._sealed = reason

    def __getitem__(self, name: str) -> str:
        lower = name.lower()
        for key, value in self._lines:
            if key == lower:
                return decode(value)
        raise KeyError(name)

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The first line of that name, else the default."""
        lower = name.lower()
        for key, value in self._lines:
            if key == lower:
                return decode(value)
        return default

    def get_all(self, name: str) -> list[str]:
        """The value of every line of that name, in order."""
        lower = name.lower()
        found: list[str] = []
        for key, value in self._lines:
            if key == lower:
                found.append(decode(value))
        return found

    def joined(self, name: str) -> str | None:
        """Every line of that name joined with `, ` (RFC 9110 5.3); None where there is none."""
        values = self.get_all(name)
        if len(values) == 0:
            return None
        return ", ".join(values)

    def __setitem__(self, name: str, value: str) -> None:
        lower = check_name(name)
        fresh: list[tuple[str, bytes]] = [(lower, check_value(lower, value))]
        self._put(lower, fresh)

    def set_all(self, name: str, values: Iterable[str]) -> None:
        """Replace every line of that name by these, where the first of them stood."""
        lower = check_name(name)
        fresh: list[tuple[str, bytes]] = []
        for value in values:
            fresh.append((lower, check_value(lower, value)))
        self._put(lower, fresh)

    @virtual
    def _put(self, lower: str, fresh: list[tuple[str, bytes]]) -> None:
        self._check_open()
        made: list[tuple[str, bytes]] = []
        placed = False
        for line in self._lines:
            if line[0] != lower:
                made.append(line)
            elif not placed:
                placed = True
                made.extend(fresh)
        if not placed:
            made.extend(fresh)
        self._lines = made

    def add(self, name: str, value: str) -> None:
        """One more line, after those there are."""
        lower = check_name(name)
        line = (lower, check_value(lower, value))
        self._check_open()
        made = self._lines.copy()
        made.append(line)
        self._lines = made

    @virtual
    def __delitem__(self, name: str) -> None:
        """Remove every line of that name; silent where there is none."""
        lower = check_name(name)
        self._check_open()
        kept: list[tuple[str, bytes]] = []
        for line in self._lines:
            if line[0] != lower:
                kept.append(line)
        if len(kept) != len(self._lines):
            self._lines = kept

    def names(self) -> list[str]:
        """Distinct names, in the order of their first line."""
        found: list[str] = []
        for name, _ in self._lines:
            if name not in found:
                found.append(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def keys(self) -> list[str]:
        """Distinct names, in the order of their first line."""
        return self.names()

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        lower = name.lower()
        for key, _ in self._lines:
            if key == lower:
                return True
        return False

    def items(self) -> list[tuple[str, str]]:
        """Name and value of every line, in order."""
        found: list[tuple[str, str]] = []
        for name, value in self._lines:
            found.append((name, decode(value)))
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._lines == other._lines

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"

    def _check_open(self) -> None:
        if self._sealed:
            raise HeaderError(self._sealed)


class ResponseAdditions(Headers):
    """`request.response_headers`: assigning replaces the response's lines of that name, `add` appends."""

    def __init__(self) -> None:
        super().__init__()
        self._replaced: list[str] = []

    def _put(self, lower: str, fresh: list[tuple[str, bytes]]) -> None:
        super()._put(lower, fresh)
        if lower not in self._replaced:
            self._replaced = [*self._replaced, lower]

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        lower = name.lower()
        kept: list[str] = []
        for each in self._replaced:
            if each != lower:
                kept.append(each)
        self._replaced = kept

    def replaced(self) -> list[str]:
        """Names whose lines on the response give way."""
        return self._replaced

    def restore(self, lines: list[tuple[str, bytes]], replaced: list[str]) -> None:
        """Go back to what was put here before."""
        self._lines = lines
        self._replaced = replaced


def put_on(lines: list[tuple[str, bytes]], additions: ResponseAdditions) -> list[tuple[str, bytes]]:
    """The response's lines with the additions on them."""
    added = additions.to_lines()
    replaced = additions.replaced()
    if len(added) == 0 and len(replaced) == 0:
        return lines
    made: list[tuple[str, bytes]] = []
    for line in lines:
        if line[0] not in replaced:
            made.append(line)
    made.extend(added)
    return made
