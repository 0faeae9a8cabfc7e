"""Who is at the other end of a connection: the certificate that it has shown, and nothing that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from meshext_controlplane.identity.errors import PeerError
from meshext_controlplane.identity.tokens import CONTROL_PLANE
from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer of mTLS; `serial` is its certificate's, in lower-case hexadecimal."""

    identity: SpiffeId
    serial: str
    not_after: datetime


def parse_peer(auth_context: Mapping[str, Sequence[bytes]]) -> Peer:
    """The peer of a gRPC call (`ServicerContext.auth_context()`), whose certificate TLS has verified.

    PeerError where it has shown none, or one with another number of URIs than one.
    """
    shown = auth_context.get("x509_pem_cert", ())
    if len(shown) != 1:
        raise PeerError("the client has shown no certificate")
    try:
        certificate = x509.load_pem_x509_certificate(bytes(shown[0]))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        if len(uris) != 1:
            raise PeerError(f"the client's certificate has {len(uris)} URIs; an SVID has one")
        identity = SpiffeId.parse(uris[0])
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        if isinstance(error, SpiffeIdError):
            raise PeerError(str(error)) from error
        raise PeerError("the client's certificate is no SVID") from error
    return Peer(identity, f"{certificate.serial_number:x}", certificate.not_valid_after_utc)


def check_peer(peer: Peer, *, trust_domain: str, now: datetime) -> None:
    """PeerError where the peer is no workload of this mesh, or its certificate has expired."""
    identity = peer.identity
    if identity.trust_domain != trust_domain:
        raise PeerError(f"{identity} is not of the trust domain {trust_domain}")
    if (identity.namespace, identity.service_account) == CONTROL_PLANE:
        raise PeerError(f"{identity} is the control plane's own, not a workload's")
    if peer.not_after <= now:
        raise PeerError(f"the certificate of {identity} has expired: use the renewed one, or join again")
