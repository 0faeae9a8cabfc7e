"""The filter in a bootstrap of one's own."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from meshext.envoy.insertion import MANAGER, ROUTER, emit_config, insert_filter
from meshext.envoy.process import validate
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import TcpAddress
from meshext.errors import ConfigError
from meshext.plan import Mode, Plan

Make = Callable[..., Plan]
SERVICE = Backend(addresses=(TcpAddress("127.0.0.1", 9000),))

SAFE = {
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
    "use_remote_address": True,
    "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
}


def chain(**manager: object) -> dict[str, Any]:
    config = {
        "@type": MANAGER,
        "stat_prefix": "own",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "own"}}],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
        **manager,
    }
    return {"filters": [{"name": "http", "typed_config": config}]}


def bootstrap(*chains: dict[str, Any], **listener: object) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    return {
        "node": {"id": "own", "cluster": "own"},
        "static_resources": {
            "listeners": [{"name": "own", "address": address, "filter_chains": list(chains), **listener}],
            "clusters": [{"name": "own", "type": "STATIC"}],
        },
    }


def managers(data: dict[str, Any]) -> list[dict[str, Any]]:
    (listener,) = data["static_resources"]["listeners"]
    chains = [*listener["filter_chains"], *([x] if (x := listener.get("default_filter_chain")) else [])]
    return [item["typed_config"] for one in chains for item in one["filters"]]


def test_before_every_router_and_nothing_else_changes(make_plan: Make) -> None:
    own = bootstrap(chain(**SAFE), default_filter_chain=chain(**SAFE))
    inserted = insert_filter(yaml.safe_dump(own), make_plan(), SERVICE)
    data = yaml.safe_load(inserted.text)
    for manager in managers(data):
        names = [item["name"] for item in manager["http_filters"]]
        assert names == ["meshext", "meshext.metadata", "router"]
        manager["http_filters"] = manager["http_filters"][-1:]
    assert [item["name"] for item in data["static_resources"]["clusters"]] == ["own", "meshext"]
    del data["static_resources"]["clusters"][1]
    assert data == own
    assert inserted.warnings == ()


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_envoy_takes_it(mode: Mode, make_plan: Make) -> None:
    text = insert_filter(
        json.dumps(bootstrap(chain())), make_plan(mode=mode), replace(SERVICE, cluster="x")
    ).text
    asyncio.run(validate(json.dumps(yaml.safe_load(text))))


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_envoy_takes_what_is_to_be_pasted(mode: Mode, make_plan: Make) -> None:
    pieces = yaml.safe_load(emit_config(make_plan(mode=mode), SERVICE))
    data = bootstrap(chain())
    (manager,) = managers(data)
    manager["http_filters"] = [*pieces["http_filters"], *manager["http_filters"]]
    data["static_resources"]["clusters"] += pieces["clusters"]
    asyncio.run(validate(json.dumps(data)))


def test_pasted_pieces_say_what_bodies_need(make_plan: Make, golden: Callable[[str, str], None]) -> None:
    golden(emit_config(make_plan(), SERVICE), "authz.yaml")
    large = make_plan(mode="proc", request_body="whole", max_body=33_554_432)
    assert "per_connection_buffer_limit_bytes: 33554432" in emit_config(large, SERVICE)
    assert "initial_stream_window_size: 33554432" in emit_config(large, SERVICE)


def test_warnings(make_plan: Make) -> None:
    own = bootstrap(
        chain(
            forward_client_cert_details="APPEND_FORWARD",
            http2_protocol_options={"initial_stream_window_size": 65535},
        )
    )
    plan = make_plan(
        request_body="whole", max_body=2_000_000, attributes=("connection.requested_server_name",)
    )
    warnings = insert_filter(json.dumps(own), plan, SERVICE).warnings
    told = (
        "normalize_path",
        "merge_slashes",
        "path_with_escaped_slashes_action was not set and now is UNESCAPE_AND_FORWARD",
        "headers_with_underscores_action",
        "use_remote_address",
        "x-forwarded-client-cert",
        "connection.requested_server_name stays empty",
        "per_connection_buffer_limit_bytes of the listener to 2000000",
        "initial_stream_window_size to 2000000",
    )
    assert len(warnings) == len(told)
    for warning, words in zip(warnings, told, strict=True):
        assert words in warning
        assert warning.startswith("static_resources.listeners[0].filter_chains[0].filters[0]: ")


LEFT_OVER = "are left over: Envoy answers 404, and in ext_authz filters are not asked; where they should be, "
HOST: dict[str, Any] = {"name": "a", "domains": ["*"]}


def routes(*matches: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"match": match, "route": {"cluster": "own"}} for match in matches]


ROUTED: list[tuple[dict[str, Any], list[str]]] = [
    ({"virtual_hosts": [{**HOST, "routes": routes({"path": "/a"}, {"prefix": "/"})}]}, []),
    ({"virtual_hosts": [{**HOST, "routes": routes({"prefix": "", "headers": []})}]}, []),
    ({"virtual_hosts": [{**HOST, "routes": routes({"safe_regex": {"regex": ".*"}})}]}, []),
    ({"virtual_hosts": [{**HOST, "matcher": {}}]}, []),
    ({"virtual_hosts": [{**HOST, "routes": routes({"prefix": "/a"})}]}, [".virtual_hosts[0]: no route"]),
    ({"virtual_hosts": [HOST]}, [".virtual_hosts[0]: no route"]),
    (
        {"virtual_hosts": [{**HOST, "routes": routes({"prefix": "/", "headers": [{"name": "x"}]})}]},
        [".virtual_hosts[0]: no route"],
    ),
    (
        {
            "virtual_hosts": [
                {**HOST, "routes": routes({"prefix": "/"})},
                {
                    "name": "b",
                    "domains": ["b"],
                    "routes": routes({"grpc": {}, "prefix": "/"}, {"prefix": "/"}),
                },
                {"name": "c", "domains": ["c"], "routes": routes({"connect_matcher": {}})},
            ]
        },
        [".virtual_hosts[2]: no route"],
    ),
    (
        {"virtual_hosts": [{"name": "b", "domains": ["b"], "routes": routes({"prefix": "/"})}]},
        [": no virtual host"],
    ),
    ({}, [": no virtual host"]),
]


@pytest.mark.parametrize(("routed", "told"), ROUTED)
def test_requests_that_routes_leave_over(routed: dict[str, Any], told: list[str], make_plan: Make) -> None:
    own = json.dumps(bootstrap(chain(**SAFE, route_config=routed)))
    warnings = insert_filter(own, make_plan(), SERVICE).warnings
    place = "static_resources.listeners[0].filter_chains[0].filters[0].route_config"
    assert len(warnings) == len(told)
    for warning, words in zip(warnings, told, strict=True):
        assert warning.startswith(place + words)
        assert LEFT_OVER in warning
    assert insert_filter(own, make_plan(mode="proc"), SERVICE).warnings == ()  # ext_proc asks about these too


def test_routes_that_come_from_elsewhere_are_not_judged(make_plan: Make) -> None:
    own = bootstrap(chain(**SAFE, route_config=None, rds={"route_config_name": "r"}))
    assert insert_filter(json.dumps(own), make_plan(), SERVICE).warnings == ()


def test_an_inspector_silences_its_warning(make_plan: Make) -> None:
    inspector = [{"name": "envoy.filters.listener.tls_inspector"}]
    plan = make_plan(attributes=("connection.requested_server_name",))
    own = bootstrap(chain(**SAFE), listener_filters=inspector)
    assert insert_filter(json.dumps(own), plan, SERVICE).warnings == ()


def taken() -> dict[str, Any]:
    data = bootstrap(chain())
    data["static_resources"]["clusters"].append({"name": "meshext"})
    return data


def twice() -> dict[str, Any]:
    filters = [{"name": "meshext"}, {"name": "router", "typed_config": {"@type": ROUTER}}]
    return bootstrap(chain(http_filters=filters))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "bootstrap: is not YAML"),
        ("[]", "has no static_resources"),
        ("{}", "has no static_resources"),
        ("staticResources: {}", "write the names of fields as in Envoy's documentation"),
        ("static_resources: {}", "there is no HTTP connection manager"),
        (
            "static_resources: {listeners: [{filter_chains: [{filters: [{name: tcp}]}]}]}",
            "no HTTP connection manager",
        ),
        (json.dumps(taken()), "static_resources.clusters[1]: the name 'meshext' is taken"),
        (json.dumps(twice()), "a filter named 'meshext' is there already"),
    ],
)
def test_refused(text: str, told: str, make_plan: Make) -> None:
    with pytest.raises(ConfigError) as caught:
        insert_filter(text, make_plan(), SERVICE)
    assert told in str(caught.value)


def test_what_was_given_is_left_alone(make_plan: Make) -> None:
    own = bootstrap(chain())
    before = copy.deepcopy(own)
    insert_filter(json.dumps(own), make_plan(), SERVICE)
    assert own == before
