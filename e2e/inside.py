"""Filters compiled into Envoy, for suites that run them as services too."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from meshext.sandbox import Proxy, Setup
from meshext_wasm.cli.runtime import embed

MINUTES = 10  # the run-time library is compiled first where it has changed


def embedded(setup: Setup) -> Setup:
    """The setup with its filters as a module."""
    module, needs = embed(setup.specs, setup.configs, lambda _: None)
    return replace(setup, mode="wasm", module=module, needs=needs)


def total(proxy: Proxy, name: str, **labels: str) -> float:
    """The sum of a metric's series with these labels, as Envoy shows them to Prometheus."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(proxy.envoy_metrics())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
