"""The parts of one's own Envoy configuration that a plan asks for, and what no part can see to."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from meshext.envoy.bootstrap import GRACEFUL_CLOSE, buffer_limit
from meshext.envoy.connection_manager import build_connection_manager
from meshext.envoy.emit import Data, to_data
from meshext.envoy.http_filter import build_http_filters
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.plan import Plan

SETTINGS = (
    "use_remote_address",
    "always_set_request_id_in_response",
    "normalize_path",
    "merge_slashes",
    "path_with_escaped_slashes_action",
)
"""Settings of the connection manager without which a request can mean one thing here, another behind it."""

SERVER_NAME = "connection.requested_server_name"
WIDTH = 100


def build_parts(plan: Plan, service: Backend) -> Data:
    """All parts as plain data in Envoy's JSON form; `listener` says what bodies need of the listener."""
    return {
        "mode": plan.mode,
        "http_filters": [to_data(each) for each in build_http_filters(plan)],
        "clusters": [to_data(build_service_cluster(service))],
        "http_connection_manager": build_settings(plan),
        "listener": {"per_connection_buffer_limit_bytes": buffer_limit(plan)} if has_bodies(plan) else {},
        "notes": list(find_notes(plan)),
    }


def build_settings(plan: Plan) -> Data:
    """The settings filters rely on, as the connection manager of `meshext run` has them."""
    ours = to_data(build_connection_manager([], [], tls=False, buffer_limit=buffer_limit(plan)))
    underscores = ours["common_http_protocol_options"]["headers_with_underscores_action"]
    return {
        **{name: ours[name] for name in SETTINGS},
        "common_http_protocol_options": {"headers_with_underscores_action": underscores},
    }


def find_notes(plan: Plan, *, bootstrap: str | None = None) -> Iterator[str]:
    """What a person has to know or see to, a line each; what a known listener lacks is not said here."""
    if plan.metadata_namespaces:
        names = ", ".join(plan.metadata_namespaces)
        yield f"the filters read metadata of {names}: put them behind the HTTP filters that write it"
    if SERVER_NAME in plan.attributes and bootstrap is None:
        yield f"{SERVER_NAME} is empty unless the listener has envoy.filters.listener.tls_inspector"
    if plan.mode == "authz" and plan.request_body == "whole":
        yield f"Envoy itself answers 413 to a request body of more than {plan.max_body} bytes"
    if plan.mode == "proc" and GRACEFUL_CLOSE not in (bootstrap or ""):
        yield f"set {GRACEFUL_CLOSE}: true in layered_runtime; without it gRPC loses 140 bytes a request"
    if plan.failure == "open" and plan.mode != "wasm":
        yield "failure is open: while the service is gone, requests pass unseen"


def has_bodies(plan: Plan) -> bool:
    """Whether Envoy has to hold bodies."""
    return bool({plan.request_body, plan.response_body} & {"whole", "partial"})


def comment(text: str) -> str:
    """Lines of YAML comment."""
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, WIDTH - 2, subsequent_indent="  "))
