"""Which rules a request can match at all, so that a thousand rules cost about what ten do.

Each rule is kept under its rarest anchors (`anchors`), the rest in a list that is always tried. What the
index gives is a superset of what matches, and is tried in full.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshext.policy.anchors import (
    FARTHEST,
    Anchor,
    Choice,
    Dimension,
    Form,
    find_choices,
    segment_key,
    segments_after,
)
from meshext.policy.compiled import ReadyRule
from meshext.policy.facts import Facts

Table = dict[str, list[int]]

DIMENSIONS = (Dimension.PATH, Dimension.PRINCIPAL, Dimension.HOST, Dimension.METHOD)


class Index:
    """Rules to be looked up by path, principal, host and method."""

    def __init__(self, rules: Sequence[ReadyRule]) -> None:
        self.rules = tuple(rules)
        self._tables: dict[tuple[Dimension, Form], Table] = {}
        self._rest: list[int] = []
        counts, choices = count_anchors(self.rules)
        for number, offered in enumerate(choices):
            anchors = choose_anchors(offered, counts)
            if anchors is None:
                self._rest.append(number)
                continue
            for anchor in anchors:
                table = self._tables.setdefault((anchor.dimension, anchor.form), {})
                table.setdefault(anchor.text, []).append(number)
        self._lengths = {key: sorted({len(text) for text in table}) for key, table in self._tables.items()}

    def first_match(self, facts: Facts) -> ReadyRule | None:
        """The first rule, in the order given, that matches."""
        for number in self.candidates(facts):
            if self.rules[number].matches(facts):
                return self.rules[number]
        return None

    def all_matches(self, facts: Facts) -> list[ReadyRule]:
        """Every rule that matches, in order."""
        tried = [self.rules[number] for number in self.candidates(facts)]
        return [rule for rule in tried if rule.matches(facts)]

    def candidates(self, facts: Facts) -> list[int]:
        """Numbers of the rules that may match, in order."""
        if not self.rules:
            return []
        found: set[int] = set(self._rest)
        self._look_up(Dimension.PATH, facts.path, found)
        self._look_up_places(facts.path, found)
        self._look_up(Dimension.HOST, facts.folded_host, found)
        self._look_up(Dimension.METHOD, facts.method, found)
        principal = facts.principal
        if principal is not None:
            self._look_up(Dimension.PRINCIPAL, principal, found)
            self._look_up_segments(principal, "ns", Form.NAMESPACE, found)
            self._look_up_segments(principal, "sa", Form.ACCOUNT, found)
        return sorted(found)

    def _look_up(self, dimension: Dimension, text: str, found: set[int]) -> None:
        exact = self._tables.get((dimension, Form.EXACT))
        if exact is not None:
            found.update(exact.get(text, ()))
        prefixes = self._tables.get((dimension, Form.PREFIX))
        if prefixes is not None:
            for length in self._lengths[(dimension, Form.PREFIX)]:
                if length > len(text):
                    break
                found.update(prefixes.get(text[:length], ()))
        suffixes = self._tables.get((dimension, Form.SUFFIX))
        if suffixes is not None:
            for length in self._lengths[(dimension, Form.SUFFIX)]:
                if length > len(text):
                    break
                found.update(suffixes.get(text[len(text) - length :], ()))

    def _look_up_places(self, path: str, found: set[int]) -> None:
        table = self._tables.get((Dimension.PATH, Form.SEGMENT))
        if table is not None:
            for place, segment in enumerate(path.split("/", FARTHEST + 1)[: FARTHEST + 1]):
                found.update(table.get(segment_key(place, segment), ()))

    def _look_up_segments(self, principal: str, name: str, form: Form, found: set[int]) -> None:
        table = self._tables.get((Dimension.PRINCIPAL, form))
        if table is not None:
            for segment in segments_after(principal, name):
                found.update(table.get(segment, ()))


Offered = list[tuple[Choice, ...]]
"""For one rule: each dimension's choices, where it serves."""


def count_anchors(rules: Sequence[ReadyRule]) -> tuple[dict[Anchor, int], list[Offered]]:
    """How many rules could stand under each anchor, and what each rule offers."""
    counts: dict[Anchor, int] = {}
    offers: list[Offered] = []
    for rule in rules:
        offered: Offered = []
        for dimension in DIMENSIONS:
            choices = find_choices(rule, dimension)
            if choices is None:
                continue
            offered.append(choices)
            for choice in choices:
                for anchor in choice:
                    counts[anchor] = counts.get(anchor, 0) + 1
        offers.append(offered)
    return counts, offers


def choose_anchors(offered: Offered, counts: dict[Anchor, int]) -> tuple[Anchor, ...] | None:
    """The anchors that share their place with the fewest rules; None where nothing serves."""
    best: tuple[Anchor, ...] | None = None
    least = 0
    for choices in offered:
        anchors = tuple([rarest(choice, counts) for choice in choices])
        cost = max([counts[anchor] for anchor in anchors], default=0)
        if best is None or cost < least:
            best, least = anchors, cost
    return best


def rarest(choice: Choice, counts: dict[Anchor, int]) -> Anchor:
    """Of the anchors of one value the one with the fewest rules, the longer one where it is a draw."""
    return min(choice, key=lambda anchor: (counts[anchor], -len(anchor.text)))
