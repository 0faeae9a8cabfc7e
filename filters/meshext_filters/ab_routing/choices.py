"""Experiments and variants as clients carry them: `checkout:v2~search:b`, fit for a header and a cookie."""

from __future__ import annotations


def to_text(choices: dict[str, str]) -> str:
    """The choices in order."""
    return "~".join(f"{experiment}:{variant}" for experiment, variant in choices.items())


def parse_choices(text: str) -> dict[str, str] | None:
    """The choices; None for what is written otherwise, or names an experiment twice."""
    choices: dict[str, str] = {}
    for part in text.split("~") if text else []:
        experiment, colon, variant = part.partition(":")
        if not colon or not experiment or not variant or experiment in choices:
            return None
        choices[experiment] = variant
    return choices
