"""Options of `meshext sidecar` for transparent sidecars: Istio's annotations, and some more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext.errors import ConfigError

if TYPE_CHECKING:
    from meshext.envoy.upstreams import TcpAddress
    from meshext_controlplane.agent.interception.settings import Interception

PANEL = "Transparent sidecars"
NO_DNS = 0


def _option(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, rich_help_panel=PANEL)


TransparentOption = Annotated[
    bool,
    typer.Option(
        "--transparent",
        help="Lead connections to Envoy by rules of the network (iptables); IPv6 is refused.",
        rich_help_panel=PANEL,
    ),
]
Inbound = Annotated[
    int,
    typer.Option(
        metavar="PORT",
        help="Where what comes from others is led to.",
        min=1,
        max=65535,
        rich_help_panel=PANEL,
    ),
]
DnsPort = Annotated[
    int,
    typer.Option(
        "--dns",
        metavar="PORT",
        help="Where questions to DNS over UDP are led to, which knows services; 0 leaves them alone.",
        min=0,
        max=65535,
        rich_help_panel=PANEL,
    ),
]
User = Annotated[
    str, _option("--user", "UID[:GID]", "Who the sidecar runs as, and nobody else: it is not intercepted.")
]
IncludeOutboundRanges = Annotated[
    str, _option("--include-outbound-ip-ranges", "CIDR,...", "Only connections to these; * is all.")
]
ExcludeOutboundRanges = Annotated[
    str, _option("--exclude-outbound-ip-ranges", "CIDR,...", "No connections to these.")
]
IncludeOutboundPorts = Annotated[
    str, _option("--include-outbound-ports", "PORT,...", "Also connections to these, whatever the range.")
]
ExcludeOutboundPorts = Annotated[
    str, _option("--exclude-outbound-ports", "PORT,...", "No connections to these.")
]
IncludeInboundPorts = Annotated[
    str, _option("--include-inbound-ports", "PORT,...", "Only these ports of the workload; * is all.")
]
ExcludeInboundPorts = Annotated[
    str, _option("--exclude-inbound-ports", "PORT,...", "Not these: open to everybody, without mTLS.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Print the rules, and change nothing.", rich_help_panel=PANEL),
]

SOURCE = "--transparent"
DEFAULTS: Mapping[str, object] = {
    "inbound": 15006,
    "dns": 15053,
    "user": "1337",
    "include_outbound_ip_ranges": "*",
    "exclude_outbound_ip_ranges": "",
    "include_outbound_ports": "",
    "exclude_outbound_ports": "",
    "include_inbound_ports": "*",
    "exclude_inbound_ports": "",
    "dry_run": False,
}


def read_interception(
    given: Mapping[str, Any], scraped: tuple[TcpAddress | None, ...]
) -> Interception | None:
    """What is asked for; None for an explicit sidecar. ConfigError lists all that is wrong.

    `scraped` is where Prometheus asks: it has no certificate, so those ports are left alone.
    """
    if not given["transparent"]:
        _check_unused(given)
        return None
    from meshext_controlplane.agent.interception.settings import Interception

    words = _read_words(given)
    own = {given["outbound"], given["inbound"]}
    problems = _check_ports(given, own | {given["dns"]}, words["without_inbound_ports"])
    if given["command"]:
        problems.append(
            "COMMAND: an application beside the sidecar would have its user, and not be intercepted;"
            " start it on its own, in the same network namespace"
        )
    if given["gateway"]:
        problems.append("--gateway: a gateway has no application to intercept; leave out one of both")
    if problems:
        raise ConfigError(problems, source=SOURCE)
    left_alone = {each.port for each in scraped if each is not None}
    words["without_inbound_ports"] = tuple(sorted({*words["without_inbound_ports"], *left_alone}))
    return Interception(
        outbound=given["outbound"], inbound=given["inbound"], dns=given["dns"] or None, **words
    )


def _read_words(given: Mapping[str, Any]) -> dict[str, Any]:
    from meshext_controlplane.agent.interception import settings

    problems: list[str] = []

    def read(parse: Any, name: str) -> Any:
        option = f"--{name.replace('_', '-')}"
        try:
            return parse(given[name], source=option)
        except ConfigError as error:
            problems.extend(f"{option}: {problem}" for problem in error.problems)
            return ()

    user = read(settings.parse_user, "user") or (settings.USER, settings.USER)
    words = {
        "user": user[0],
        "group": user[1],
        "outbound_ranges": read(settings.parse_ranges, "include_outbound_ip_ranges"),
        "without_outbound_ranges": read(settings.parse_ranges, "exclude_outbound_ip_ranges"),
        "outbound_ports": read(settings.parse_ports, "include_outbound_ports"),
        "without_outbound_ports": read(settings.parse_ports, "exclude_outbound_ports"),
        "inbound_ports": read(settings.parse_inbound_ports, "include_inbound_ports"),
        "without_inbound_ports": read(settings.parse_ports, "exclude_inbound_ports"),
    }
    if problems:
        raise ConfigError(problems, source=SOURCE)
    return words


def _check_ports(given: Mapping[str, Any], own: set[int], excluded: tuple[int, ...]) -> list[str]:
    problems = []
    if len(own) < 3:
        problems.append("--outbound, --inbound and --dns: give each a port of its own")
    problems += [
        f"--exclude-inbound-ports: {port} is Envoy's own, which nobody else may reach"
        for port in excluded
        if port in own
    ]
    if ":" in given["address"]:
        problems.append(f"--address: IPv6 is refused there, so peers can not use {given['address'][:60]}")
    return problems


def _check_unused(given: Mapping[str, Any]) -> None:
    """ConfigError where an option is given that only a transparent sidecar has."""
    used = [name for name, default in DEFAULTS.items() if given.get(name, default) != default]
    if used:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in used)
        raise ConfigError([f"{names}: only with --transparent"], source=SOURCE)
