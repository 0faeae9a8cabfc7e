"""Upstreams and addresses: what a person may write, and the clusters that come of it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.envoy.emit import to_data
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.envoy.upstreams import (
    TcpAddress,
    UnixAddress,
    Upstream,
    build_upstream_clusters,
    check_upstreams,
    parse_address,
    parse_upstream,
)
from meshext.errors import ConfigError

PORTS = st.integers(1, 65535)
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", fullmatch=True)
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{1,5}){0,3}", fullmatch=True)
TCP = st.builds(TcpAddress, HOSTS | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str), PORTS)
UNIX = st.from_regex(r"/[a-z0-9=:]{0,20}(/[a-z0-9=:]{0,20})?[a-z]", fullmatch=True).map(UnixAddress)


@given(TCP | UNIX)
def test_address_round_trip(address: TcpAddress | UnixAddress) -> None:
    assert parse_address(str(address)) == address


@given(NAMES, TCP | UNIX)
def test_upstream_round_trip(name: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_upstream(f"{name}={address}") == Upstream(name, address)
    assert parse_upstream(str(address)) == Upstream(str(address), address)


@given(st.text(max_size=30))
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    refused = ""
    try:
        address = parse_upstream(text).address
    except ConfigError as error:
        refused = str(error)
    assert "\n" not in refused
    assert refused or isinstance(address, UnixAddress) or 1 <= address.port <= 65535


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("localhost", "'localhost' is no address: write HOST:PORT"),
        ("http://localhost:80", "write HOST:PORT without http://"),
        ("localhost:http", "'http' is no port"),
        ("localhost:0", "'0' is no port"),
        ("localhost:70000", "'70000' is no port"),
        ("::1:80", "an IPv6 address in brackets"),
        ("[127.0.0.1]:80", "is no IPv6 address"),
        ("300.1.1.1:80", "'300.1.1.1' is no host name or IP address"),
        ("a_b-:80", "is no host name or IP address"),
        ("unix:", "write the path of the socket"),
        ("unix:/" + "x" * 107, "has 108 bytes; a socket's path has at most 107"),
        ("a b=localhost:80", "'a b' is no name"),
        ("=localhost:80", "'' is no name"),
        ("", "write HOST:PORT"),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_upstream(text)
    assert str(caught.value).startswith("--upstream: ")
    assert told in str(caught.value)


def test_unix_url() -> None:
    assert parse_address("unix:///run/a.sock") == parse_address("unix:/run/a.sock")


def test_names_are_distinct_and_not_ours() -> None:
    one, two = parse_upstream("a=h:1"), parse_upstream("a=h:2")
    with pytest.raises(ConfigError) as caught:
        check_upstreams([one, two, parse_upstream("meshext=h:1")], reserved="meshext")
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "'a' is given 2 times",
        "'meshext' is the name of the filter's own cluster",
    ]


@pytest.mark.parametrize(
    ("text", "kind"), [("h:1", "STRICT_DNS"), ("127.0.0.1:1", "STATIC"), ("unix:/a", "STATIC")]
)
def test_dns_only_for_names(text: str, kind: str) -> None:
    for cluster in build_upstream_clusters(parse_upstream(f"a={text}")):
        assert to_data(cluster).get("type", "STATIC") == kind


def test_service_cluster_speaks_http2_without_our_limits() -> None:
    data = to_data(build_service_cluster(Backend(addresses=(UnixAddress("/run/a.sock"),), cluster="x")))
    (options,) = data["typed_extension_protocol_options"].values()
    assert "http2_protocol_options" in options["explicit_http_config"]
    assert data["circuit_breakers"]["thresholds"][0]["max_requests"] >= 1_000_000
    assert data["load_assignment"]["cluster_name"] == data["name"] == "x"


@given(st.ip_addresses())
def test_ip_needs_no_dns(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert TcpAddress(str(address), 1).is_ip
