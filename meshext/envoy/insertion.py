"""Our filter in a bootstrap of one's own: the pieces to paste, or the whole with the filter put in.

Works on plain YAML data, so that everything else stays as it was (comments are lost).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshext.envoy.emit import Data, emit_yaml, to_data
from meshext.envoy.http_filter import FILTER, build_http_filters
from meshext.envoy.route_gaps import find_route_gaps
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.envoy.wasm_filter import Module, build_wasm_filters
from meshext.errors import ConfigError
from meshext.needs import DEFAULT_MAX_BODY
from meshext.plan import Plan

MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
DEFAULT_STREAM_WINDOW = 16 * 1024 * 1024  # bytes; what Envoy buffers of an HTTP/2 stream unless told

_SERVER_NAME = "connection.requested_server_name"
_INSPECTOR = "envoy.filters.listener.tls_inspector"
_BELIEVED = ("FORWARD_ONLY", "APPEND_FORWARD", "ALWAYS_FORWARD_ONLY")


@dataclass(frozen=True, slots=True)
class Insertion:
    """A bootstrap with the filter in it, as YAML, and what in it weakens the filter, a line each."""

    text: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Manager:
    """A connection manager found in a bootstrap: where, its listener, and its own data."""

    place: str
    listener: Data
    data: Data


def emit_config(plan: Plan, service: Backend) -> str:
    """The HTTP filters and the cluster as YAML, with comments that say where each belongs.

    Raises UnsupportedError where the plan's mode can not carry what the plan asks for.
    """
    filters = [to_data(item) for item in build_http_filters(plan, cluster=service.cluster)]
    clusters = [to_data(build_service_cluster(service))]
    hints = "".join(f"# {hint}\n" for hint in _buffer_hints(plan))
    return (
        f"# Into http_filters of the HTTP connection manager, right before the router.\n{hints}"
        f"{emit_yaml({'http_filters': filters})}"
        f"\n# Into static_resources.\n{emit_yaml({'clusters': clusters})}"
    )


_PATHS = {
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
}


def insert_filter(bootstrap: str, plan: Plan, service: Backend, *, source: str = "bootstrap") -> Insertion:
    """Put the filter before the router of every HTTP connection manager, and its cluster beside the others.

    `bootstrap` is YAML or JSON. ConfigError where it is neither, has no connection manager in
    `static_resources`, has the filter already, or has another cluster of that name.
    """
    filters = [to_data(item) for item in build_http_filters(plan, cluster=service.cluster)]
    return _insert_all(bootstrap, plan, filters, [to_data(build_service_cluster(service))], source)


def insert_module(bootstrap: str, plan: Plan, module: Module, *, source: str = "bootstrap") -> Insertion:
    """The same for filters that run inside of Envoy: there is no cluster. Raises as `insert_filter`."""
    return _insert_all(bootstrap, plan, [to_data(item) for item in build_wasm_filters(module)], [], source)


def _insert_all(
    bootstrap: str, plan: Plan, filters: list[Data], clusters: list[Data], source: str
) -> Insertion:
    data = _load(bootstrap, source)
    managers = list(_find_managers(data))
    names = [item["name"] for item in clusters]
    if problems := [*_problems(data, managers, names)]:
        raise ConfigError(problems, source=source)
    settled = [notice for manager in managers for notice in _settle_paths(manager)]
    warnings = (*settled, *(warning for manager in managers for warning in _warnings(manager, plan)))
    for manager in managers:
        _insert(manager.data, filters)
    if clusters:
        resources = data["static_resources"]
        resources["clusters"] = [*_items(resources, "clusters"), *clusters]
    return Insertion(emit_yaml(data), warnings)


def _load(text: str, source: str) -> Data:
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError([f"is not YAML: {' '.join(str(error).split())}"], source=source) from None
    if isinstance(data, dict) and "staticResources" in data:
        problem = "staticResources: write the names of fields as in Envoy's documentation, static_resources"
        raise ConfigError([problem], source=source)
    if not isinstance(data, dict) or not isinstance(data.get("static_resources"), dict):
        raise ConfigError(
            ["has no static_resources; only listeners written there can be changed"], source=source
        )
    return data


def _find_managers(data: Data) -> Iterator[_Manager]:
    for index, listener in enumerate(_items(data["static_resources"], "listeners")):
        place = f"static_resources.listeners[{index}]"
        chains = [
            (f"{place}.filter_chains[{number}]", chain)
            for number, chain in enumerate(_items(listener, "filter_chains"))
        ]
        if isinstance(chain := listener.get("default_filter_chain"), dict):
            chains.append((f"{place}.default_filter_chain", chain))
        for where, chain in chains:
            for number, item in enumerate(_items(chain, "filters")):
                config = item.get("typed_config")
                if isinstance(config, dict) and config.get("@type") == MANAGER:
                    yield _Manager(f"{where}.filters[{number}]", listener, config)


def _problems(data: Data, managers: list[_Manager], clusters: list[str]) -> Iterator[str]:
    if not managers:
        yield "static_resources.listeners: there is no HTTP connection manager to put the filter into"
    names = [item.get("name") for item in _items(data["static_resources"], "clusters")]
    for cluster in clusters:
        if cluster in names:
            yield (
                f"static_resources.clusters[{names.index(cluster)}]: the name {cluster!r} is taken; "
                "the filter's cluster needs it, so rename this one"
            )
    for manager in managers:
        if any(item.get("name") == FILTER for item in _items(manager.data, "http_filters")):
            yield f"{manager.place}.http_filters: a filter named {FILTER!r} is there already; remove it first"


def _insert(manager: Data, filters: list[Data]) -> None:
    present = _items(manager, "http_filters")
    last = len(present) - 1 if present else 0  # the last one ends the chain, whatever it is called
    routers = [index for index, item in enumerate(present) if _type(item) == ROUTER]
    index = routers[0] if routers else last
    manager["http_filters"] = [*present[:index], *filters, *present[index:]]


def _settle_paths(manager: _Manager) -> Iterator[str]:
    """Normalise paths where the bootstrap does not say: else `//admin` and `/x/../admin` pass a check."""
    for key, value in _PATHS.items():
        if key not in manager.data:
            manager.data[key] = value
            shown = value if isinstance(value, str) else str(value).lower()
            yield f"{manager.place}: {key} was not set and now is {shown}; write it to decide otherwise"


def _warnings(manager: _Manager, plan: Plan) -> Iterator[str]:
    data, place = manager.data, manager.place
    if data.get("normalize_path") is not True:
        yield f"{place}: without 'normalize_path: true' a check of paths is passed by '/./' and '/../'"
    if data.get("merge_slashes") is not True:
        yield f"{place}: without 'merge_slashes: true' a check of paths is passed by '//'"
    if data.get("path_with_escaped_slashes_action") in (
        None,
        "IMPLEMENTATION_SPECIFIC_DEFAULT",
        "KEEP_UNCHANGED",
    ):
        yield (
            f"{place}: without 'path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD' a check of paths "
            "is passed by '%2f'"
        )
    underscores = (data.get("common_http_protocol_options") or {}).get("headers_with_underscores_action")
    if underscores in (None, "ALLOW"):
        yield (
            f"{place}: without 'headers_with_underscores_action: REJECT_REQUEST' in "
            "common_http_protocol_options, 'x_user' passes a check of 'x-user' where the upstream takes both"
        )
    if data.get("use_remote_address") is not True:
        yield (
            f"{place}: without 'use_remote_address: true' request.client_address is whatever the client "
            "writes into x-forwarded-for; leave it out only behind a proxy of your own"
        )
    if data.get("forward_client_cert_details") in _BELIEVED:
        yield f"{place}: x-forwarded-client-cert of the client is believed; a filter must not read it"
    if _SERVER_NAME in plan.attributes and not _has_inspector(manager.listener):
        yield f"{place}: {_SERVER_NAME} stays empty without the listener filter {_INSPECTOR}"
    yield from (f"{place}: {problem}" for problem in _limit_problems(manager, plan))
    routes = data.get("route_config")
    if plan.mode == "authz" and isinstance(routes, dict):
        for where, left_over in find_route_gaps(routes):
            yield f"{place}.route_config{where}: {left_over}"


def _limit_problems(manager: _Manager, plan: Plan) -> Iterator[str]:
    if not (plan.request_body or plan.response_body):
        return
    listener = manager.listener.get("per_connection_buffer_limit_bytes", DEFAULT_MAX_BODY)
    options = manager.data.get("http2_protocol_options") or {}
    window = options.get("initial_stream_window_size", DEFAULT_STREAM_WINDOW)
    if isinstance(listener, int) and listener < plan.max_body:
        yield (
            f"bodies over {listener} bytes are refused; set per_connection_buffer_limit_bytes of the "
            f"listener to {plan.max_body} for the filter's max_body"
        )
    if isinstance(window, int) and window < plan.max_body:
        yield (
            f"bodies over {window} bytes are refused in HTTP/2; set http2_protocol_options "
            f"initial_stream_window_size to {plan.max_body} for the filter's max_body"
        )


def _buffer_hints(plan: Plan) -> Iterator[str]:
    if not (plan.request_body or plan.response_body):
        return
    if plan.max_body > DEFAULT_MAX_BODY:
        yield f"Bodies need per_connection_buffer_limit_bytes: {plan.max_body} in the listener (HTTP/1)."
    if plan.max_body > DEFAULT_STREAM_WINDOW:
        yield f"In HTTP/2, http2_protocol_options needs initial_stream_window_size: {plan.max_body}."


def _has_inspector(listener: Data) -> bool:
    return any(
        item.get("name") == _INSPECTOR or str(_type(item)).endswith(".TlsInspector")
        for item in _items(listener, "listener_filters")
    )


def _type(item: Data) -> Any:
    config = item.get("typed_config")
    return config.get("@type") if isinstance(config, dict) else None


def _items(data: Data, key: str) -> list[Data]:
    value = data.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
