"""Options of `meshext sidecar` for transparent sidecars: Istio's annotations, and some more."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from meshext.errors import ConfigError

if TYPE_CHECKING:
    from meshext.envoy.upstreams import TcpAddress
    from meshext_controlplane.agent.interception.settings import Interception

PANEL = "Transparent sidecars"
SOURCE = "--transparent"
_PORT = {"metavar": "PORT", "max": 65535}
_PORTS = {"metavar": "PORT,..."}
_RANGES = {"metavar": "CIDR,..."}

_ROWS: tuple[tuple[str, type, object, dict[str, Any], str], ...] = (
    (
        "transparent",
        bool,
        False,
        {},
        "Lead connections to Envoy by rules of the network (iptables); IPv6 is refused.",
    ),
    ("inbound", int, 15006, {**_PORT, "min": 1}, "Where what comes from others is led to."),
    (
        "dns",
        int,
        15053,
        {**_PORT, "min": 0},
        "Where questions to DNS over UDP are led to: it knows services. 0 leaves them alone.",
    ),
    (
        "user",
        str,
        "1337",
        {"metavar": "UID[:GID]"},
        "Who the sidecar runs as, and nobody else: this user is not intercepted.",
    ),
    ("include_outbound_ip_ranges", str, "*", _RANGES, "Only connections to these; * is all."),
    ("exclude_outbound_ip_ranges", str, "", _RANGES, "No connections to these."),
    ("include_outbound_ports", str, "", _PORTS, "Connections to these too, whatever the range."),
    ("exclude_outbound_ports", str, "", _PORTS, "No connections to these."),
    ("include_inbound_ports", str, "*", _PORTS, "Only these ports of the workload; * is all."),
    ("exclude_inbound_ports", str, "", _PORTS, "Not these: open to everybody, without mTLS."),
    ("dry_run", bool, False, {}, "Print the rules, and change nothing."),
)
"""Name, type, default, what typer is told, help."""

DEFAULTS: Mapping[str, object] = {name: default for name, _, default, _, _ in _ROWS[1:]}
"""Of those that mean something only beside --transparent."""

Verb = TypeVar("Verb", bound=Callable[..., None])


def _list_parameters() -> Iterator[inspect.Parameter]:
    for name, kind, default, more, text in _ROWS:
        flag = f"--{name.replace('_', '-')}"
        option = typer.Option(flag, help=text, rich_help_panel=PANEL, **more)
        annotation = Annotated[kind, option]  # type: ignore[valid-type]  # one for each row
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


OPTIONS = tuple(_list_parameters())
"""The options as parameters of a verb."""


def also_taking(options: tuple[inspect.Parameter, ...]) -> Callable[[Verb], Verb]:
    """A decorator: typer sees these options in place of the verb's `**` parameter, which gets them."""

    def extend(verb: Verb) -> Verb:
        signature = inspect.signature(verb, eval_str=True)  # typer evaluates no text in what we give it
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        extended = signature.replace(parameters=[*own, *options])
        setattr(verb, "__signature__", extended)  # noqa: B010 (a function's type does not have it)
        return verb

    return extend


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
