"""Tells all that Envoy says beside the messages, for a comparison of the ways in which it says so."""

from __future__ import annotations

import json

from meshext import Filter, Request, Response

EARLY = (
    "request.path",
    "request.url_path",
    "request.host",
    "request.scheme",
    "request.method",
    "request.referer",
    "request.useragent",
    "request.query",
    "request.size",
    "request.total_size",
    "request.headers_bytes",
    "request.protocol",
    "request.time",
    "upstream.num_endpoints",
    "xds.virtual_host_name",
    "xds.listener_direction",
    "xds.route_name",
    "xds.cluster_name",
    "xds.filter_chain_name",
    "source.address",
    "source.port",
    "destination.address",
    "destination.port",
    "connection.id",
    "connection.mtls",
    "connection.requested_server_name",
    "connection.tls_version",
    "connection.subject_local_certificate",
    "connection.subject_peer_certificate",
    "connection.sha256_peer_certificate_digest",
    "connection.transport_failure_reason",
    "connection.dns_san_local_certificate",
    "connection.dns_san_peer_certificate",
    "connection.uri_san_local_certificate",
    "connection.uri_san_peer_certificate",
)
LATE = (
    "response.code",
    "response.flags",
    "response.grpc_status",
    "response.headers_bytes",
    "response.code_details",
    "upstream.address",
    "upstream.port",
    "upstream.local_address",
    "upstream.tls_version",
    "upstream.request_attempt_count",
    "upstream.transport_failure_reason",
    "upstream.cx_pool_ready_duration",
)


class Surroundings(Filter):
    """All of it on the response, as JSON."""

    attributes = EARLY + LATE

    def on_request(self, request: Request) -> None:
        """What there is at the request."""
        told: dict[str, object] = {name: request.attribute(name) for name in EARLY}
        told["peer.principal"] = request.peer.principal
        told["peer.address"] = request.peer.address
        told["peer.tls"] = request.peer.tls
        told["client_address"] = request.client_address
        told["route"] = request.route
        told["cluster"] = request.cluster
        told["too early"] = request.attribute("response.code")
        request.response_headers["x-early"] = json.dumps(told)

    def on_response(self, response: Response) -> None:
        """What there is at the response."""
        told: dict[str, object] = {name: response.attribute(name) for name in LATE}
        told["still there"] = response.attribute("request.path")
        response.headers["x-late"] = json.dumps(told)
