"""`meshext config`: what it prints can be pasted, and the real Envoy takes it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshext.envoy.binary import find_envoy
from meshext.envoy.emit import to_data
from meshext.envoy.http_filter import build_http_filters
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.envoy.upstreams import parse_address
from meshext.filter import class_needs
from meshext.plan import build_plan
from meshext.plugins import load_filter

Run = Callable[..., Any]
Golden = Callable[[str, str], None]

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def bootstrap(**manager: Any) -> dict[str, Any]:
    """A bootstrap as a person may have one; `manager` are further settings of its connection manager."""
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
    config = {
        "@type": HTTP,
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        **manager,
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    chain = {"filters": [{"name": "http", "typed_config": config}]}
    return {"static_resources": {"listeners": [{"address": address, "filter_chains": [chain]}]}}


def check_with_envoy(data: dict[str, Any], folder: Path) -> None:
    file = folder / "bootstrap.json"
    file.write_text(json.dumps(data))
    command = [str(find_envoy()), "--mode", "validate", "-c", str(file), "-l", "warning"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["policies.py:Hello"], "hello.yaml"),
        (
            ["policies.py:Hello", "--mode", "proc", "--address", "unix:/run/hello.sock"],
            "hello-proc-unix.yaml",
        ),
        (["policies.py:Everything", "--config", "{}"], "everything.yaml"),
    ],
)
def test_what_it_says_beside_the_messages(
    arguments: list[str], name: str, meshext: Run, golden: Golden
) -> None:
    ended = meshext("config", *arguments)
    assert (ended.code, ended.err) == (0, "modules may print\n")
    golden("".join(line for line in ended.out.splitlines(True) if line[0] not in " -"), name)


def test_the_messages_are_those_of_the_plan(meshext: Run) -> None:
    ended = meshext("config", "policies.py:Hello", "policies.py:Everything", "--json")
    needs = [
        class_needs(cls) for cls in (load_filter("policies.py:Hello"), load_filter("policies.py:Everything"))
    ]
    plan = build_plan(needs)
    data = json.loads(ended.out)
    assert data["mode"] == "proc"
    assert data["http_filters"] == [to_data(each) for each in build_http_filters(plan)]
    assert data["clusters"] == [
        to_data(build_service_cluster(Backend(addresses=(parse_address("127.0.0.1:9000"),))))
    ]
    assert data["listener"] == {"per_connection_buffer_limit_bytes": 2_000_000}
    assert len(data["notes"]) == 3


def test_yaml_and_json_say_the_same(meshext: Run) -> None:
    text = meshext("config", "policies.py:Everything").out
    data = json.loads(meshext("config", "policies.py:Everything", "--json").out)
    pasted = yaml.safe_load(text)
    assert pasted == {name: data[name] for name in ("http_filters", "clusters", "http_connection_manager")}


@pytest.mark.envoy
@pytest.mark.parametrize("spec", ["policies.py:Hello", "policies.py:Everything"])
def test_envoy_takes_what_is_pasted(spec: str, meshext: Run, tmp_path: Path) -> None:
    parts = yaml.safe_load(meshext("config", spec).out)
    data = bootstrap(**parts["http_connection_manager"])
    listener = data["static_resources"]["listeners"][0]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    filters[:0] = parts["http_filters"]
    data["static_resources"]["clusters"] = parts["clusters"]
    check_with_envoy(data, tmp_path)


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_envoy_takes_a_bootstrap_with_the_filter_in_it(mode: str, meshext: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(bootstrap()))
    ended = meshext("config", "policies.py:Hello", "--mode", mode, "--into", str(file))
    assert ended.code == 0
    check_with_envoy(yaml.safe_load(ended.out), tmp_path)
    assert yaml.safe_load(file.read_text()) == bootstrap()


def test_what_weakens_a_filter_is_a_warning(meshext: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(bootstrap()))
    ended = meshext("config", "policies.py:Everything", "--into", str(file))
    warnings = [line for line in ended.err.splitlines() if line.startswith("meshext: warning: ")]
    assert sum("merge_slashes" in line for line in warnings) == 1
    assert sum("requested_server_name" in line for line in warnings) == 1
    assert (
        warnings[-1] == "meshext: warning: failure is open: while the service is gone, requests pass unseen"
    )


def test_what_is_no_bootstrap_is_refused_by_name(meshext: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("a: [")
    ended = meshext("config", "policies.py:Hello", "--into", str(tmp_path / "mine.yaml"))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith(f"meshext: {tmp_path / 'mine.yaml'}: ")


def test_json_and_into_do_not_go_together(meshext: Run) -> None:
    ended = meshext("config", "policies.py:Hello", "--json", "--into", "mine.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "meshext: --json and --into do not go together\nmeshext: try 'meshext config --help'\n"
    )


def test_an_inline_configuration_is_not_repeated(meshext: Run) -> None:
    ended = meshext("config", "policies.py:Everything", "--config", '{"token": "hunter2"}')
    assert ended.code == 0
    assert "hunter2" not in ended.out
    assert "#   meshext serve policies.py:Everything --config JSON --listen 127.0.0.1:9000\n" in ended.out


def test_the_sockets_of_several_workers_and_tls(meshext: Run) -> None:
    addresses = ["--address", "unix:/run/a.sock.0", "--address", "unix:/run/a.sock.1"]
    tls = [
        "--ca",
        "ca.pem",
        "--server-name",
        "spiffe://mesh/a",
        "--client-cert",
        "me.pem",
        "--client-key",
        "me.key",
    ]
    ended = meshext("config", "policies.py:Hello", *addresses, *tls)
    files = "--tls-cert FILE --tls-key FILE --client-ca FILE"
    assert f"serve policies.py:Hello {files} --workers 2 --listen unix:/run/a.sock\n" in ended.out
    (cluster,) = yaml.safe_load(ended.out)["clusters"]
    paths = [
        endpoint["endpoint"]["address"]["pipe"]["path"]
        for endpoint in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ]
    assert paths == ["/run/a.sock.0", "/run/a.sock.1"]
    assert cluster["transport_socket"]["typed_config"]["common_tls_context"]["alpn_protocols"] == ["h2"]


def test_half_of_tls_is_refused(meshext: Run) -> None:
    ended = meshext("config", "policies.py:Hello", "--client-cert", "me.pem")
    assert (ended.code, ended.out) == (2, "")
    assert "meshext: TLS: --ca is missing; it says which CA's certificate the service has\n" in ended.err
