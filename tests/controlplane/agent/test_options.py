"""What people write on the command line, and what Envoy and the application are told."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.envoy.process import validate
from meshext.envoy.upstreams import TcpAddress
from meshext.errors import ConfigError
from meshext_controlplane.agent.application import build_environment
from meshext_controlplane.agent.bootstrap import EnvoySetup, build_bootstrap
from meshext_controlplane.agent.ports import parse_port, parse_ports
from meshext_controlplane.agent.probes import parse_probe
from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions
from meshext_controlplane.cli.interception_options import DEFAULTS
from meshext_controlplane.cli.sidecar_options import build_options, complete, parse_join
from meshext_controlplane.cli.workload_api_options import listen_early
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality, Workload, WorkloadPort

T = TypeVar("T")
IDENTITY = SpiffeId("mesh.test", "shop", "checkout")
GIVEN: dict[str, Any] = {
    "control_plane": "127.0.0.1:15010",
    "command": ["./server"],
    "join": "",
    "token": "",
    "name": "checkout-1",
    "address": "127.1.0.2",
    "port": ["8080:http=unix:/run/app.sock"],
    "gateway": False,
    "grpc": False,
    "outbound": 15001,
    "transparent": False,
    "label": ["app=checkout", "version=v=1"],
    "locality": "eu/a",
    "weight": 1,
    "probe": [],
    "probe_period": 2.0,
    "probe_timeout": 1.0,
    "probe_failures": 3,
    "data": Path("/var/lib/sidecar"),
    "write_certs": None,
    "workload_api": "",
    "workload_api_user": None,
    "concurrency": 0,
    "sotw": False,
    "stats": "",
    "metrics": "",
    "drain_delay": 2.0,
    "drain": 30.0,
    "grace": 10.0,
    "envoy_log_level": "warning",
}


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8080=127.0.0.1:9000", (8080, "", "tcp", "127.0.0.1:9000")),
        ("8080:http=unix:/run/a.sock", (8080, "http", "http", "unix:/run/a.sock")),
        ("8080:http-api=[::1]:9", (8080, "http-api", "http", "[::1]:9")),
        ("9000:api/grpc=localhost:1", (9000, "api", "grpc", "localhost:1")),
        ("5432/tcp=localhost:5433", (5432, "", "tcp", "localhost:5433")),
    ],
)
def test_ports(text: str, port: tuple[int, str, str, str]) -> None:
    number, name, protocol, application = port
    assert parse_port(text) == WorkloadPort(
        number=number, name=name, protocol=protocol, application=application
    )


def outcome(parse: Callable[..., T], *words: Any) -> tuple[T | None, tuple[str, ...]]:
    """What a parser gives, or the problems that it names."""
    try:
        return parse(*words), ()
    except ConfigError as error:
        return None, error.problems


@given(st.text(max_size=40))
def test_any_text_is_a_port_or_one_line(text: str) -> None:
    port, problems = outcome(parse_port, text)
    assert len(problems) == 1 if port is None else 1 <= port.number <= 65_535


PORTS = (
    WorkloadPort(number=8080, application="127.0.0.1:9000"),
    WorkloadPort(number=8081, application="unix:/run/a.sock"),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcp", "connection to 127.0.0.1:9000"),
        ("tcp:8081", "connection to unix:/run/a.sock"),
        ("http/healthz", "GET /healthz at 127.0.0.1:9000"),
        ("http:8081/a?b=c", "GET /a?b=c at unix:/run/a.sock"),
    ],
)
def test_probes(text: str, said: str) -> None:
    assert str(parse_probe(text, PORTS)) == said


@given(st.text(max_size=30) | st.from_regex(r"(tcp|http)(:[0-9]+)?(/.*)?"))
def test_any_text_is_a_probe_or_one_line(text: str) -> None:
    probe, problems = outcome(parse_probe, text, PORTS)
    assert len(problems) == 1 if probe is None else probe.path[:1] in ("", "/")


def test_every_mistake_is_told_at_once(golden: Callable[[str, str], None]) -> None:
    wrong: dict[str, Any] = {
        "control_plane": "somewhere",
        "join": "unix:/x",
        "name": "Not A Name",
        "address": "localhost",
        "port": ["x", "0=a:1", "8080:http=nowhere", "99/udp=a:1", "80=a:1", "80:a=a:1", "15001=a:1"],
        "label": ["x", "a=1", "a=2"],
        "locality": "a//b",
        "envoy_log_level": "loud",
        "gateway": True,
        "probe": ["tcp"],
    }
    with pytest.raises(ConfigError) as error:
        build_options(**{**GIVEN, **wrong})
    golden("\n".join(error.value.problems) + "\n", "mistakes.txt")


TRANSPARENT: dict[str, Any] = {
    **GIVEN,
    **DEFAULTS,
    "transparent": True,
    "command": [],
    "port": ["8080:http", "9000=127.0.0.1:9001"],
    "address": "10.0.0.5",
}


def test_mistakes_of_transparent_sidecars(golden: Callable[[str, str], None]) -> None:
    tries: tuple[dict[str, Any], ...] = (
        {**GIVEN, "exclude_outbound_ports": "22", "dry_run": True},
        {**TRANSPARENT, "command": ["./server"], "inbound": 15001, "address": "fd00::1"},
        {**TRANSPARENT, "exclude_inbound_ports": "15006", "port": ["15006"]},
        {
            **TRANSPARENT,
            "user": "0",
            "include_outbound_ip_ranges": "x,fd00::/8",
            "exclude_inbound_ports": "a",
        },
    )
    problems: list[str] = []
    for given_now in tries:
        with pytest.raises(ConfigError) as error:
            build_options(**given_now)
        problems += error.value.problems
    golden("\n".join(problems) + "\n", "transparent-mistakes.txt")


def test_a_transparent_sidecar() -> None:
    more = {"stats": "10.0.0.5:9901", "exclude_inbound_ports": "7000", "data": None}
    options = build_options(**{**TRANSPARENT, **more})
    assert options.interception is not None
    assert options.interception.without_inbound_ports == (7000, 9901)
    assert [each.application for each in options.ports] == ["127.0.0.1:8080", "127.0.0.1:9001"]
    assert options.own_ports == (("127.0.0.1", 15001), ("0.0.0.0", 15006))
    assert options.data == Path("/var/lib/meshext/sidecars/checkout-1")


def test_a_transparent_sidecar_asks_for_its_address_last() -> None:
    """Where rules of another life are, nobody but the sidecar's user gets an answer from DNS."""
    options = build_options(**{**TRANSPARENT, "control_plane": "nobody.invalid:1", "address": ""})
    assert options.address == ""
    with pytest.raises(ConfigError, match="can not tell our address"):
        complete(options)
    here = build_options(**{**TRANSPARENT, "control_plane": "127.0.0.1:1", "address": ""})
    assert complete(here).address == "127.0.0.1"
    assert complete(build_options(**TRANSPARENT)).address == "10.0.0.5"


def test_options() -> None:
    options = build_options(**GIVEN)
    assert options.join == TcpAddress("127.0.0.1", 15011)
    assert options.labels == {"app": "checkout", "version": "v=1"}
    assert options.locality == Locality("eu", "a")
    assert [str(each) for each in options.probes] == ["connection to unix:/run/app.sock"]
    assert options.envoy.concurrency is None
    assert "token" not in repr(build_options(**{**GIVEN, "token": "t0ken"}))


def test_the_workload_api(tmp_path: Path) -> None:
    def built(**more: Any) -> WorkloadApiOptions | None:
        return build_options(**{**GIVEN, "data": tmp_path / "data", **more}).workload_api

    data = tmp_path / "data"
    assert built() == WorkloadApiOptions(path=data / "workload.sock")
    assert built(workload_api="off") is None
    gateway = {"gateway": True, "command": [], "port": [], "probe": []}
    assert built(**gateway) is None
    chosen = {"workload_api": str(tmp_path / "api.sock"), "workload_api_user": ["1000", "root", "1000"]}
    options = WorkloadApiOptions(path=tmp_path / "api.sock", users=(0, 1000))
    assert built(**chosen) == built(**gateway, **chosen) == options


@pytest.mark.parametrize(
    ("path", "users", "said"),
    [
        ("", ["1000"], "outside of --data"),
        ("off", ["1000"], "outside of --data"),
        ("/var/lib/sidecar/x/../api.sock", ["1000"], "outside of --data"),
        ("/run/api.sock", ["nobody-of-that-name", "-1", "4294967295", "1e3"], "is no user here"),
        ("/run/" + "x" * 200, [], "too long for a socket"),
    ],
)
def test_mistakes_of_the_workload_api(path: str, users: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        build_options(**{**GIVEN, "workload_api": path, "workload_api_user": users})
    assert [said in problem for problem in error.value.problems] == [True] * (len(users) or 1)


def test_a_socket_is_made_before_privileges_are_dropped(tmp_path: Path) -> None:
    given = {**TRANSPARENT, "data": tmp_path / "data"}
    inside, user = build_options(**given), os.geteuid() or 1337
    assert listen_early(inside, user) is inside
    path = tmp_path / "api.sock"
    more = {"workload_api": str(path), "workload_api_user": ["0"]}
    outside = listen_early(build_options(**{**given, **more}), user)
    assert outside.workload_api is not None
    assert outside.workload_api.listening is not None
    with outside.workload_api.listening:
        assert path.stat().st_uid == user
        assert stat.S_IMODE(path.stat().st_mode) == 0o666


def test_the_last_port_has_none_after_it() -> None:
    assert parse_join("", TcpAddress("h", 65_535)).port == 65_535


def test_a_port_is_not_the_proxys() -> None:
    with pytest.raises(ConfigError, match="another --outbound"):
        parse_ports(["15001=a:1"], outbound=15001)


def setup(**more: Any) -> EnvoySetup:
    folder = Path("/run/sidecar")
    return EnvoySetup(
        name="checkout-1",
        identity=IDENTITY,
        outbound=15001,
        agent=folder / "agent.sock",
        admin=folder / "envoy" / "admin.sock",
        locality=Locality("eu", "a"),
        **more,
    )


@pytest.mark.envoy
@pytest.mark.parametrize("sotw", [False, True], ids=["delta", "sotw"])
def test_envoy_takes_the_bootstrap(sotw: bool, golden: Callable[[str, str], None]) -> None:
    text = build_bootstrap(setup(sotw=sotw))
    golden(json.dumps(json.loads(text), indent=2) + "\n", f"bootstrap_{'sotw' if sotw else 'delta'}.json")
    asyncio.run(validate(text))


def test_the_application_is_told_its_place() -> None:
    workload = Workload(name="checkout-1", identity=IDENTITY, address="::1", ports=PORTS)
    told = build_environment(workload, outbound=15001, workload_api=Path("/run/w.sock"))
    assert told["HTTP_PROXY"] == told["http_proxy"] == "http://[::1]:15001"
    assert told["MESHEXT_LISTEN_8081"] == "unix:/run/a.sock"
    assert told["SPIFFE_ENDPOINT_SOCKET"] == "unix:///run/w.sock"
    assert "SPIFFE_ENDPOINT_SOCKET" not in build_environment(workload, outbound=15001)
    assert "MESHEXT_LISTEN" not in told
    assert told["MESHEXT_SPIFFE_ID"] == "spiffe://mesh.test/ns/shop/sa/checkout"
