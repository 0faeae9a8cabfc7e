"""The plan as Envoy's HTTP filters: ext_authz or ext_proc, and what has to stand beside it.

`envoy.extensions.filters.http.ext_authz.v3.ExtAuthz`,
`envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor`.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from meshext.attributes import attribute_key, check_authz_attributes, select_attributes
from meshext.bodies import BodyStyle
from meshext.envoy.messages import builds_messages
from meshext.envoy.service_cluster import CLUSTER
from meshext.plan import Plan

if TYPE_CHECKING:
    import betterproto2
    from envoy_data_plane.envoy.config.core.v3 import GrpcService
    from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import BufferSettings, ExtAuthz
    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
        ExternalProcessor,
        MetadataOptions,
        MetadataOptionsMetadataNamespaces,
        ProcessingMode,
        ProcessingModeBodySendMode,
    )
    from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter

FILTER = "meshext"
"""The name of the HTTP filter, for `typed_per_filter_config` and for reading a configuration dump."""

METADATA_FILTER = "meshext.metadata"

IDENTITY = {
    "x-meshext-direct-address": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "x-meshext-client-address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "x-meshext-uri-san": "%DOWNSTREAM_PEER_URI_SAN%",
    "x-meshext-tls-version": "%DOWNSTREAM_TLS_VERSION%",
    "x-meshext-route": "%ROUTE_NAME%",
    "x-meshext-cluster": "%UPSTREAM_CLUSTER_RAW%",
}
"""Initial metadata of every call: what the service can not learn otherwise the same way in both modes.

Addresses have a port (`127.0.0.1:4711`, `[::1]:4711`; a Unix listener's path), the URI SANs are joined by
commas. Envoy leaves an entry out where it has no value. The call is a request of Envoy's own: no header of
the client gets into it, so nobody can forge an entry. Nor is anything here that a client writes freely,
such as `x-request-id`: metadata that is long or has bytes beyond ASCII ends the call.
"""

# ext_authz writes all dynamic metadata below its own namespace; filters have one each, in both modes alike.
_LUA = """\
local namespaces = {%s}

local function copy(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local written = metadata:get("envoy.filters.http.ext_authz") or {}
  for _, namespace in ipairs(namespaces) do
    for key, value in pairs(written[namespace] or {}) do
      metadata:set(namespace, key, value)
    end
  end
end

function envoy_on_request(handle)
  copy(handle)
end

function envoy_on_response(handle)
  copy(handle)
end
"""


@builds_messages
def build_http_filters(plan: Plan, *, cluster: str = CLUSTER, authority: str = "") -> list[HttpFilter]:
    """The HTTP filters that carry out the plan, in their order, to stand right before the router.

    Envoy names the cluster as the host that it calls. Where its name is none, and somebody looks at it (a
    sidecar of the service's, an HTTP/2 library), `authority` is what it names.
    Raises UnsupportedError where ext_authz can not carry an attribute of the plan.
    """
    if plan.mode == "proc":
        return [_pack(FILTER, _build_ext_proc(plan, cluster, authority))]
    check_authz_attributes(plan.attributes)
    authz = _pack(FILTER, _build_ext_authz(plan, cluster, authority))
    return [authz, _pack(METADATA_FILTER, _build_metadata_copy(plan))] if plan.written_namespaces else [authz]


def build_metadata_formats(plan: Plan) -> dict[str, str]:
    """The initial metadata of each call: key and command operator."""
    attributes = select_attributes(plan.attributes, "metadata")
    return IDENTITY | {attribute_key(attribute.name): attribute.format for attribute in attributes}


def _build_ext_authz(plan: Plan, cluster: str, authority: str) -> ExtAuthz:
    from envoy_data_plane.envoy.config.core.v3 import ApiVersion
    from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import ExtAuthz
    from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode

    return ExtAuthz(
        transport_api_version=ApiVersion.V3,
        grpc_service=_build_grpc_service(plan, cluster, authority, timeout=timedelta(seconds=plan.timeout)),
        failure_mode_allow=plan.failure == "open",
        status_on_error=HttpStatus(code=StatusCode.InternalServerError),
        with_request_body=_build_body_settings(plan) if plan.request_body else None,
        clear_route_cache=True,
        validate_mutations=True,
        encode_raw_headers=True,
        metadata_context_namespaces=list(plan.metadata_namespaces),
        # No `include_tls_session`: a server name that is not UTF-8 makes the whole CheckRequest unreadable.
    )


def _build_body_settings(plan: Plan) -> BufferSettings:
    from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import BufferSettings

    # Where the connection may hold more than `max_request_bytes`, Envoy cuts a longer body there and asks all
    # the same, although `allow_partial_message` is false. One byte more lets the service see that it is too
    # long, and refuse.
    return BufferSettings(
        max_request_bytes=plan.max_body + 1,
        allow_partial_message=plan.request_body == "partial",
        pack_as_bytes=True,
    )


def _build_ext_proc(plan: Plan, cluster: str, authority: str) -> ExternalProcessor:
    from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutationRules
    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ExternalProcessor
    from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode

    asked = select_attributes(plan.attributes, "struct")
    return ExternalProcessor(
        # `message_timeout` governs: ext_proc has no use for the call's own timeout, its stream lives on.
        grpc_service=_build_grpc_service(plan, cluster, authority, timeout=None),
        failure_mode_allow=plan.failure == "open",
        processing_mode=_build_processing_mode(plan),
        request_attributes=[row.name for row in asked if row.phase != "response"],
        response_attributes=[row.name for row in asked if row.phase == "response"],
        message_timeout=timedelta(seconds=plan.timeout),
        mutation_rules=HeaderMutationRules(allow_all_routing=True, allow_envoy=True, disallow_is_error=True),
        allow_mode_override=True,
        metadata_options=_build_metadata_options(plan),
        status_on_error=HttpStatus(code=StatusCode.InternalServerError),
    )


def _build_processing_mode(plan: Plan) -> ProcessingMode:
    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
        ProcessingMode,
        ProcessingModeBodySendMode,
        ProcessingModeHeaderSendMode,
    )

    body, header = ProcessingModeBodySendMode, ProcessingModeHeaderSendMode
    send = {True: header.SEND, False: header.SKIP}
    bodies: dict[BodyStyle, ProcessingModeBodySendMode] = {
        "": body.NONE,
        "whole": body.BUFFERED,
        "partial": body.BUFFERED_PARTIAL,
        "stream": body.STREAMED,
        "duplex": body.FULL_DUPLEX_STREAMED,
    }
    return ProcessingMode(
        request_header_mode=header.SEND,
        response_header_mode=send[plan.response_headers],
        request_body_mode=bodies[plan.request_body],
        response_body_mode=bodies[plan.response_body],
        request_trailer_mode=send[plan.request_trailers],
        response_trailer_mode=send[plan.response_trailers],
    )


def _build_metadata_options(plan: Plan) -> MetadataOptions | None:
    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
        MetadataOptions,
        MetadataOptionsMetadataNamespaces,
    )

    def select(names: tuple[str, ...]) -> MetadataOptionsMetadataNamespaces | None:
        return MetadataOptionsMetadataNamespaces(untyped=list(names)) if names else None

    if not plan.metadata_namespaces and not plan.written_namespaces:
        return None
    return MetadataOptions(
        forwarding_namespaces=select(plan.metadata_namespaces),
        receiving_namespaces=select(plan.written_namespaces),
    )


def _build_metadata_copy(plan: Plan) -> Lua:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua

    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in plan.written_namespaces)
    return Lua(default_source_code=DataSource(inline_string=_LUA % names))


def _build_grpc_service(
    plan: Plan, cluster: str, authority: str, *, timeout: timedelta | None
) -> GrpcService:
    from envoy_data_plane.envoy.config.core.v3 import GrpcService, GrpcServiceEnvoyGrpc, HeaderValue

    formats = build_metadata_formats(plan)
    return GrpcService(
        # what Envoy would add of its own (x-forwarded-for is that of this machine) is read by nobody
        envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=cluster, authority=authority, skip_envoy_headers=True),
        timeout=timeout,
        initial_metadata=[HeaderValue(key=key, value=value) for key, value in formats.items()],
    )


def _pack(name: str, message: betterproto2.Message) -> HttpFilter:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
    from envoy_data_plane.google.protobuf import Any

    return HttpFilter(name=name, typed_config=Any.pack(message))
