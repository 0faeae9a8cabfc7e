"""What a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast, overload

from meshext_wasm.library.re.template import expand

if TYPE_CHECKING:
    from meshext_wasm.library.re.pattern import Pattern

T = TypeVar("T", str, bytes)


class Match(Generic[T]):
    """A match: its text, and where its groups stand; -1 for a group that took no part."""

    string: T
    re: Pattern[T]
    pos: int
    endpos: int
    places: list[int]
    lastindex: int | None

    def __init__(self, string: T, pattern: Pattern[T], pos: int, endpos: int, places: list[int]) -> None:
        self.string = string
        self.re = pattern
        self.pos = pos
        self.endpos = endpos
        self.places = places
        last = places[len(places) - 1]
        self.lastindex = last if last > 0 else None

    @property
    def lastgroup(self) -> str | None:
        """The name of the group that was closed last."""
        for name, number in self.re.groupindex.items():
            if number == self.lastindex:
                return name
        return None

    def number_of(self, group: int | str) -> int:
        """The number of a group."""
        number = group if isinstance(group, int) else self.re.groupindex.get(group, -1)
        if number < 0 or number > self.re.groups:
            raise IndexError("no such group")
        return number

    def text_of(self, group: int | str) -> T | None:
        """The text of a group, None where it took no part."""
        number = self.number_of(group)
        if self.places[number * 2] < 0:
            return None
        start, end = self.places[number * 2], self.places[number * 2 + 1]
        return cast(T, part_of(cast("str | bytes", self.string), start, end))

    @overload
    def group(self, group: Literal[0] = ...) -> T: ...

    @overload
    def group(self, group: int | str) -> T | None: ...

    def group(self, group: int | str = 0) -> T | None:
        """The text of the match, or of a group of it."""
        return self.text_of(group)

    def __getitem__(self, group: int | str) -> T | None:
        """The text of a group."""
        return self.text_of(group)

    def groups(self, default: T | None = None) -> tuple[T | None, ...]:
        """The texts of all groups."""
        return tuple([self.or_default(number, default) for number in range(1, self.re.groups + 1)])

    def groupdict(self, default: T | None = None) -> dict[str, T | None]:
        """The texts of all groups that have names."""
        result: dict[str, T | None] = {}
        for name, number in self.re.groupindex.items():
            result[name] = self.or_default(number, default)
        return result

    def or_default(self, number: int, default: T | None) -> T | None:
        """The text of a group, or what stands for one that took no part."""
        found = self.text_of(number)
        return default if found is None else found

    def start(self, group: int | str = 0, /) -> int:
        """Where a group begins."""
        return self.places[self.number_of(group) * 2]

    def end(self, group: int | str = 0, /) -> int:
        """Where a group ends."""
        return self.places[self.number_of(group) * 2 + 1]

    def span(self, group: int | str = 0, /) -> tuple[int, int]:
        """Where a group begins and ends."""
        return self.start(group), self.end(group)

    def expand(self, template: T) -> T:
        """A template as for `sub`, filled in."""
        text = cast("str | bytes", template)
        return cast(T, expand(text, self.re.groups, self.re.groupindex, self.all_texts()))

    def all_texts(self) -> list[object]:
        """The texts of the match and of its groups."""
        return [self.text_of(number) for number in range(self.re.groups + 1)]


def part_of(text: str | bytes, start: int, end: int) -> str | bytes:
    """Some of a text."""
    return text[start:end]


def joined(parts: list[object], like: str | bytes) -> str | bytes:
    """Texts one behind the other."""
    if isinstance(like, bytes):
        return b"".join(cast("list[bytes]", parts))
    return "".join(cast("list[str]", parts))
