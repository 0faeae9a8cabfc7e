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
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.providers import ServiceHost
from meshext_controlplane.model.selector import Selector
from meshext_controlplane.model.values import Port

HIGHEST = 2**31 - 1


class SharedService(Model):
    """A service of the mesh that runs the filter for all workloads, as `meshext serve` does."""

    host: ServiceHost
    port: Port


def check_spec(text: str) -> str:
    """A filter's spec; ValueError where it can be none."""
    if not text.strip() or not text.isprintable() or text != text.strip():
        raise ValueError(
            f"{text[:60]!r} is no filter; write its name, module:Class, or path/to/file.py:Class"
        )
    return text


class FilterPolicySpec(Model):
    """The fields.

    Without `service` the sidecar runs the filter beside itself. Without `mode` it is what the filter's hooks
    ask for. Filters of one phase stand by `priority`, the highest first; without a phase they are nearest to
    the application. `config` is what `--config` would be given.
    """

    selector: Selector | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    filter: Annotated[str, AfterValidator(check_spec)]
    runtime: Literal["service"] = "service"
    mode: Literal["authz", "proc"] | None = None
    service: SharedService | None = None
    phase: Literal["AUTHN", "AUTHZ", "STATS"] | None = None
    priority: Annotated[int, Field(ge=-HIGHEST, le=HIGHEST)] = 0
    config: Annotated[Any, Field(repr=False)] = None

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "targetRefs": "write selector",
            "runtime: wasm": "write runtime: service",
            "direction: gateway": "there are no gateways; write direction: inbound",
        }
    )


class FilterPolicy(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "FilterPolicy"
    VERSIONS: ClassVar[tuple[str, ...]] = ("meshext.dev/v1",)

    spec: FilterPolicySpec
