"""From the words of `meshext sidecar` to its options: every mistake in one go."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from meshext.envoy.logs import LEVELS
from meshext.envoy.upstreams import TcpAddress, parse_address
from meshext.errors import ConfigError
from meshext.hosts.log_lines import FORMATTERS
from meshext_controlplane.agent.options import EnvoyOptions, Leaving, SidecarOptions
from meshext_controlplane.agent.ports import own_ports, parse_ports
from meshext_controlplane.agent.probes import Pace, Probe, default_probes, parse_probe
from meshext_controlplane.cli.interception_options import read_interception
from meshext_controlplane.cli.workload_api_options import read_workload_api
from meshext_controlplane.model.workload import Locality, WorkloadPort

T = TypeVar("T")
SOURCE = "meshext sidecar"
LOG_LEVELS = ("debug", "info", "warning", "error")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


class Reader:
    """Reads words one by one and keeps what is wrong with any of them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def read(self, parse: Callable[..., T], *words: Any, instead: Any, **more: Any) -> T:
        """What `parse` makes of the words; `instead` where it refuses them."""
        try:
            return parse(*words, **more)
        except ConfigError as error:
            self.problems += [f"{error.source}: {problem}" for problem in error.problems]
            return cast(T, instead)


def build_options(**given: Any) -> SidecarOptions:
    """The options; ConfigError lists all that is wrong."""
    reader = Reader()
    words = read_words(reader, given)
    if given["gateway"]:
        reader.problems += find_needless(given)
    data = given["data"] or default_data(words["name"], shared=given["transparent"])
    workload_api = reader.read(read_workload_api, given, data, instead=None)
    if given["grpc"]:
        reader.problems += find_without_envoy(given)
    if reader.problems:
        raise ConfigError(reader.problems, source=SOURCE)
    return SidecarOptions(
        **words,
        workload_api=workload_api,
        token=given["token"].strip(),
        outbound=given["outbound"],
        gateway=given["gateway"],
        grpc=given["grpc"],
        weight=given["weight"],
        pace=Pace(
            period=given["probe_period"],
            time_limit=given["probe_timeout"],
            failures=given["probe_failures"],
        ),
        data=data,
        certificates=given["write_certs"],
        command=tuple(given["command"] or ()),
        leaving=Leaving(delay=given["drain_delay"], drain=given["drain"], grace=given["grace"]),
    )


def complete(options: SidecarOptions) -> SidecarOptions:
    """The options of a transparent sidecar with its own address, which is IPv4: the rest is refused there."""
    if options.address:
        return options
    address = parse_own_address("", options.control_plane, family=socket.AF_INET)
    return replace(options, address=address)


def read_words(reader: Reader, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that have a form of their own, by their names in SidecarOptions."""
    read, nowhere = reader.read, TcpAddress("localhost", 1)
    control_plane = read(parse_control_plane, given["control_plane"], instead=nowhere)
    transparent = given["transparent"]
    inbound = given["inbound"] if transparent else None
    # Rules of another life would lead our question for a name astray: until we are the sidecar's user.
    later = transparent and not given["address"]
    address = "" if later else read(parse_own_address, given["address"], control_plane, instead="")
    if given["grpc"]:
        ports = read(own_ports, given["port"] or [], address, instead=())
    else:
        ports = read(
            parse_ports, given["port"] or [], outbound=given["outbound"], inbound=inbound, instead=()
        )
    stats, metrics = (
        read(parse_scraped, given[each], f"--{each}", instead=None) for each in ("stats", "metrics")
    )
    asked = given["probe"] if ports or not given["port"] else None  # what is wrong is said once
    return {
        "control_plane": control_plane,
        "join": read(parse_join, given["join"], control_plane, instead=nowhere),
        "name": read(parse_name, given["name"], instead=""),
        "address": address,
        "ports": ports,
        "labels": read(parse_labels, given["label"] or [], instead={}),
        "locality": read(parse_locality, given["locality"], instead=Locality()),
        "probes": read(parse_probes, asked or [], ports, instead=()),
        "metrics": metrics,
        "envoy": EnvoyOptions(
            concurrency=given["concurrency"] or None,
            log_level=read(parse_envoy_level, given["envoy_log_level"], instead="warning"),
            sotw=given["sotw"],
            stats=stats,
        ),
        "interception": read(read_interception, given, (stats, metrics), instead=None),
    }


def find_needless(given: Mapping[str, Any]) -> list[str]:
    """What says something about an application, which a gateway does not have."""
    told = {
        "--port": "its ports are those of Gateway documents",
        "--probe": "there is nothing to ask",
        "COMMAND": "it runs no application",
    }
    return tell_misfits(given, "--gateway", told)


def find_without_envoy(given: Mapping[str, Any]) -> list[str]:
    """What says something about an Envoy, which is not there with --grpc."""
    told = {
        "--gateway": "a gateway is an Envoy",
        "--transparent": "rules would lead connections to an Envoy",
        "--stats": "there is no Envoy to ask",
    }
    return tell_misfits(given, "--grpc", told)


def tell_misfits(given: Mapping[str, Any], kind: str, told: Mapping[str, str]) -> list[str]:
    """Of the options that do not go with this kind of sidecar, those that were given."""
    return [
        f"{option}: does not go with {kind}, as {why}; leave it out"
        for option, why in told.items()
        if given[option.removeprefix("--").replace("-", "_").lower()]
    ]


def check_logging(level: str, form: str) -> None:
    """ConfigError where one of these says nothing."""
    choices = {"--log-level": (level, LOG_LEVELS), "--log-format": (form, tuple(FORMATTERS))}
    problems = [
        f"{option}: {given[:40]!r} is none of {', '.join(known)}"
        for option, (given, known) in choices.items()
        if given not in known
    ]
    if problems:
        raise ConfigError(problems, source=SOURCE)


def parse_control_plane(text: str) -> TcpAddress:
    """`HOST:PORT`."""
    return _parse_tcp(text, "--control-plane")


def parse_join(text: str, control_plane: TcpAddress) -> TcpAddress:
    """`HOST:PORT`; the port after the control plane's where nothing is said."""
    if text:
        return _parse_tcp(text, "--join")
    return TcpAddress(control_plane.host, min(control_plane.port + 1, 65_535))


def parse_scraped(text: str, option: str) -> TcpAddress | None:
    """`IP:PORT`; None where nothing is said."""
    if not text:
        return None
    address = _parse_tcp(text, option)
    if not address.is_ip:
        raise ConfigError([f"{text[:80]!r}: write an IP address of this machine"], source=option)
    return address


def parse_name(text: str) -> str:
    """A workload's name: of a label of DNS, by default the host's."""
    name = text or re.sub(r"[^a-z0-9.-]", "-", socket.gethostname().lower())
    if not _NAME.fullmatch(name):
        raise ConfigError(
            [f"{name[:80]!r} is no name; write lower-case letters, digits and `-`, at most 63"],
            source="--name",
        )
    return name


def parse_own_address(
    text: str, control_plane: TcpAddress, *, family: socket.AddressFamily = socket.AF_UNSPEC
) -> str:
    """An IP address; by default the one, of that family, that packets to the control plane leave from."""
    if text:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise ConfigError([f"{text[:80]!r} is no IP address"], source="--address") from None
    try:
        found = socket.getaddrinfo(control_plane.host, control_plane.port, family, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, target = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(target)  # sends nothing over UDP, but chooses our address
            return str(probe.getsockname()[0])
    except OSError as error:
        raise ConfigError(
            [f"can not tell our address by the way to {control_plane} ({error.strerror}); give it"],
            source="--address",
        ) from None


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE`, each name once."""
    labels: dict[str, str] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            problems.append(f"{text[:80]!r}: write NAME=VALUE")
        elif name in labels:
            problems.append(f"{name[:80]!r} is given more than once")
        labels[name] = value
    if problems:
        raise ConfigError(problems, source="--label")
    return labels


def parse_locality(text: str) -> Locality:
    """`REGION[/ZONE[/SUBZONE]]`."""
    parts = text.split("/") if text else []
    if len(parts) > 3 or not all(parts):
        raise ConfigError(
            [f"{text[:80]!r}: write REGION, REGION/ZONE or REGION/ZONE/SUBZONE"], source="--locality"
        )
    return Locality(*parts)


def parse_probes(texts: Sequence[str], ports: Sequence[WorkloadPort]) -> tuple[Probe, ...]:
    """Each probe; without any, a connection to each port."""
    return tuple(parse_probe(text, ports) for text in texts) or default_probes(ports)


def parse_envoy_level(text: str) -> str:
    """One of Envoy's log levels."""
    if text not in LEVELS:
        raise ConfigError([f"{text[:80]!r} is none of {', '.join(LEVELS)}"], source="--envoy-log-level")
    return text


def default_data(name: str, *, shared: bool = False) -> Path:
    """Where a sidecar of that name keeps its files: `$XDG_STATE_HOME`, else `~/.local/state`.

    With `shared` a place that does not belong to whoever starts it: the sidecar goes on as somebody else.
    """
    if shared:
        return Path("/var/lib/meshext/sidecars") / name
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "meshext" / "sidecars" / name


def _parse_tcp(text: str, source: str) -> TcpAddress:
    address = parse_address(text, source=source)
    if not isinstance(address, TcpAddress):
        raise ConfigError([f"{text[:80]!r} is no HOST:PORT"], source=source)
    return address
