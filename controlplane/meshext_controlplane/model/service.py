"""`Service`: Kubernetes' description of what is called by one name, as a plain document."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.values import Port


class ServicePort(Model):
    """One port of a service; `target_port` is a number or the name of a port of the workload."""

    name: Annotated[str, Field(max_length=63)] = ""
    port: Port
    target_port: Port | Annotated[str, Field(min_length=1, max_length=63)] | None = None
    protocol: Literal["TCP"] = "TCP"
    app_protocol: str = ""


class ServiceSpec(Model):
    """What the service is. Fields that only a Kubernetes cluster can give a meaning are refused."""

    ports: Annotated[tuple[ServicePort, ...], Field(max_length=1000)] = ()
    selector: dict[str, str] = Field(default={})
    type: Literal["ClusterIP", "ExternalName"] = "ClusterIP"
    external_name: str = ""
    cluster_ip: Annotated[str, Field(alias="clusterIP")] = ""
    session_affinity: Literal["None"] = "None"

    @model_validator(mode="after")
    def _check(self) -> ServiceSpec:
        names = [port.name for port in self.ports]
        numbers = [port.port for port in self.ports]
        if len(names) > 1 and ("" in names or len(set(names)) < len(names)):
            raise ValueError("ports: each of several ports needs a name of its own")
        if len(set(numbers)) < len(numbers):
            raise ValueError("ports: two have the same number; give each number once")
        if (self.type == "ExternalName") != bool(self.external_name):
            raise ValueError("externalName: goes with `type: ExternalName`, and that needs it")
        if self.type == "ExternalName" and self.selector:
            raise ValueError("selector: an ExternalName service has none; remove it")
        return self


class Service(MeshDocument):
    """The document; its host is `NAME.NAMESPACE.svc.cluster.local`."""

    KIND: ClassVar[str] = "Service"
    VERSIONS: ClassVar[tuple[str, ...]] = ("v1",)

    spec: ServiceSpec
    status: dict[str, Any] = Field(default={})
