"""How a cluster's connections are secured: mTLS of the mesh by itself, or what a DestinationRule says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshext_controlplane.model.traffic_policy import ClientTls
from meshext_controlplane.translate.endpoints import H2, grpc_tls_match, mesh_tls_match
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.tls import (
    TLS_SOCKET,
    build_peer_socket,
    build_raw_socket,
    exact_matchers,
    tls_versions,
)
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2

SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
"""Where systems keep the authorities that they trust. Envoy has no setting for that, and wants a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Who may be behind a cluster: the names that its sidecars ask for and prove, or any of the mesh's.

    `host` is the service's, which others than sidecars are asked for and prove. `grpc` where some are gRPC
    servers without one, which ask for `h2`.
    """

    host: str
    server_name: str
    names: frozenset[str]
    trust_domains: tuple[str, ...]
    grpc: bool = False


def set_mesh_tls(cluster: cluster_pb2.Cluster, peers: Peers) -> None:
    """mTLS to the endpoints whose sidecars take it, plaintext to the others."""
    matches = cluster.transport_socket_matches
    known = (peers.server_name, peers.names, peers.trust_domains)
    if peers.grpc:
        matches.add(name="grpc", match=grpc_tls_match(), transport_socket=build_peer_socket(*known, alpn=H2))
    socket = build_peer_socket(*known)
    matches.add(name="meshext", match=mesh_tls_match(), transport_socket=socket)
    matches.add(name="plaintext", transport_socket=build_raw_socket())


def set_client_tls(cluster: cluster_pb2.Cluster, tls: ClientTls, peers: Peers, protocol: Protocol) -> bool:
    """What the rule says, for all endpoints. True where the server's name is to come from the request."""
    if tls.mode == "DISABLE":
        cluster.transport_socket.CopyFrom(build_raw_socket())
    elif tls.mode == "ISTIO_MUTUAL":
        names = frozenset(tls.subject_alt_names) or peers.names
        socket = build_peer_socket(tls.sni or peers.server_name, names, peers.trust_domains)
        cluster.transport_socket.CopyFrom(socket)
    else:
        cluster.transport_socket.CopyFrom(_build_own(tls, peers, protocol))
        return not tls.sni and protocol.is_http
    return False


def _build_own(tls: ClientTls, peers: Peers, protocol: Protocol) -> base_pb2.TransportSocket:
    server = tls.sni or ("" if protocol.is_http or peers.host.startswith("*") else peers.host)
    context = tls_pb2.UpstreamTlsContext(sni=server)
    context.max_session_keys.value = 0
    common = context.common_tls_context
    common.tls_params.CopyFrom(tls_versions())
    common.alpn_protocols.extend(_alpn(protocol))
    if tls.mode == "MUTUAL":
        common.tls_certificates.add(
            certificate_chain=base_pb2.DataSource(filename=tls.client_certificate),
            private_key=base_pb2.DataSource(filename=tls.private_key),
        )
    common.validation_context.CopyFrom(_build_validation(tls, peers, server))
    return base_pb2.TransportSocket(name=TLS_SOCKET, typed_config=pack(context))


def _build_validation(tls: ClientTls, peers: Peers, server: str) -> common_pb2.CertificateValidationContext:
    validation = common_pb2.CertificateValidationContext()
    if tls.insecure_skip_verify:
        validation.trust_chain_verification = common_pb2.CertificateValidationContext.ACCEPT_UNTRUSTED
        return validation
    own = tls.ca_certificates not in ("", "system")
    validation.trusted_ca.filename = tls.ca_certificates if own else SYSTEM_ROOTS
    names = tls.subject_alt_names or tuple(peers.names) or ((server,) if server else ())
    validation.match_typed_subject_alt_names.extend(exact_matchers(sorted(names)))
    return validation


def _alpn(protocol: Protocol) -> Iterable[str]:
    if not protocol.is_http:
        return ()
    return ("h2",) if protocol.is_http2 else ("http/1.1",)
