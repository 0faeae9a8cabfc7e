"""TLS of a gateway's servers: certificates over ADS, and what clients have to show."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.server_tls import ServerTls
from meshext_controlplane.translate.gateway_secrets import Material
from meshext_controlplane.translate.messages import build_ads, pack
from meshext_controlplane.translate.tls import TLS_SOCKET, build_server_socket, exact_matchers
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2

_Parameters = common_pb2.TlsParameters
_VERSIONS = {"TLSV1_2": _Parameters.TLSv1_2, "TLSV1_3": _Parameters.TLSv1_3}


def build_gateway_socket(
    tls: ServerTls, material: Material, config: MeshConfigSpec, alpn: Iterable[str]
) -> base_pb2.TransportSocket:
    """The socket of a server where TLS ends.

    Sessions of clients that show a certificate are never resumed: a resumed one would not look at expiry and
    revocation again.
    """
    if tls.mode == "ISTIO_MUTUAL":
        domains = (config.trust_domain, *config.trust_domain_aliases)
        return build_server_socket(
            domains, alpn=alpn, names=tls.subject_alt_names, parameters=build_parameters(tls)
        )
    context = tls_pb2.DownstreamTlsContext()
    common = context.common_tls_context
    common.tls_params.CopyFrom(build_parameters(tls))
    common.alpn_protocols.extend(alpn)
    for each in material.certificates:
        common.tls_certificate_sds_secret_configs.append(_build_source(each.name))
    if material.authorities is not None:
        context.require_client_certificate.value = tls.mode == "MUTUAL"
        context.disable_stateless_session_resumption = True
        context.disable_stateful_session_resumption = True
        combined = common.combined_validation_context
        combined.validation_context_sds_secret_config.CopyFrom(_build_source(material.authorities.name))
        combined.default_validation_context.CopyFrom(_build_validation(tls))
    return base_pb2.TransportSocket(name=TLS_SOCKET, typed_config=pack(context))


def build_parameters(tls: ServerTls) -> common_pb2.TlsParameters:
    """Versions and cipher suites; TLS 1.2 and 1.3 where nothing is said."""
    return _Parameters(
        tls_minimum_protocol_version=_VERSIONS.get(tls.min_protocol_version, _Parameters.TLSv1_2),
        tls_maximum_protocol_version=_VERSIONS.get(tls.max_protocol_version, _Parameters.TLSv1_3),
        cipher_suites=tls.cipher_suites,
    )


def _build_validation(tls: ServerTls) -> common_pb2.CertificateValidationContext:
    return common_pb2.CertificateValidationContext(
        match_typed_subject_alt_names=exact_matchers(tls.subject_alt_names),
        verify_certificate_spki=tls.verify_certificate_spki,
        verify_certificate_hash=tls.verify_certificate_hash,
    )


def _build_source(name: str) -> secret_pb2.SdsSecretConfig:
    return secret_pb2.SdsSecretConfig(name=name, sds_config=build_ads())
