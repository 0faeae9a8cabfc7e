"""Header lines: ordered, multi-valued, names case-insensitive; `meshext.http.headers`.

Lines are never changed, only replaced: so a snapshot is a reference, and "nothing changed" is an identity
test.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast, overload

from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.meshext.legal import check_name, check_value, decode, encode, lower_name
from meshext_wasm.library.meshext.lines import NO_LINES, Edit, Lines
from meshext_wasm.library.raw import class_descriptor, instance_new, virtual

T = TypeVar("T")


class Headers(Iterable[str]):
    """Header lines of a request or response, or its trailers."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines = NO_LINES
        self._sealed = ""
        if not isinstance(lines, tuple) or len(lines) > 0:
            self._lines = build_lines(lines)

    def to_lines(self) -> Lines:
        """The raw lines, names in lower case."""
        return self._lines

    def replace_lines(self, lines: Lines) -> None:
        """Put other raw lines in place of all, sealed or not (for the engine)."""
        self._lines = lines

    def seal(self, reason: str) -> None:
        """From here on nothing can be written, for this reason; "" opens it again."""
        self._sealed = reason

    def __getitem__(self, name: str) -> str:
        found = self._lines.first(lower_name(name))
        if found is None:
            raise KeyError(name)
        return decode(found)

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The first line of that name, else the default."""
        found = self._lines.first(lower_name(name))
        if found is None:
            return default
        return decode(found)

    def get_all(self, name: str) -> list[str]:
        """The value of every line of that name, in order."""
        lower = lower_name(name)
        found: list[str] = []
        for key, value in self._lines.all():
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
        self._put(lower, [check_value(lower, value)])

    def set_all(self, name: str, values: Iterable[str]) -> None:
        """Replace every line of that name by these, where the first of them stood."""
        lower = check_name(name)
        fresh: list[bytes] = []
        for value in values:
            fresh.append(check_value(lower, value))
        self._put(lower, fresh)

    @virtual
    def _put(self, lower: str, fresh: list[bytes]) -> None:
        self._check_open()
        self._lines = self._lines.edited(Edit(lower, fresh, False))

    def add(self, name: str, value: str) -> None:
        """One more line, after those there are."""
        lower = check_name(name)
        raw = check_value(lower, value)
        self._check_open()
        self._lines = self._lines.edited(Edit(lower, [raw], True))

    @virtual
    def __delitem__(self, name: str) -> None:
        """Remove every line of that name; silent where there is none."""
        lower = check_name(name)
        self._check_open()
        self._lines = self._lines.edited(Edit(lower, [], False))

    @overload
    def pop(self, name: str, default: str = ...) -> str: ...
    @overload
    def pop(self, name: str, default: T) -> str | T: ...
    def pop(self, name: str, default: object = "\0") -> object:
        """Remove every line of that name; its first value, else the default."""
        found = self.get(name)
        if found is not None:
            del self[name]
            return found
        if isinstance(default, str) and default == "\0":
            raise KeyError(name)
        return default

    def setdefault(self, name: str, default: str) -> str:
        """The first value of that name, which becomes the default where there is none."""
        found = self.get(name)
        if found is None:
            self[name] = default
            return default
        return found

    def update(self, given: "Mapping[str, str] | Headers | Iterable[tuple[str, str]]", /) -> None:
        """Set each name to its value; of several values of a name to the first."""
        if isinstance(given, Mapping):
            for name, value in cast("Mapping[str, str]", given).items():
                self[name] = value
        elif isinstance(given, Headers):
            for name in given.names():
                self[name] = given[name]
        else:
            for name, value in given:
                self[name] = value

    def clear(self) -> None:
        """Remove every line."""
        for name in self.names():
            del self[name]

    def names(self) -> list[str]:
        """Distinct names, in the order of their first line."""
        found: list[str] = []
        for name, _ in self._lines.all():
            if name not in found:
                found.append(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def keys(self) -> list[str]:
        """Distinct names, in the order of their first line."""
        return self.names()

    def values(self) -> list[str]:
        """The first value of each name, in order."""
        return [self[name] for name in self.names()]

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self._lines.first(lower_name(name)) is not None

    def items(self) -> list[tuple[str, str]]:
        """Name and value of every line, in order."""
        found: list[tuple[str, str]] = []
        for name, value in self._lines.all():
            found.append((name, decode(value)))
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._lines.all() == other._lines.all()

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"

    def _check_open(self) -> None:
        if self._sealed:
            raise HeaderError(self._sealed)


def open_headers(lines: Lines) -> Headers:
    """Headers of raw lines."""
    made: Headers = instance_new(class_descriptor(Headers))
    made._lines = lines
    made._sealed = ""
    return made


def build_lines(given: Iterable[tuple[str, str]]) -> Lines:
    """Lines of names and values."""
    made: list[tuple[str, bytes]] = []
    for name, value in given:
        made.append((name.lower(), encode(value)))
    return Lines(made)


class ResponseAdditions(Headers):
    """`request.response_headers`: assigning replaces the response's lines of that name, `add` appends."""

    def __init__(self) -> None:
        super().__init__()
        self._replaced: list[str] = []

    def _put(self, lower: str, fresh: list[bytes]) -> None:
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

    def is_touched(self) -> bool:
        """Whether anything is put on the response."""
        return self._lines is not NO_LINES or len(self._replaced) > 0

    def replaced(self) -> list[str]:
        """Names whose lines on the response give way."""
        return self._replaced

    def restore(self, lines: Lines, replaced: list[str]) -> None:
        """Go back to what was put here before."""
        self._lines = lines
        self._replaced = replaced


def put_on(lines: Lines, additions: ResponseAdditions) -> Lines:
    """The response's lines with the additions on them."""
    for name in additions.replaced():
        lines = lines.edited(Edit(name, [], False))
    for name, value in additions.to_lines().all():
        lines = lines.edited(Edit(name, [value], True))
    return lines
