"""`FilterPolicy`: a Python filter on the workloads that it selects (our own kind).

apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: limits, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  filter: rate-limit                 # a name, module:Class, or path/to/file.py:Class
  config: {limits: [...]}
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.selector import Selector

HIGHEST = 2**31 - 1


class FilterPolicySpec(FilterSource):
    """The fields, beside those of the filter itself.

    Filters of one phase stand by `priority`, the highest first; without a phase they are nearest to the
    application.
    """

    selector: Selector | None = None
    direction: Literal["inbound", "outbound", "gateway"] = "inbound"
    runtime: Literal["service"] = "service"
    phase: Literal["AUTHN", "AUTHZ", "STATS"] | None = None
    priority: Annotated[int, Field(ge=-HIGHEST, le=HIGHEST)] = 0

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "targetRefs": "write selector",
            "runtime: wasm": "write runtime: service",
        }
    )

    @property
    def may_guard(self) -> bool:
        """Whether the filter may refuse requests: any but one that says that it only counts."""
        return self.phase != "STATS"


class FilterPolicy(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "FilterPolicy"
    VERSIONS: ClassVar[tuple[str, ...]] = ("meshext.dev/v1",)

    spec: FilterPolicySpec
