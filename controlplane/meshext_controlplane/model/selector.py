"""Which workloads of a namespace a document is about: Istio's `WorkloadSelector`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from meshext_controlplane.model.base import Model


def check_labels(labels: dict[str, str]) -> dict[str, str]:
    """Labels that are compared as they are; ValueError where there is no name or a wildcard."""
    for name, value in labels.items():
        if not name:
            raise ValueError("a label has no name; write for example app: web")
        if "*" in name or "*" in value:
            raise ValueError(f"label {name}: {value} has a wildcard; write one document for each value")
    return labels


Labels = Annotated[dict[str, str], AfterValidator(check_labels)]


class Selector(Model):
    """Workloads that have all of these labels; none of them selects every workload of the namespace."""

    match_labels: Labels = Field(default_factory=dict)

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a workload with these labels is one of them."""
        return all(labels.get(name) == value for name, value in self.match_labels.items())
