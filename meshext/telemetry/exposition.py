"""Families as text for Prometheus, by its own client library.

https://prometheus.io/docs/instrumenting/exposition_formats/, and OpenMetrics for whoever asks for it, which
alone has exemplars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from prometheus_client.core import Metric, Sample
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Exemplar as Shown
from prometheus_client.utils import floatToGoString

from meshext.exemplars import Exemplar
from meshext.telemetry.families import Family


class Families(Collector):
    """Families as prometheus_client wants to collect them."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """One Metric for each name; its series may have different labels."""
        for name, group in groupby(self._families, key=lambda family: family.name):
            several = list(group)
            kind = several[0].kind
            metric = Metric(name.removesuffix("_total") if kind == "counter" else name, several[0].help, kind)
            metric.samples.extend(sample for family in several for sample in samples(family))
            yield metric


def samples(family: Family) -> Iterable[Sample]:
    """The lines of one family."""
    for key in sorted(family.numbers):
        (exemplar,) = family.exemplars.get(key, (None,))
        yield Sample(family.name, labelled(family, key), family.numbers[key], None, shown(exemplar))
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for key in sorted(family.spreads):
        counts, amount = family.spreads[key]
        labels = labelled(family, key)
        exemplars = family.exemplars.get(key) or (None,) * len(bounds)
        for bound, count, exemplar in zip(bounds, accumulate(counts), exemplars, strict=True):
            yield Sample(f"{family.name}_bucket", labels | {"le": bound}, count, None, shown(exemplar))
        yield Sample(f"{family.name}_count", labels, sum(counts))
        yield Sample(f"{family.name}_sum", labels, amount)


def shown(exemplar: Exemplar | None) -> Shown | None:
    """An exemplar as prometheus_client has it."""
    return None if exemplar is None else Shown(dict(exemplar.labels), exemplar.value, exemplar.seen)


def labelled(family: Family, key: tuple[str, ...]) -> dict[str, str]:
    """Label names and values; Prometheus takes an empty value for no label, so it is left out."""
    return {name: value for name, value in zip(family.labels, key, strict=True) if value}


def render(families: Sequence[Family], accept: str) -> tuple[bytes, str]:
    """Text and content type for an Accept header; families are ordered by name."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(families))
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        encode, content_type = choose_encoder("")
    return encode(registry), content_type
