"""`Sidecar`: what a sidecar's application may call (Istio's, v1): the less it sees, the less it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model, check_namespace
from meshext_controlplane.model.mesh_config import OutboundTrafficPolicy
from meshext_controlplane.model.selector import Labels
from meshext_controlplane.model.values import check_host

NOBODY = "~"
"""In the place of a namespace: none at all."""


def check_egress_host(text: str) -> str:
    """`NAMESPACE/HOST`; ValueError says which part is wrong."""
    namespace, slash, host = text.partition("/")
    if not slash:
        raise ValueError(
            f"{text[:80]!r} has no namespace; write */{text[:60]}, or ./{text[:60]} for this one"
        )
    if namespace == NOBODY and host != "*":
        raise ValueError(f"{text[:80]!r}: leaving hosts out is not supported yet; write those that are seen")
    if namespace not in (".", "*", NOBODY):
        check_namespace(namespace)
    check_host(host)
    return text


_EXPLICIT = "a sidecar's listeners are at its own address; leave it out"


class Egress(Model):
    """Hosts that are seen."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(("port", "bind", "captureMode"), _EXPLICIT)
    )

    hosts: Annotated[tuple[Annotated[str, AfterValidator(check_egress_host)], ...], Field(min_length=1)]


class WorkloadSelector(Model):
    """Workloads of the namespace that have all of these labels."""

    labels: Annotated[Labels, Field(min_length=1)]


class SidecarSpec(Model):
    """The fields. Without `egress` everything is seen, as without a Sidecar."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "ingress": "say ports with `meshext sidecar --port`",
            "inboundConnectionPool": "",
        }
    )

    workload_selector: WorkloadSelector | None = None
    egress: Annotated[tuple[Egress, ...], Field(max_length=1000)] = ()
    outbound_traffic_policy: OutboundTrafficPolicy | None = None

    @model_validator(mode="after")
    def _nobody_stands_alone(self) -> Self:
        hosts = [host for egress in self.egress for host in egress.hosts]
        if len(hosts) > 1 and f"{NOBODY}/*" in hosts:
            raise ValueError("egress: ~/* is for no hosts at all and stands alone; remove it, or the others")
        return self


class Sidecar(MeshDocument):
    """The document; one in the root namespace without a selector is for everybody who has none."""

    KIND: ClassVar[str] = "Sidecar"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: SidecarSpec
