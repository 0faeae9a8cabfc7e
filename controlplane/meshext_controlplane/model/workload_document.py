"""`Workload`: a program that `meshext up` starts with a sidecar of its own.

apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  serviceAccount: web
  command: [python3, web.py]
  ports: [{port: 8080, protocol: http}]
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model, Name
from meshext_controlplane.model.values import Duration, Port

MOST_REPLICAS = 1000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")  # RFC 6335 section 5.1


def check_variable(name: str) -> str:
    """The name of an environment variable; ValueError if it is none."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no environment variable; write letters, digits and _")
    return name


def check_value(value: str) -> str:
    """The value of an environment variable; ValueError where it has a NUL."""
    if "\0" in value:
        raise ValueError("a variable's value has a NUL character; leave it out")
    return value


def check_port_name(name: str) -> str:
    """The name of a port; ValueError if it is none."""
    if name and not _PORT_NAME.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no name of a port; write up to 15 lower case letters, digits, -")
    return name


class PortSpec(Model):
    """A port that peers call; a Service's `targetPort` may name it.

    The application listens on a Unix socket, which nobody but its sidecar reaches. One that can only do TCP
    says `applicationPort`: where it listens on the workload's own address.
    """

    port: Port
    name: Annotated[str, AfterValidator(check_port_name)] = ""
    protocol: Literal["http", "http2", "grpc", "tls", "tcp"] = "tcp"
    application_port: Port | None = None


class HttpProbe(Model):
    """Ready is who answers GET of this path with 200 to 399."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    port: Port | None = None


class TcpProbe(Model):
    """Ready is who accepts a connection."""

    port: Port | None = None


class Readiness(Model):
    """When a workload takes requests. Without a port it is the first that the workload has."""

    http_get: HttpProbe | None = None
    tcp_socket: TcpProbe | None = None
    period: Duration | None = None
    timeout: Duration | None = None
    failures: Annotated[int, Field(ge=1, le=100)] = 3

    @model_validator(mode="after")
    def _one_probe(self) -> Self:
        if (self.http_get is None) == (self.tcp_socket is None):
            raise ValueError("a probe is of one kind; write httpGet: {path: /} or tcpSocket: {}")
        return self


class WorkloadSpec(Model):
    """The fields. `command` is run as it is, without a shell, in the folder of the document's file.

    A `gateway` has no command: its sidecar's Envoy is all of it. `ports` are then those that its Gateway
    documents need, so that they are free at its address.
    """

    service_account: Name = "default"
    gateway: bool = False
    command: tuple[Annotated[str, AfterValidator(check_value)], ...] = ()
    ports: Annotated[tuple[PortSpec, ...], Field(max_length=100)] = ()
    env: dict[Annotated[str, AfterValidator(check_variable)], Annotated[str, AfterValidator(check_value)]] = (
        Field(default_factory=dict, repr=False)
    )
    replicas: Annotated[int, Field(ge=0, le=MOST_REPLICAS)] = 1
    readiness: Readiness | None = None

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        numbers = [each.port for each in self.ports]
        numbers += [each.application_port for each in self.ports if each.application_port]
        names = [each.name for each in self.ports if each.name]
        if len(set(numbers)) < len(numbers) or len(set(names)) < len(names):
            raise ValueError("ports: two have the same number or name; give each its own")
        if self.command and not self.command[0]:
            raise ValueError("command: the program is empty; write for example [python3, web.py]")
        return self

    @model_validator(mode="after")
    def _runs_something(self) -> Self:
        if not self.gateway:
            if not self.command:
                raise ValueError("there is no command; write for example command: [python3, web.py]")
            return self
        of_applications = {"command": self.command, "readiness": self.readiness, "env": self.env}
        for field, value in of_applications.items():
            if value:
                raise ValueError(f"{field}: a gateway has no application; remove it")
        if any(port.application_port for port in self.ports):
            raise ValueError("ports: a gateway has no application; remove applicationPort")
        return self

    @model_validator(mode="after")
    def _probed_port_is_there(self) -> Self:
        probe = self.readiness and (self.readiness.http_get or self.readiness.tcp_socket)
        if probe:
            numbers = [each.port for each in self.ports]
            if probe.port is not None and probe.port not in numbers:
                raise ValueError(f"readiness: no port {probe.port} in ports; add it there")
            if probe.port is None and not numbers:
                raise ValueError("readiness: there is no port to ask; write ports: [{port: 8080}]")
        return self


class WorkloadDocument(MeshDocument):
    """The document; `metadata.labels` are those that selectors see."""

    KIND: ClassVar[str] = "Workload"
    VERSIONS: ClassVar[tuple[str, ...]] = ("meshext.dev/v1",)

    spec: WorkloadSpec
