"""The rules of a transparent sidecar: as text, and what becomes of packets that meet them."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import ConfigError
from meshext_controlplane.agent.interception import settings as reading
from meshext_controlplane.agent.interception.applying import InterceptionError, intercept, show_rules
from meshext_controlplane.agent.interception.iptables import (
    INBOUND,
    OUTPUT,
    build_filter,
    build_ipv6,
    build_nat,
    emit_restore,
)
from meshext_controlplane.agent.interception.settings import Interception
from meshext_controlplane.translate.virtual_addresses import RANGE

NETWORKS = [ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32")]
OTHERS = Interception(
    outbound=16001,
    inbound=16006,
    dns=None,
    user=2000,
    group=2001,
    outbound_ranges=(NETWORKS[0],),
    without_outbound_ranges=(NETWORKS[1],),
    outbound_ports=(8443,),
    without_outbound_ports=(22, 25),
    inbound_ports=(8080, 9000),
    without_inbound_ports=(9901,),
)


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection, as a chain sees it."""

    to: str
    port: int
    out: str = "eth0"
    protocol: str = "tcp"
    user: int = 1000
    source: str = "172.18.0.5"


def decide(chains: Mapping[str, Sequence[str]], name: str, packet: Packet) -> str:
    """Where a chain sends a packet: a port, a word, or "" where it is left alone."""
    for rule in chains[name]:
        words = shlex.split(rule)
        target, options = words[words.index("-j") + 1], words[: words.index("-j")]
        if not matches(options, packet):
            continue
        if target == "RETURN":
            return ""
        if target == "REDIRECT":
            return words[-1]
        if target == "REJECT":
            return target
        if found := decide(chains, target, packet):
            return found
    return ""


def matches(options: list[str], packet: Packet) -> bool:
    """Whether the options of a rule are about a packet. Of connections' states it is a new one."""
    negated = False
    words = iter(options)
    for word in words:
        if word == "!":
            negated = True
            continue
        value = next(words)
        if word == "--tcp-flags":
            return next(words) == "SYN"
        tests: dict[str, Callable[[str], bool]] = {
            "-m": lambda value: True,
            "-i": lambda value: value == packet.out,
            "-o": lambda value: value == packet.out,
            "-p": lambda value: value == packet.protocol,
            "-s": lambda value: ipaddress.ip_address(packet.source) in ipaddress.ip_network(value),
            "-d": lambda value: ipaddress.ip_address(packet.to) in ipaddress.ip_network(value),
            "--dport": lambda value: int(value) == packet.port,
            "--uid-owner": lambda value: int(value) == packet.user,
            "--ctstate": lambda value: value == "NEW",
        }
        if tests[word](value) is negated:
            return False
        negated = False
    return True


def outbound(settings: Interception, packet: Packet) -> str:
    return decide(dict(build_nat(settings).chains), OUTPUT, packet)


def inbound(settings: Interception, port: int) -> str:
    return decide(dict(build_nat(settings).chains), INBOUND, Packet("172.18.0.5", port))


@pytest.mark.parametrize(("name", "settings"), [("default", Interception()), ("others", OTHERS)])
def test_rules(name: str, settings: Interception, golden: Callable[[str, str], None]) -> None:
    golden(show_rules(settings), f"{name}.rules")


def test_rules_that_are_there_are_replaced_and_those_of_others_stay() -> None:
    saved = (
        "*nat\n:MESHEXT_OUTPUT - [0:0]\n-A OUTPUT -j MESHEXT_OUTPUT\n-A OUTPUT -d 127.0.0.11/32 -j DOCKER\n"
    )
    lines = emit_restore(build_nat(Interception()), saved).splitlines()
    assert lines.count("-D OUTPUT -j MESHEXT_OUTPUT") == 1
    assert "-D PREROUTING -j MESHEXT_INBOUND" not in lines
    assert lines.index("-D OUTPUT -j MESHEXT_OUTPUT") < lines.index("-I OUTPUT 1 -j MESHEXT_OUTPUT")
    assert not [line for line in lines if "DOCKER" in line]


@pytest.mark.parametrize(
    ("packet", "goes"),
    [
        (Packet("192.0.2.1", 443), "15001"),
        (Packet("240.240.1.1", 80, out="lo"), "15001"),
        (Packet("172.18.0.5", 8080, out="lo"), ""),
        (Packet("127.0.0.1", 8080, out="lo"), ""),
        (Packet("127.0.0.11", 53, out="lo", protocol="udp"), "15053"),
        (Packet("192.0.2.53", 53, protocol="udp"), "15053"),
        (Packet("192.0.2.53", 53, protocol="udp", user=1337), ""),
        (Packet("192.0.2.1", 443, user=1337), ""),
        (Packet("240.240.1.1", 7000, out="lo", user=1337), ""),
        (Packet("172.18.0.5", 8080, out="lo", user=1337), "15006"),
        (Packet("172.18.0.5", 8080, out="lo", user=1337, source="127.0.0.6"), ""),
        (Packet("127.0.0.1", 8080, out="lo", user=1337), ""),
    ],
)
def test_where_connections_of_this_machine_go(packet: Packet, goes: str) -> None:
    assert outbound(Interception(), packet) == goes


def test_what_is_left_alone() -> None:
    assert [inbound(OTHERS, port) for port in (8080, 9000, 9901, 7000)] == ["16006", "16006", "", ""]
    tried = [("10.9.0.1", 80), ("10.1.0.1", 80), ("10.9.0.1", 22), ("192.0.2.1", 80), ("192.0.2.1", 8443)]
    assert [outbound(OTHERS, Packet(*each)) for each in tried] == ["16001", "", "", "", "16001"]
    assert outbound(OTHERS, Packet("10.9.0.1", 53, protocol="udp")) == ""


PORTS = st.lists(st.integers(1, 65535), max_size=3).map(tuple)
ANY = st.builds(
    Interception,
    outbound_ranges=st.lists(st.sampled_from(NETWORKS)).map(tuple) | st.just(reading.EVERYWHERE),
    without_outbound_ranges=st.lists(st.sampled_from(NETWORKS)).map(tuple),
    outbound_ports=PORTS,
    without_outbound_ports=PORTS,
    inbound_ports=PORTS | st.none(),
    without_inbound_ports=PORTS,
)


@given(ANY, st.ip_addresses(v=4).map(str), st.integers(1, 65535))
def test_services_are_reached_through_envoy_and_the_sidecar_never_is_led_to_itself(
    settings: Interception, to: str, port: int
) -> None:
    assert outbound(settings, Packet(str(RANGE[7]), port, out="lo")) == "15001"
    assert outbound(settings, Packet(to, port, user=settings.user)) == ""


def test_what_reaches_the_network_never_goes_to_an_address_that_stands_for_a_service() -> None:
    chains = dict(build_filter().chains)
    for protocol in ("tcp", "udp"):
        assert decide(chains, OUTPUT, Packet("240.240.1.1", 80, out="lo", protocol=protocol)) == "REJECT"
    assert decide(chains, OUTPUT, Packet("127.0.0.1", 15001, out="lo")) == ""


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_ipv6_is_for_the_sidecar_alone(protocol: str) -> None:
    chains = dict(build_ipv6(Interception()).chains)

    def goes(user: int, out: str) -> str:
        return decide(chains, OUTPUT, Packet("2001:db8::1", 443, out=out, protocol=protocol, user=user))

    assert (goes(1000, "eth0"), goes(1337, "eth0"), goes(1000, "lo")) == ("REJECT", "", "")
    incoming = Packet("2001:db8::1", 443, protocol=protocol)
    assert decide(chains, "MESHEXT_INPUT", incoming) == "REJECT"


@given(st.text(max_size=20) | st.from_regex(r"[0-9*,/. ]{0,30}"))
@pytest.mark.parametrize(
    "parse", [reading.parse_ports, reading.parse_inbound_ports, reading.parse_ranges, reading.parse_user]
)
def test_any_text_is_read_or_refused_in_words(parse: Any, text: str) -> None:
    with suppress(ConfigError):
        parse(text, source="--x")


def test_root_is_no_user_of_a_sidecar() -> None:
    with pytest.raises(ConfigError, match="root"):
        reading.parse_user("0", source="--user")


def test_without_privileges_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(InterceptionError, match="NET_ADMIN"):
        intercept(Interception())
