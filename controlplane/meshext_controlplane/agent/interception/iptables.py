"""The rules of a transparent sidecar, as text for `iptables-restore --noflush` (iptables(8)). Pure.

They stand in the network namespace that sidecar and application share, in chains of their own, so that the
rules of others there (such as those of docker's DNS) stay. A restore changes a table at once or not at all,
and can be done again at any time. Nothing depends on Envoy being there: where it is not, a connection that is
led to it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshext_controlplane.agent.interception.settings import Interception
from meshext_controlplane.translate.virtual_addresses import RANGE
from meshext_controlplane.translate.virtual_inbound import SOURCE

INBOUND, OUTPUT, INPUT = "MESHEXT_INBOUND", "MESHEXT_OUTPUT", "MESHEXT_INPUT"
TO_APPLICATION = SOURCE
"""Connections from this address are Envoy's to its own application."""

DNS = 53


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the rules of our chains, and from which chains of the kernel they are reached."""

    name: str
    chains: tuple[tuple[str, tuple[str, ...]], ...]
    jumps: tuple[tuple[str, str], ...]


def build_nat(settings: Interception) -> Table:
    """What is led to Envoy (IPv4, TCP, and DNS over UDP)."""
    return Table(
        "nat",
        ((INBOUND, tuple(_inbound(settings))), (OUTPUT, tuple(_outbound(settings)))),
        (("PREROUTING", INBOUND), ("OUTPUT", OUTPUT)),
    )


def build_filter() -> Table:
    """Addresses that stand for services are Envoy's to answer for, and nobody's to call (IPv4).

    What is led to Envoy has another address by then. Envoy itself would only meet its own doors there: it is
    asked to pass on a call to a port that the service does not have.
    """
    rules = (f"-d {RANGE} -p tcp -j REJECT --reject-with tcp-reset", f"-d {RANGE} -j REJECT")
    return Table("filter", ((OUTPUT, rules),), (("OUTPUT", OUTPUT),))


def build_ipv6(settings: Interception) -> Table:
    """IPv6 of everybody but the sidecar is refused: nobody goes round Envoy by the other protocol."""
    incoming = (
        "-i lo -j RETURN",
        "-p ipv6-icmp -j RETURN",
        "-m conntrack --ctstate ESTABLISHED -j RETURN",
        "-p tcp -j REJECT --reject-with tcp-reset",
        "-j REJECT",
    )
    outgoing = (
        "-o lo -j RETURN",
        "-p ipv6-icmp -j RETURN",
        f"-m owner --uid-owner {settings.user} -j RETURN",
        # What refuses a connection is nobody's, and has to get out.
        "-p tcp -m tcp --tcp-flags RST RST -j RETURN",
        "-p tcp -j REJECT --reject-with tcp-reset",
        "-j REJECT",
    )
    return Table("filter", ((INPUT, incoming), (OUTPUT, outgoing)), (("INPUT", INPUT), ("OUTPUT", OUTPUT)))


def emit_restore(table: Table, saved: str = "") -> str:
    """The text for `iptables-restore --noflush`; `saved` is what `iptables-save -t TABLE` says at present.

    Our chains are written anew, and reached once and before all others, also where they are there already.
    """
    lines = [f"*{table.name}", *(f":{chain} - [0:0]" for chain, _ in table.chains)]
    there = saved.splitlines()
    for chain, target in table.jumps:
        lines += [f"-D {chain} -j {target}"] * there.count(f"-A {chain} -j {target}")
        lines.append(f"-I {chain} 1 -j {target}")
    lines += [f"-A {chain} {rule}" for chain, rules in table.chains for rule in rules]
    return "\n".join([*lines, "COMMIT", ""])


def _inbound(settings: Interception) -> Iterator[str]:
    yield from _return_ports(settings.without_inbound_ports)
    if settings.inbound_ports is None:
        yield f"-p tcp -j REDIRECT --to-ports {settings.inbound}"
    else:
        yield from _redirect_ports(settings.inbound_ports, settings.inbound)


def _outbound(settings: Interception) -> Iterator[str]:
    sidecar, to_envoy = f"-m owner --uid-owner {settings.user}", f"-j REDIRECT --to-ports {settings.outbound}"
    # Envoy to its own application.
    yield f"-s {TO_APPLICATION}/32 -o lo -j RETURN"
    yield f"-d {RANGE} {sidecar} -j RETURN"
    # Envoy to an endpoint that turns out to be itself: what peers meet there, it meets too.
    yield f"! -d 127.0.0.0/8 -o lo -p tcp {sidecar} -j {INBOUND}"
    yield f"{sidecar} -j RETURN"
    if settings.dns is not None:
        # Resolvers are often on this machine, so this comes before what stays here.
        yield f"-p udp -m udp --dport {DNS} -j REDIRECT --to-ports {settings.dns}"
    yield f"-d {RANGE} -p tcp {to_envoy}"
    yield "-o lo -j RETURN"
    yield from _return_ports(settings.without_outbound_ports)
    yield from _redirect_ports(settings.outbound_ports, settings.outbound)
    yield from (f"-d {each} -j RETURN" for each in settings.without_outbound_ranges)
    yield from (f"-d {each} -p tcp {to_envoy}" for each in settings.outbound_ranges)


def _return_ports(ports: Sequence[int]) -> Iterator[str]:
    return (f"-p tcp -m tcp --dport {port} -j RETURN" for port in ports)


def _redirect_ports(ports: Sequence[int], to: int) -> Iterator[str]:
    return (f"-p tcp -m tcp --dport {port} -j REDIRECT --to-ports {to}" for port in ports)
