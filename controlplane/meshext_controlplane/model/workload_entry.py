"""`WorkloadEntry`: an endpoint that does not register itself (Istio's, v1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.values import Port, check_host

UNIX = "unix://"
TLS_LABEL = "security.istio.io/tlsMode"
"""The label that says that a sidecar takes mTLS at an endpoint; `istio` in Istio's documents."""


def check_address(address: str) -> str:
    """An IP address, a host name or `unix://` and an absolute path; ValueError for anything else."""
    if address.startswith(UNIX):
        if not address.startswith(f"{UNIX}/") or len(address) > len(UNIX) + 107:
            raise ValueError("a Unix socket is unix:// and an absolute path of at most 107 characters")
        return address
    try:
        ipaddress.ip_address(address)
    except ValueError:
        if "*" in address:
            raise ValueError("an endpoint has one address; write it without `*`") from None
        return check_host(address)
    return address


def _check_locality(locality: str) -> str:
    if locality.count("/") > 2:
        raise ValueError("a locality has three levels at most; write region/zone/subzone")
    return locality


class WorkloadEntrySpec(Model):
    """The fields. `ports` are by the name of a service's port, and come before its `targetPort`."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({"network": "all endpoints are in one network"})

    address: Annotated[str, AfterValidator(check_address)]
    ports: dict[str, Port] = Field(default={})
    labels: dict[str, str] = Field(default={})
    locality: Annotated[str, AfterValidator(_check_locality)] = ""
    weight: Annotated[int, Field(ge=1, le=2**16)] = 1
    service_account: str = ""

    @model_validator(mode="after")
    def _no_ports_of_a_socket(self) -> Self:
        if self.address.startswith(UNIX) and self.ports:
            raise ValueError("ports: a Unix socket has none; remove them")
        return self


class WorkloadEntry(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "WorkloadEntry"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: WorkloadEntrySpec
