"""Compiled patterns and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, cast

from meshext_wasm.library.raw import load32, word
from meshext_wasm.library.re.machine import Job, run
from meshext_wasm.library.re.match import Match, joined, part_of
from meshext_wasm.library.re.nodes import ASCII, LOCALE, UNICODE, CharSet
from meshext_wasm.library.re.parsing import parse
from meshext_wasm.library.re.program import Program, ascii_bits, build_program, first_bits
from meshext_wasm.library.re.scanner import Scanner
from meshext_wasm.library.re.template import Template, fill, parse_template

T = TypeVar("T", str, bytes)


class Pattern(Generic[T]):
    """A pattern, ready to be matched."""

    pattern: T
    flags: int
    groups: int
    groupindex: dict[str, int]
    code: object
    count: int
    sets: list[CharSet]

    def __init__(self, pattern: T, flags: int) -> None:
        scanner = Scanner(cast("str | bytes", pattern), flags)
        program = build_program(scanner, parse(scanner))
        self.pattern = pattern
        self.flags = scanner.flags
        if isinstance(pattern, str) and scanner.flags & ASCII == 0:
            self.flags |= UNICODE
        self.groups = scanner.groups
        self.groupindex = scanner.names
        self.code = write_code(program)
        self.count = program.count()
        self.sets = program.sets

    def job(self, string: T, endpos: int | None) -> Job:
        """The machine for a text."""
        is_bytes = isinstance(self.pattern, bytes)
        if isinstance(string, bytes) != is_bytes:
            raise TypeError(
                "cannot use a bytes pattern on a string-like object"
                if is_bytes
                else "cannot use a string pattern on a bytes-like object"
            )
        job = Job(self.code, self.count, self.groups * 2 + 3, self.sets, is_bytes)
        job.aim(cast("str | bytes", string), far_end(endpos, len(string)))
        return job

    def match_of(self, job: Job, string: T, pos: int) -> Match[T]:
        """What the machine found."""
        places: list[int] = []
        for slot in range(self.groups * 2 + 3):
            found = load32(job.found() + word(slot * 4))
            places.append(-1 if found == 0xFFFFFFFF else int(found))
        return Match(string, self, pos, job.end, places)

    def found(self, string: T, pos: int, endpos: int | None, anchored: bool, full: bool) -> Match[T] | None:
        """The first match."""
        job = self.job(string, endpos)
        job.full = full
        start = near_start(pos, len(string))
        if start > job.end or not run(job, start, anchored):
            return None
        return self.match_of(job, string, start)

    def match(self, string: T, pos: int = 0, endpos: int | None = None) -> Match[T] | None:
        """A match that begins at the start."""
        return self.found(string, pos, endpos, True, False)

    def fullmatch(self, string: T, pos: int = 0, endpos: int | None = None) -> Match[T] | None:
        """A match of the whole text."""
        return self.found(string, pos, endpos, True, True)

    def search(self, string: T, pos: int = 0, endpos: int | None = None) -> Match[T] | None:
        """The first match anywhere."""
        return self.found(string, pos, endpos, False, False)

    def all_matches(self, string: T, pos: int, endpos: int | None, most: int) -> list[Match[T]]:
        """The matches one after the other, at most so many; 0 for all."""
        result: list[Match[T]] = []
        job = self.job(string, endpos)
        start = near_start(pos, len(string))
        first = start
        while start <= job.end and (most == 0 or len(result) < most) and run(job, start, False):
            made = self.match_of(job, string, first)
            result.append(made)
            start = made.places[1]
            job.advance = start if made.places[0] == start else -1
        return result

    def finditer(self, string: T, pos: int = 0, endpos: int | None = None) -> Iterator[Match[T]]:
        """The matches one after the other."""
        return iter(self.all_matches(string, pos, endpos, 0))

    def findall(self, string: T, pos: int = 0, endpos: int | None = None) -> list[object]:
        """The texts of the matches: of the group if there is one, in tuples if there are several."""
        result: list[object] = []
        for each in self.all_matches(string, pos, endpos, 0):
            if self.groups > 1:
                result.append(each.groups(string[:0]))
            else:
                result.append(each.or_default(self.groups, string[:0]))
        return result

    def split(self, string: T, maxsplit: int = 0) -> list[T | None]:
        """The texts between the matches, and those of the groups."""
        result: list[T | None] = []
        start = 0
        if maxsplit >= 0:
            for each in self.all_matches(string, 0, None, maxsplit):
                result.append(string[start : each.places[0]])
                result.extend(each.groups())
                start = each.places[1]
        result.append(string[start:])
        return result

    def sub(self, repl: T | Callable[[Match[T]], T], string: T, count: int = 0) -> T:
        """The text with the matches replaced."""
        return self.subn(repl, string, count)[0]

    def subn(self, repl: T | Callable[[Match[T]], T], string: T, count: int = 0) -> tuple[T, int]:
        """The text with the matches replaced, and how many there were."""
        template = template_of(repl, self.groups, self.groupindex)
        found = self.all_matches(string, 0, None, count) if count >= 0 else []
        parts: list[object] = []
        text = cast("str | bytes", string)
        start = 0
        for each in found:
            parts.append(part_of(text, start, each.places[0]))
            if template is not None:
                parts.append(filled(template, each.all_texts(), isinstance(text, bytes)))
            else:
                parts.append(called(repl, each))
            start = each.places[1]
        parts.append(part_of(text, start, len(text)))
        return cast(T, joined(parts, text)), len(found)


def called(repl: object, match: Match[T]) -> T:
    """What a function gives for a match."""
    return cast("Callable[[Match[T]], T]", repl)(match)


def template_of(repl: object, groups: int, names: dict[str, int]) -> Template | None:
    """A template, None where it is a function; one of bytes is read as Latin-1."""
    if isinstance(repl, str):
        return parse_template(repl, groups, names)
    return parse_template(repl.decode("latin-1"), groups, names) if isinstance(repl, bytes) else None


def filled(template: Template, texts: list[object], as_bytes: bool) -> object:
    """A template with the texts of a match."""
    made = fill(template, texts)
    return made.encode("latin-1") if as_bytes else made


def near_start(pos: int, length: int) -> int:
    """Where a search begins: below 0 is 0."""
    return 0 if pos < 0 else length if pos > length else pos


def far_end(endpos: int | None, length: int) -> int:
    """Where a search ends."""
    return length if endpos is None or endpos > length else 0 if endpos < 0 else endpos


def write_code(program: Program) -> object:
    """The operations, the bits of the sets, and those of the first characters, as a bytes object."""
    bits = [ascii_bits(program, number) for number in range(len(program.sets))]
    numbers = list(program.code)
    for each in bits:
        numbers.extend(each)
    numbers.extend(first_bits(program, bits))
    return b"".join([number.to_bytes(4, "little") for number in numbers])


def make_pattern(pattern: T, flags: int) -> Pattern[T]:
    """Compile."""
    if flags & LOCALE != 0:
        raise ValueError("the flag LOCALE is not supported")
    if isinstance(pattern, bytes) and flags & UNICODE != 0:
        raise ValueError("cannot use UNICODE flag with a bytes pattern")
    if flags & ASCII != 0 and flags & UNICODE != 0:
        raise ValueError("ASCII and UNICODE flags are incompatible")
    return Pattern(pattern, flags)
