"""Which Python filter, in which configuration, and who runs it: the same wherever a document names one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from meshext_controlplane.model.base import Model
from meshext_controlplane.model.service_host import ServiceHost
from meshext_controlplane.model.values import Port


class SharedService(Model):
    """A service of the mesh that runs the filter for all workloads, as `meshext serve` does."""

    host: ServiceHost
    port: Port


def check_spec(text: str) -> str:
    """A filter's spec; ValueError where it can be none."""
    if not text.strip() or not text.isprintable() or text != text.strip():
        raise ValueError(f"{text[:60]!r} is no filter; write a name, module:Class or path/to/file.py:Class")
    return text


class FilterSource(Model):
    """A filter. Without `service` each sidecar runs it beside itself.

    `config` is what `--config` would be given; without `mode` it is what the filter's hooks ask for.
    """

    filter: Annotated[str, AfterValidator(check_spec)]
    mode: Literal["authz", "proc"] | None = None
    service: SharedService | None = None
    config: Annotated[Any, Field(repr=False)] = None
