"""Exemplars: one observation of a metric, with labels that lead to where it was made, such as a trace.

OpenMetrics 1.0, "Exemplars": https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LONGEST = 128  # characters of all names and values of one exemplar together, as OpenMetrics has it
USUAL = frozenset({"trace_id", "span_id"})
LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")  # names that begin with __ are Prometheus's own


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation: `value` in the metric's unit, `labels` in order, `seen` in seconds since 1970."""

    value: float
    labels: tuple[tuple[str, str], ...]
    seen: float


Exemplars = tuple[Exemplar | None, ...]
"""The latest exemplars of one series: one for a counter, one for each bucket of a histogram."""


def build_exemplar(value: float, labels: Mapping[str, str]) -> Exemplar:
    """An exemplar of this moment; ValueError for labels that OpenMetrics would not take."""
    return Exemplar(value, check_labels(labels.items()), time.time())


def check_labels(labels: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The labels; ValueError for a name that is none, and where they are longer than 128 characters."""
    checked = tuple(labels)
    length = 0
    for name, value in checked:
        if name not in USUAL and not LABEL_NAME.fullmatch(name):
            raise ValueError(f"exemplar label name {name!r}: write letters, digits and _, such as trace_id")
        length += len(name) + len(value)
    if length > LONGEST:
        raise ValueError(
            f"the labels of an exemplar take {length} characters; at most {LONGEST}: a trace_id, a span_id"
        )
    return checked


def latest(one: Sequence[Exemplar | None], other: Sequence[Exemplar | None]) -> Exemplars:
    """In each place the one that was seen last; two series of one metric have as many places."""
    if not one or not other:
        return tuple(one or other)
    return tuple(newer(a, b) for a, b in zip(one, other, strict=True))


def newer(one: Exemplar | None, other: Exemplar | None) -> Exemplar | None:
    """The one that was seen last."""
    if one is None or other is None:
        return one or other
    return other if other.seen >= one.seen else one
