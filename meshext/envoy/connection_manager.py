"""The HTTP connection manager in front of the filter, with nothing left to guess about a request.

Paths are normalised as far as Envoy can, so that the filter decides on the path that the upstream gets, and
what a client claims about itself (x-forwarded-for, x-forwarded-client-cert) is not believed.
`envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.routes import Route, build_route_configuration

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions, HttpProtocolOptions
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManager,
        HttpConnectionManagerForwardClientCertDetails,
        HttpConnectionManagerPathWithEscapedSlashesAction,
        HttpConnectionManagerSetCurrentClientCertDetails,
        HttpConnectionManagerUpgradeConfig,
        HttpFilter,
    )

STREAMS = 1024
"""HTTP/2 streams at once on a client's connection; Envoy's default is 2^31 - 1."""

CONNECTION_WINDOW = 16 * 1024 * 1024
"""Bytes that all HTTP/2 streams of a connection together may have under way."""

MAX_WINDOW = 2**31 - 1
"""The largest window there is, in bytes (RFC 9113 section 6.9.1)."""

STREAM_IDLE = timedelta(minutes=5)
"""How long an exchange may stand still, no byte either way; the one limit on its length, see `routes`."""

UPGRADES = ("websocket",)
"""What a client may turn its connection into; Envoy answers 403 to any other upgrade."""

ACCESS_FIELDS = {
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "route": "%ROUTE_NAME%",
    "upstream": "%UPSTREAM_CLUSTER_RAW%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "duration_ms": "%DURATION%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
}
"""A line of the access log is one JSON object with these keys; null where Envoy has no value.

Under `metadata` stands what filters wrote with `set_metadata`, by namespace.
"""


@builds_messages
def build_connection_manager(
    filters: Sequence[HttpFilter],
    routes: Sequence[Route],
    *,
    tls: bool,
    buffer_limit: int,
    namespaces: Iterable[str] = (),
    over_http2: Collection[str] = (),
) -> HttpConnectionManager:
    """The connection manager with these HTTP filters and Envoy's router behind them (see `routes`).

    `buffer_limit` is what a stream of HTTP/2 may hold of a body, in bytes; for HTTP/1 the listener says it.
    With `tls` the URI of a verified client certificate is passed on in x-forwarded-client-cert; what the
    client itself wrote there is removed in any case.
    """
    from envoy_data_plane.envoy.config.core.v3 import Http1ProtocolOptions
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManager,
    )

    return HttpConnectionManager(
        stat_prefix="meshext",
        route_config=build_route_configuration(routes, over_http2),
        http_filters=[*filters, _build_router()],
        common_http_protocol_options=_build_common_options(),
        http_protocol_options=Http1ProtocolOptions(enable_trailers=True),
        http2_protocol_options=_build_http2_options(buffer_limit),
        stream_idle_timeout=STREAM_IDLE,
        request_headers_timeout=timedelta(seconds=30),
        access_log=[build_access_log(namespaces)],
        use_remote_address=True,
        generate_request_id=True,
        always_set_request_id_in_response=True,
        forward_client_cert_details=_forward_certificate(tls),
        set_current_client_cert_details=_build_certificate_details() if tls else None,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=_unescape_slashes(),
        upgrade_configs=_build_upgrades(),
    )


@builds_messages
def build_access_log(namespaces: Iterable[str]) -> AccessLog:
    """One JSON object a line on standard output; see `ACCESS_FIELDS`."""
    from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
    from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
    from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
    from envoy_data_plane.google.protobuf import Any, Struct

    fields: dict[str, object] = dict(ACCESS_FIELDS)
    if metadata := {name: f"%DYNAMIC_METADATA({name})%" for name in namespaces}:
        fields["metadata"] = metadata
    form = SubstitutionFormatString(json_format=Struct.from_dict(fields))
    return AccessLog(
        name="envoy.access_loggers.stdout", typed_config=Any.pack(StdoutAccessLog(log_format=form))
    )


def _unescape_slashes() -> HttpConnectionManagerPathWithEscapedSlashesAction:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManagerPathWithEscapedSlashesAction,
    )

    return HttpConnectionManagerPathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD


def _forward_certificate(tls: bool) -> HttpConnectionManagerForwardClientCertDetails:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManagerForwardClientCertDetails,
    )

    forward = HttpConnectionManagerForwardClientCertDetails
    return forward.SANITIZE_SET if tls else forward.SANITIZE


def _build_common_options() -> HttpProtocolOptions:
    from envoy_data_plane.envoy.config.core.v3 import (
        HttpProtocolOptions,
        HttpProtocolOptionsHeadersWithUnderscoresAction,
    )

    # many servers take `x_user` and `x-user` for the same header, and a filter looks at one of them
    action = HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST
    return HttpProtocolOptions(headers_with_underscores_action=action, idle_timeout=timedelta(hours=1))


def _build_http2_options(buffer_limit: int) -> Http2ProtocolOptions:
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions

    # Envoy buffers a stream up to its window, whatever limit the listener has; 16 MiB unless told.
    return Http2ProtocolOptions(
        max_concurrent_streams=STREAMS,
        initial_stream_window_size=min(buffer_limit, MAX_WINDOW),
        initial_connection_window_size=min(max(buffer_limit, CONNECTION_WINDOW), MAX_WINDOW),
        allow_connect=True,  # WebSocket over HTTP/2 (RFC 8441); no route takes a plain CONNECT
    )


def _build_upgrades() -> list[HttpConnectionManagerUpgradeConfig]:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManagerUpgradeConfig,
    )

    return [HttpConnectionManagerUpgradeConfig(upgrade_type=name) for name in UPGRADES]


def _build_certificate_details() -> HttpConnectionManagerSetCurrentClientCertDetails:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
        HttpConnectionManagerSetCurrentClientCertDetails,
    )

    return HttpConnectionManagerSetCurrentClientCertDetails(uri=True)


def _build_router() -> HttpFilter:
    from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
    from envoy_data_plane.google.protobuf import Any

    return HttpFilter(name="envoy.filters.http.router", typed_config=Any.pack(Router()))
