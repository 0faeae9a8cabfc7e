"""Which rules may be for a path, without trying them all."""

from __future__ import annotations

from meshext_filters.rate_limit.patterns import Pattern
from meshext_filters.rate_limit.rules import ReadyRule


class RuleIndex:
    """Rules by the path that they name, or by its first segment; those that name neither are always tried."""

    def __init__(self, rules: list[ReadyRule]) -> None:
        exact: dict[str, list[int]] = {}
        below: dict[str, list[int]] = {}
        always: list[int] = []
        for number, rule in enumerate(rules):
            places = [place_of(pattern) for pattern in rule.match.paths]
            if not places or "" in [text for _, text in places]:
                always.append(number)
                continue
            for kind, text in dict.fromkeys(places):
                (exact if kind == "exact" else below).setdefault(text, []).append(number)
        self._always = [rules[number] for number in always]
        self._below = {
            segment: [rules[number] for number in sorted(always + numbers)]
            for segment, numbers in below.items()
        }
        self._exact = {
            path: [
                rules[number] for number in sorted(set(always + numbers + below.get(first_segment(path), [])))
            ]
            for path, numbers in exact.items()
        }

    def candidates(self, path: str) -> list[ReadyRule]:
        """The rules that may be for this path, in the order in which they are written."""
        found = self._exact.get(path)
        if found is None:
            found = self._below.get(first_segment(path))
        return self._always if found is None else found


def place_of(pattern: Pattern) -> tuple[str, str]:
    """An exact path, or the first segment of a prefix; "" where it has no whole one."""
    if pattern.kind == "exact":
        return "exact", pattern.text
    if pattern.kind == "prefix" and pattern.text.startswith("/") and pattern.text.count("/") > 1:
        return "below", first_segment(pattern.text)
    return "below", ""


def first_segment(path: str) -> str:
    """`api` of `/api/v1`."""
    return path[1:].partition("/")[0]
