"""Patterns of texts: exact, `prefix*`, `*suffix`, or `*` for everything that is not empty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """One pattern; a star stands at its beginning or its end, and nowhere else."""

    text: str
    kind: str

    def matches(self, value: str) -> bool:
        """Whether the value is meant."""
        if self.kind == "exact":
            return value == self.text
        if self.kind == "prefix":
            return value.startswith(self.text)
        if self.kind == "suffix":
            return value.endswith(self.text)
        return value != ""


def parse_pattern(field: str, written: str) -> Pattern:
    """The pattern that is written; ValueError names `field` and what to write."""
    if not written:
        raise ValueError(f"{field} '' matches nothing; write a text, or leave it out")
    inside = written.strip("*")
    if written == "*":
        return Pattern("", "any")
    if "*" in inside or written.count("*") > 1:
        raise ValueError(
            f"{field} {written!r}: a star stands alone, at the beginning or at the end;"
            f" write {inside.partition('*')[0] + '*'!r}"
        )
    if written.endswith("*"):
        return Pattern(inside, "prefix")
    if written.startswith("*"):
        return Pattern(inside, "suffix")
    return Pattern(written, "exact")


def any_matches(patterns: list[Pattern], value: str) -> bool:
    """Whether one of them matches."""
    return any(pattern.matches(value) for pattern in patterns)
