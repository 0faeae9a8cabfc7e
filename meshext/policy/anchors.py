"""What must be in a request for a rule to match at all: where an index can look the rule up.

A rule is anchored in one dimension, by a set of anchors of which a request has to hit one. For an alternative
without such a field there is none, and the dimension does not serve for that rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from meshext.policy.building import qualify_account
from meshext.policy.checks import Check, HostCheck, MethodCheck, PathCheck, PrincipalCheck
from meshext.policy.compiled import Checks, ReadyRule
from meshext.policy.model import Field
from meshext.policy.patterns import ANY_SEGMENTS, ONE_SEGMENT, SPIFFE, Strings, is_template


class Dimension(StrEnum):
    """What of a request is looked up."""

    PATH = "path"
    PRINCIPAL = "principal"
    HOST = "host"
    METHOD = "method"


class Form(StrEnum):
    """How an anchor is looked up."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    SEGMENT = "segment"
    NAMESPACE = "namespace"
    ACCOUNT = "account"


class Anchor(NamedTuple):
    """One way in; a tuple, as there are several for each rule and they are counted."""

    dimension: Dimension
    form: Form
    text: str


FARTHEST = 15
"""The last place of a path at which segments are looked up."""

Choice = tuple[Anchor, ...]
"""Anchors of one value, each of which would do."""


def find_choices(rule: ReadyRule, dimension: Dimension) -> tuple[Choice, ...] | None:
    """For each value by which the rule can match, its anchors; None where the dimension does not serve."""
    by_source = dimension is Dimension.PRINCIPAL
    for check in rule.conditions if by_source else ():
        found = check_choices(check, dimension)
        if found is not None:
            return found
    alternatives = rule.sources if by_source else rule.operations
    if not alternatives:
        return None
    choices: list[Choice] = []
    for checks in alternatives:
        found = first_choices(checks, dimension)
        if found is None:
            return None
        choices += found
    return tuple(choices)


def first_choices(checks: Checks, dimension: Dimension) -> tuple[Choice, ...] | None:
    """The anchors of the first of several checks that has any; all of them must hold, so one will do."""
    for check in checks:
        found = check_choices(check, dimension)
        if found is not None:
            return found
    return None


def check_choices(check: Check, dimension: Dimension) -> tuple[Choice, ...] | None:
    """The anchors of one check in that dimension."""
    if check.term.negated:
        return None
    if isinstance(check, PathCheck) and dimension is Dimension.PATH:
        found = string_choices(check.strings, dimension)
        if found is None:
            return None
        return (*found, *[template_choice(value) for value in check.term.values if is_template(value)])
    if isinstance(check, HostCheck) and dimension is Dimension.HOST:
        return string_choices(check.strings, dimension)
    if isinstance(check, MethodCheck) and dimension is Dimension.METHOD:
        return string_choices(check.strings, dimension)
    if dimension is Dimension.PRINCIPAL:
        return identity_choices(check)
    return None


def identity_choices(check: Check) -> tuple[Choice, ...] | None:
    """The anchors of a check of the principal; what wildcards leave open has none."""
    if isinstance(check, PrincipalCheck):
        return string_choices(check.strings, Dimension.PRINCIPAL)
    term = check.term
    if term.field is Field.NAMESPACES and not any("*" in value for value in term.values):
        # Only a namespace of one segment can be looked up by segments.
        if any("/" in value for value in term.values):
            return None
        return tuple([(Anchor(Dimension.PRINCIPAL, Form.NAMESPACE, value),) for value in term.values])
    if term.field is Field.SERVICE_ACCOUNTS:
        return account_choices(term.values)
    return None


def account_choices(values: Iterable[str]) -> tuple[Choice, ...]:
    """Service accounts by their own name, which is a segment whatever namespace goes with it."""
    names = [qualify_account(value, "").rpartition("/")[2] for value in values]
    return tuple([(Anchor(Dimension.PRINCIPAL, Form.ACCOUNT, name),) for name in names])


def string_choices(strings: Strings, dimension: Dimension) -> tuple[Choice, ...] | None:
    """The anchors of alternatives; presence can not be looked up."""
    if strings.present:
        return None
    exact = [(Anchor(dimension, Form.EXACT, text),) for text in sorted(strings.exact)]
    prefixes = [(Anchor(dimension, Form.PREFIX, text),) for text in strings.prefixes]
    suffixes = [(Anchor(dimension, Form.SUFFIX, text),) for text in strings.suffixes]
    return tuple(exact + prefixes + suffixes)


def template_choice(template: str) -> Choice:
    """A path template by what it begins with, what it ends with, or a segment in its place.

    Places count from the start, up to the operator that takes any number of segments.
    """
    first = min(at for at in (template.find(ONE_SEGMENT), template.find(ANY_SEGMENTS)) if at >= 0)
    last = template.rfind("}") + 1
    found = [
        Anchor(Dimension.PATH, Form.PREFIX, template[:first]),
        Anchor(Dimension.PATH, Form.SUFFIX, template[last:]),
    ]
    for place, segment in enumerate(template.split("/")):
        if segment == ANY_SEGMENTS:
            break
        if segment not in (ONE_SEGMENT, "") and place <= FARTHEST:
            found.append(Anchor(Dimension.PATH, Form.SEGMENT, segment_key(place, segment)))
    return tuple(found)


def segment_key(place: int, segment: str) -> str:
    """A segment of a path in its place, for looking up."""
    return f"{place}/{segment}"


def segments_after(principal: str, name: str) -> list[str]:
    """Every segment of a principal that follows a segment of that name."""
    parts = principal.removeprefix(SPIFFE).split("/")
    return [after for before, after in itertools.pairwise(parts) if before == name]
