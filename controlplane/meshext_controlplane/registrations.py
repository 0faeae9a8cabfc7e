"""What a workload says of itself, checked: `meshext.workloads.Registration` to `Workload`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from meshext.errors import MeshextError
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality, State, Workload, WorkloadPort
from meshext_proto.meshext import workloads_pb2

PROTOCOLS = ("http", "http2", "grpc", "tls", "tcp")
MOST_LABELS = 64
MOST_PORTS = 64
MOST_WEIGHT = 10_000
MOST_FILTERS = 256
LONGEST_FILTER = 400  # characters: `filter|NAMESPACE|NAME`

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")  # RFC 1123
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")  # Kubernetes' label values
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_APPLICATION = re.compile(
    r"unix:/[^\x00-\x1f\x7f]{1,107}|(\[[0-9a-f:.]+\]|[0-9A-Za-z.-]{1,253}):([0-9]{1,5})"
)
_LOCALITY = re.compile(r"[A-Za-z0-9._-]{0,63}")


class RegistrationError(MeshextError, ValueError):
    """A registration has a part that means nothing; the text names it."""


def parse_registration(message: workloads_pb2.Registration, identity: SpiffeId) -> Workload:
    """The workload of a registration; RegistrationError names the first part that is not legal."""
    return Workload(
        name=_matching("name", message.name, _NAME),
        identity=identity,
        address=_address(message.address),
        labels=_labels(message.labels),
        ports=_ports(message.ports),
        state=_state(message.state),
        locality=_locality(message.locality),
        weight=_between("weight", message.weight or 1, 1, MOST_WEIGHT),
        gateway=message.gateway,
        serving=_serving(message.beside.serving) if message.HasField("beside") else None,
    )


def to_registration(workload: Workload) -> workloads_pb2.Registration:
    """The message that says the same; what a state store keeps."""
    place = workload.locality
    message = workloads_pb2.Registration(
        name=workload.name,
        labels=dict(workload.labels),
        address=workload.address,
        ports=[
            workloads_pb2.Registration.Port(
                number=port.number, name=port.name, protocol=port.protocol, application=port.application
            )
            for port in workload.ports
        ],
        state=workloads_pb2.Registration.State.Name(workload.state.value),
        locality=workloads_pb2.Locality(region=place.region, zone=place.zone, sub_zone=place.sub_zone),
        weight=workload.weight,
        gateway=workload.gateway,
    )
    if workload.serving is not None:
        message.beside.serving.extend(sorted(workload.serving))
        message.beside.SetInParent()
    return message


def _matching(what: str, value: str, legal: re.Pattern[str]) -> str:
    if not legal.fullmatch(value):
        raise RegistrationError(f"{what} {value[:80]!r} is not legal; it is like {_EXAMPLES[what]}")
    return value


_EXAMPLES = {
    "name": "checkout-1",
    "label": "app",
    "label value": "checkout",
    "port name": "http",
    "application": "unix:/run/checkout.sock or 127.0.0.1:8080",
    "locality": "eu-west-1",
}


def _between(what: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise RegistrationError(f"{what} {value} is not between {least} and {most}")
    return value


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise RegistrationError(f"address {text[:80]!r} is no IP address; it is like 127.1.0.2") from None
    if address.is_unspecified or address.is_multicast:
        raise RegistrationError(f"address {text} reaches nobody; it is like 127.1.0.2")
    return str(address)


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    _between("number of labels", len(labels), 0, MOST_LABELS)
    for key, value in labels.items():
        _matching("label", key, _LABEL_KEY)
        _matching("label value", value, _LABEL_VALUE)
    return MappingProxyType(dict(sorted(labels.items())))


def _ports(ports: Iterable[workloads_pb2.Registration.Port]) -> tuple[WorkloadPort, ...]:
    made = tuple(sorted(map(_port, ports), key=lambda port: port.number))
    _between("number of ports", len(made), 0, MOST_PORTS)
    for what, values in (
        ("number", [str(port.number) for port in made]),
        ("name", [port.name for port in made if port.name]),
    ):
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise RegistrationError(f"two ports have the {what} {twice}; each needs one of its own")
    return made


def _port(port: workloads_pb2.Registration.Port) -> WorkloadPort:
    if port.protocol and port.protocol not in PROTOCOLS:
        raise RegistrationError(f"protocol {port.protocol[:40]!r} is not one of {', '.join(PROTOCOLS)}")
    application = _matching("application", port.application, _APPLICATION)
    if not application.startswith("unix:"):
        _between("application's port", int(application.rpartition(":")[2]), 1, 65535)
    return WorkloadPort(
        number=_between("port", port.number, 1, 65535),
        name=_matching("port name", port.name, _PORT_NAME) if port.name else "",
        protocol=port.protocol or "tcp",
        application=application,
    )


def _serving(names: Iterable[str]) -> frozenset[str]:
    found = frozenset(names)
    _between("number of filters", len(found), 0, MOST_FILTERS)
    if longest := next((name for name in found if len(name) > LONGEST_FILTER), None):
        raise RegistrationError(f"filter {longest[:80]!r} is longer than {LONGEST_FILTER} characters")
    return found


def _state(value: int) -> State:
    try:
        return State(value)
    except ValueError:
        raise RegistrationError(f"state {value} is none of UNREADY, READY, DRAINING") from None


def _locality(place: workloads_pb2.Locality) -> Locality:
    parts = (place.region, place.zone, place.sub_zone)
    return Locality(*(_matching("locality", part, _LOCALITY) for part in parts))
