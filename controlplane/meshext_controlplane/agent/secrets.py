"""What Envoy gets of an SVID: the secrets `default` and `ROOTCA`, each with a version."""

from __future__ import annotations

from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2

DEFAULT = "default"
"""Certificate and key."""

ROOTCA = "ROOTCA"
"""Roots, and the certificates that are revoked."""


def build_secrets(svid: Svid) -> dict[str, Resource]:
    """Both secrets by name, as `envoy.extensions.transport_sockets.tls.v3.Secret`.

    Envoy wants a CRL of each issuer of a chain as soon as it has one of any, unless it is told to look at
    the leaf's only, which is the one that the control plane bans.
    """
    certificate = common_pb2.TlsCertificate()
    certificate.certificate_chain.inline_bytes = svid.chain_pem
    certificate.private_key.inline_bytes = svid.key_pem
    context = common_pb2.CertificateValidationContext()
    context.trusted_ca.inline_bytes = svid.roots_pem
    if svid.revocations:
        context.crl.inline_bytes = svid.revocations_pem
        context.only_verify_leaf_cert_crl = True
    return {
        DEFAULT: encode_resource(DEFAULT, secret_pb2.Secret(name=DEFAULT, tls_certificate=certificate)),
        ROOTCA: encode_resource(ROOTCA, secret_pb2.Secret(name=ROOTCA, validation_context=context)),
    }
