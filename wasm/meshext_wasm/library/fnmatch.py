"""fnmatch: names and patterns of a shell (POSIX: every letter counts as it is written)."""

from __future__ import annotations

from collections.abc import Iterable


def fnmatch(name: str, pat: str) -> bool:
    """Whether a name is as the pattern says."""
    return fnmatchcase(name, pat)


def filter(names: Iterable[str], pat: str) -> list[str]:  # noqa: A001  # Python's own name
    """Those of some names that are as the pattern says."""
    return [name for name in names if fnmatchcase(name, pat)]


def fnmatchcase(name: str, pat: str) -> bool:
    """Whether a name is as the pattern says.

    Where a star was too greedy, only the last one takes one character more: what those before it took need
    not be tried again, so this ends after len(name) * len(pat) steps.
    """
    at, place = 0, 0
    star, taken = -1, 0
    while at < len(name):
        if place < len(pat) and pat[place] == "*":
            star, taken = place, at
            place += 1
            continue
        after = match_one(name[at], pat, place)
        if after > 0:
            at, place = at + 1, after
        elif star >= 0:
            taken += 1
            at, place = taken, star + 1
        else:
            return False
    while place < len(pat) and pat[place] == "*":
        place += 1
    return place == len(pat)


def match_one(character: str, pattern: str, place: int) -> int:
    """Behind what stands in the pattern for one character; 0 where it is not for this one."""
    if place >= len(pattern):
        return 0
    if pattern[place] == "?":
        return place + 1
    if pattern[place] == "[":
        end = end_of_set(pattern, place)
        if end > 0:
            return end + 1 if is_in(character, pattern[place + 1 : end]) else 0
    return place + 1 if pattern[place] == character else 0


def end_of_set(pattern: str, place: int) -> int:
    """Where the set that begins here ends; -1 where it does not, and the bracket means itself."""
    first = place + 1
    if first < len(pattern) and pattern[first] == "!":
        first += 1
    if first < len(pattern) and pattern[first] == "]":
        first += 1
    return pattern.find("]", first)


def is_in(character: str, written: str) -> bool:
    """Whether a set has the character."""
    wanted = True
    if written[0] == "!":
        wanted, written = False, written[1:]
    return is_listed(character, written) is wanted


def is_listed(character: str, written: str) -> bool:
    """Whether a character or range of the set is it; a range that ends before it begins has none."""
    at = 0
    while at < len(written):
        if at + 2 < len(written) and written[at + 1] == "-":
            if written[at] <= character <= written[at + 2]:
                return True
            at += 3
        else:
            if written[at] == character:
                return True
            at += 1
    return False
