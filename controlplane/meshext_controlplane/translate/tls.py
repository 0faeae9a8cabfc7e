"""TLS between sidecars: certificates over SDS, peers known by their SPIFFE identities."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_controlplane.translate.messages import build_sds, pack
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from meshext_proto.envoy.type.matcher.v3 import string_pb2

CERTIFICATE = "default"
"""The secret with the workload's certificate and key."""

ROOTS = "ROOTCA"
"""The secret with the mesh's roots and revocations."""

MESH_ALPN = "meshext"
"""What sidecars offer, and nothing else: so a port that also takes plaintext knows them."""

SanMatcher = common_pb2.SubjectAltNameMatcher
SERVER_ALPN = ("h2", "http/1.1")
TLS_SOCKET = "envoy.transport_sockets.tls"
_RAW_SOCKET = "envoy.transport_sockets.raw_buffer"


def build_raw_socket() -> base_pb2.TransportSocket:
    """Plaintext."""
    return base_pb2.TransportSocket(name=_RAW_SOCKET, typed_config=pack(raw_buffer_pb2.RawBuffer()))


def build_server_socket(
    trust_domains: Iterable[str],
    *,
    alpn: Iterable[str],
    names: Iterable[str] = (),
    parameters: common_pb2.TlsParameters | None = None,
) -> base_pb2.TransportSocket:
    """TLS of an inbound port: a certificate of one of the trust domains is required, or of one of `names`.

    Sessions are never resumed: a resumed one would not look at bans and expiry again.
    """
    matchers = exact_matchers(names) or trust_matchers(trust_domains)
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context=_build_common(matchers, alpn, parameters),
        disable_stateless_session_resumption=True,
        disable_stateful_session_resumption=True,
    )
    context.require_client_certificate.value = True
    return base_pb2.TransportSocket(name=TLS_SOCKET, typed_config=pack(context))


def build_peer_socket(
    server_name: str, names: Iterable[str], trust_domains: Iterable[str], *, alpn: str = MESH_ALPN
) -> base_pb2.TransportSocket:
    """TLS to other sidecars, which prove one of the names; any identity of the mesh where none is known."""
    exact = exact_matchers(sorted(names))
    context = tls_pb2.UpstreamTlsContext(
        common_tls_context=_build_common(exact or trust_matchers(trust_domains), [alpn]),
        sni=server_name,
    )
    context.max_session_keys.value = 0
    return base_pb2.TransportSocket(name=TLS_SOCKET, typed_config=pack(context))


def trust_matchers(trust_domains: Iterable[str]) -> list[SanMatcher]:
    """Matchers of every identity of these trust domains."""
    return [_uri(string_pb2.StringMatcher(prefix=f"spiffe://{domain}/")) for domain in trust_domains]


def exact_matchers(names: Iterable[str]) -> list[SanMatcher]:
    """Matchers of these names: a URI where there is a scheme, else a name of DNS."""
    return [
        SanMatcher(
            san_type=SanMatcher.URI if "://" in each else SanMatcher.DNS,
            matcher=string_pb2.StringMatcher(exact=each),
        )
        for each in names
    ]


def tls_versions() -> common_pb2.TlsParameters:
    """TLS 1.2 and 1.3."""
    return common_pb2.TlsParameters(
        tls_minimum_protocol_version=common_pb2.TlsParameters.TLSv1_2,
        tls_maximum_protocol_version=common_pb2.TlsParameters.TLSv1_3,
    )


def _uri(matcher: string_pb2.StringMatcher) -> SanMatcher:
    return SanMatcher(san_type=SanMatcher.URI, matcher=matcher)


def _build_common(
    matchers: Iterable[SanMatcher],
    alpn: Iterable[str],
    parameters: common_pb2.TlsParameters | None = None,
) -> tls_pb2.CommonTlsContext:
    source = build_sds()
    combined = tls_pb2.CommonTlsContext.CombinedCertificateValidationContext(
        default_validation_context=common_pb2.CertificateValidationContext(
            match_typed_subject_alt_names=matchers
        ),
        validation_context_sds_secret_config=secret_pb2.SdsSecretConfig(name=ROOTS, sds_config=source),
    )
    return tls_pb2.CommonTlsContext(
        tls_params=parameters or tls_versions(),
        tls_certificate_sds_secret_configs=[secret_pb2.SdsSecretConfig(name=CERTIFICATE, sds_config=source)],
        combined_validation_context=combined,
        alpn_protocols=alpn,
    )
