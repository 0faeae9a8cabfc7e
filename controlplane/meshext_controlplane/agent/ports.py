"""Ports of a workload as they are written: `NUMBER[:NAME][/PROTOCOL]=ADDRESS`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from meshext.envoy.upstreams import parse_address
from meshext.errors import ConfigError
from meshext_controlplane.model.workload import WorkloadPort

PROTOCOLS = ("http", "http2", "grpc", "tls", "tcp")
SOURCE = "--port"

_PORT = re.compile(
    r"(?P<number>[0-9]{1,5})(:(?P<name>[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?))?(/(?P<protocol>\w+))?"
)
_FORM = "write NUMBER[:NAME][/PROTOCOL]=ADDRESS, as in '8080:http=127.0.0.1:9000' or '8080=unix:/run/app'"


def parse_port(text: str, *, own: bool = False) -> WorkloadPort:
    """One port; ConfigError in one line otherwise.

    Without a protocol it is the name's beginning, as in Kubernetes (`http-api` is http), else tcp. With `own`
    the application has the port itself, so that nothing needs to be said about its address.
    """
    front, equals, application = text.partition("=")
    found = _PORT.fullmatch(front)
    if found is None or not (equals or own):
        raise _error(text, _FORM)
    application = application if equals else f"127.0.0.1:{found['number']}"
    number = int(found["number"])
    if not 1 <= number <= 65_535:
        raise _error(text, f"{number} is no port; a port is a number from 1 to 65535")
    protocol = found["protocol"] or _protocol_of(found["name"] or "")
    if protocol not in PROTOCOLS:
        raise _error(text, f"{protocol!r} is no protocol; it is one of {', '.join(PROTOCOLS)}")
    try:
        address = parse_address(application)
    except ConfigError as error:
        raise _error(text, error.problems[0]) from None
    return WorkloadPort(number=number, name=found["name"] or "", protocol=protocol, application=str(address))


def own_ports(texts: Sequence[str], address: str) -> tuple[WorkloadPort, ...]:
    """Ports of an application without an Envoy: it listens where peers connect, and speaks gRPC there."""
    host = f"[{address}]" if ":" in address else address
    problems = [
        f"{text[:100]!r}: without an Envoy the port is the application's own; leave out `=` and the rest"
        for text in texts
        if "=" in text
    ]
    ports = [] if problems else [parse_port(text, own=True) for text in texts]
    problems += [
        f"port {each.number} is {each.protocol}; without an Envoy it speaks gRPC: write {each.number}:grpc"
        for each in ports
        if each.protocol != "grpc"
    ]
    problems += _repeated("port", [port.number for port in ports])
    problems += _repeated("name", [port.name for port in ports if port.name])
    if problems:
        raise ConfigError(problems, source=SOURCE)
    return tuple(replace(each, application=f"{host}:{each.number}") for each in ports)


def parse_ports(
    texts: Sequence[str], *, outbound: int, inbound: int | None = None
) -> tuple[WorkloadPort, ...]:
    """All ports; ConfigError lists what is wrong in any, and numbers or names that are there twice.

    `inbound` is the port that rules lead connections to, if they do: then applications have their own ports.
    """
    problems: list[str] = []
    ports: list[WorkloadPort] = []
    for text in texts:
        try:
            ports.append(parse_port(text, own=inbound is not None))
        except ConfigError as error:
            problems += error.problems
    problems += _repeated("port", [port.number for port in ports])
    problems += _repeated("name", [port.name for port in ports if port.name])
    if outbound in {port.number for port in ports}:
        problems.append(f"port {outbound} is where the application finds its proxy; give another --outbound")
    if inbound in {port.number for port in ports}:
        problems.append(f"port {inbound} is where connections are led to; give another --inbound")
    if problems:
        raise ConfigError(problems, source=SOURCE)
    return tuple(ports)


def _repeated(what: str, values: Sequence[int | str]) -> list[str]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    return [f"{what} {value} is given more than once" for value in twice]


def _protocol_of(name: str) -> str:
    first = name.partition("-")[0]
    return first if first in PROTOCOLS else "tcp"


def _error(text: str, problem: str) -> ConfigError:
    return ConfigError([f"{text[:100]!r}: {problem}"], source=SOURCE)
