"""Matchers of text as documents write them (Istio's `StringMatch`), and expressions that RE2 takes."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model

LONGEST_REGEX = 1024
"""Characters: policies have become denials of service by larger ones."""

_MISSING = re.compile(r"\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9]|[*+?}]\+|\\[ZG]")
"""What Python's expressions have and RE2's do not: looking around, back references, possessive counts."""

_OTHER_WORDS = ((r"\\[pP](?:\{\^?\w+\}|\w)", r"\\w"), (r"\\z", "$"), (r"\[:\^?\w+:\]", "a"))
"""What RE2 has and Python does not, each with something of the same place in the grammar."""

_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_MOST_REPEATS = 1000


def check_regex(text: str) -> str:
    """The expression, if RE2 takes it; ValueError says what it does not take."""
    if not text:
        raise ValueError("the expression is empty; write `.*` for any text")
    if len(text) > LONGEST_REGEX:
        raise ValueError(f"the expression has {len(text)} characters; write at most {LONGEST_REGEX}")
    plain = re.sub(r"\\\\", "", text)
    if found := _MISSING.search(plain):
        raise ValueError(f"RE2 has no {found[0]!r}; write the expression without it")
    for count in _COUNT.finditer(plain):
        if any(number and int(number) > _MOST_REPEATS for number in count.groups()):
            raise ValueError(f"{count[0]} repeats too often for RE2; write at most {_MOST_REPEATS}")
    for word, instead in _OTHER_WORDS:
        plain = re.sub(word, instead, plain)
    try:
        re.compile(re.sub(r"\(\?[a-zU]+(-[a-zU]+)?\)", "", plain))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text[:80]!r} is no expression: {error}") from None
    return text


Regex = Annotated[str, AfterValidator(check_regex)]
"""An expression that RE2 takes."""


class StringMatch(Model):
    """One of `exact`, `prefix`, `regex` (of the whole text)."""

    exact: str | None = None
    prefix: Annotated[str, Field(min_length=1)] | None = None
    regex: Regex | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(value is not None for value in (self.exact, self.prefix, self.regex)) > 1:
            raise ValueError("more than one of exact, prefix, regex; write one of them")
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: then any value will do, but there has to be one."""
        return self.exact is None and self.prefix is None and self.regex is None


def _check_not_empty(match: StringMatch) -> StringMatch:
    if match.is_empty:
        raise ValueError("nothing to match; write exact, prefix or regex")
    return match


FullMatch = Annotated[StringMatch, AfterValidator(_check_not_empty)]
"""A match that asks for something."""
