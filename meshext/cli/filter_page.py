"""What there is to say about one filter, as data: gathered from its code and docstrings alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshext.cli.docstrings import Docstring, parse_docstring
from meshext.cli.filter_costs import read_costs
from meshext.cli.runtimes import Verdict, find_runtimes, judge
from meshext.config import Document, Model, build_model, config_schema, parse_config, with_docs
from meshext.engine.chain import build_mount
from meshext.errors import ConfigError
from meshext.filter import Filter, class_needs
from meshext.metrics import Metric, MetricRegistry
from meshext.needs import Hook, Needs
from meshext.plugins import Offer, find_offers, load_filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a filter needs, by its class or in one configuration, and which runtimes can carry that."""

    needs: Needs
    verdicts: tuple[Verdict, ...]

    @property
    def hooks(self) -> list[str]:
        """Its hooks in the order in which an exchange meets them."""
        return [hook.value for hook in Hook if hook in self.needs.hooks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A filter's page. `offer` is None for a spec that is no installed name, `model` without a `Config`.

    `by_class` says what it may need at most, `by_example` what its example needs; that is None without an
    example, and where the filter refuses it, for the reasons in `refused`. `metrics` are those of the class,
    `chosen` those that the example makes beside them.
    """

    spec: str
    cls: type[Filter]
    offer: Offer | None
    words: Docstring
    by_class: Usage
    by_example: Usage | None
    refused: tuple[str, ...]
    model: Model | None
    metrics: tuple[Metric[Any], ...]
    chosen: tuple[Metric[Any], ...]
    measured: str

    @property
    def costs(self) -> str:
        """What its author says about it, and what was measured."""
        return " ".join(part for part in (self.words.costs, self.measured) if part)


def build_page(spec: str) -> Page:
    """The page of an installed filter, or of any other spec; SpecError where there is none."""
    cls = load_filter(spec)
    words = parse_docstring(cls.__doc__)
    metrics, with_example = MetricRegistry(cls).metrics(), MetricRegistry(cls)
    by_example, refused = try_example(cls, words.example, with_example)
    config_type = getattr(cls, "Config", None)
    offers = [offer for offer in find_offers() if offer.name == spec]
    return Page(
        spec=spec,
        cls=cls,
        offer=offers[0] if offers else None,
        words=words,
        by_class=to_usage(cls, class_needs(cls)),
        by_example=by_example,
        refused=refused,
        model=with_docs(build_model(config_type, owner=cls)) if config_type else None,
        metrics=metrics,
        chosen=with_example.metrics()[len(metrics) :],
        measured=read_costs(cls) if offers else "",
    )


def to_usage(cls: type[Filter], needs: Needs) -> Usage:
    """Needs and what each runtime says to them."""
    return Usage(needs=needs, verdicts=tuple(judge(runtime, [(cls, needs)]) for runtime in find_runtimes()))


def try_example(
    cls: type[Filter], example: str, metrics: MetricRegistry
) -> tuple[Usage | None, tuple[str, ...]]:
    """What the filter needs with its example as configuration, or why it refuses it.

    A filter object is made, so what `__init__` refuses counts; metrics that it makes are in `metrics` then.
    """
    if not example:
        return None, ()
    config_type = getattr(cls, "Config", None)
    try:
        config = parse_config(config_type, Document(example, "example"), owner=cls) if config_type else None
        return to_usage(cls, build_mount(cls, config, metrics=metrics).needs), ()
    except ConfigError as error:
        return None, tuple(error.problems)


def to_data(page: Page) -> dict[str, object]:
    """The page as plain data: what `--json` prints."""
    offer, needs, words = page.offer, page.by_class.needs, page.words
    config_type = getattr(page.cls, "Config", None)
    return {
        "name": needs.name,
        "spec": page.spec,
        "class": f"{page.cls.__module__}:{page.cls.__qualname__}" if offer else page.cls.__qualname__,
        "distribution": offer.distribution if offer else None,
        "version": offer.version if offer else None,
        "summary": words.summary,
        "description": [" ".join(paragraph.split()) for paragraph in words.paragraphs],
        **usage_data(page.by_class),
        "example_usage": usage_data(page.by_example) if page.by_example else None,
        "attributes": list(needs.attributes),
        "metadata_namespaces": list(needs.metadata_namespaces),
        "writes_metadata": needs.namespace,
        "failure": needs.failure,
        "time_limit": needs.time_limit,
        "max_body": needs.max_body,
        "metrics": [
            *[metric_data(metric, "class") for metric in page.metrics],
            *[metric_data(metric, "example") for metric in page.chosen],
        ],
        "schema": config_schema(config_type, owner=page.cls) if config_type else None,
        "configuration": words.configuration or None,
        "example": words.example or None,
        "costs": page.costs or None,
    }


def usage_data(usage: Usage) -> dict[str, object]:
    """Hooks and runtimes."""
    return {
        "hooks": usage.hooks,
        "runtimes": [
            {
                "name": verdict.runtime.name,
                "mode": verdict.runtime.mode or None,
                "can": verdict.can,
                "refusals": list(verdict.refusals),
            }
            for verdict in usage.verdicts
        ],
    }


def metric_data(metric: Metric[Any], made_by: str) -> dict[str, object]:
    """One metric; `made_by` says whether every object of the class has it, or one by the example."""
    return {
        "name": metric.name,
        "kind": metric.kind,
        "labels": list(metric.labels),
        "help": metric.help,
        "made_by": made_by,
    }
