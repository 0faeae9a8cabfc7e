"""TLS from Envoy to the filter's service: whom Envoy believes, and what it shows of itself.

`envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.upstreams import Address, TcpAddress
from meshext.errors import ConfigError

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.core.v3 import TransportSocket
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
        CertificateValidationContext,
        CommonTlsContext,
        SubjectAltNameMatcher,
    )

SOURCE = "TLS"
_SPIFFE = "spiffe://"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTls:
    """PEM files as Envoy finds them, and the name that the service's certificate has to have.

    `name` is a DNS name, an IP address or a SPIFFE ID, and one of the certificate's subject alternative
    names: the CA alone would let anybody with a certificate of it answer. `certificate` and `key` are what
    Envoy shows, both or neither.
    """

    ca: str
    name: str
    certificate: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if not self.ca or not self.name:
            raise ValueError("TLS needs a CA and the service's name")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("a certificate and its key go together")


def parse_service_tls(
    ca: str | None, name: str | None, certificate: str | None, key: str | None, address: Address
) -> ServiceTls | None:
    """What `--ca`, `--server-name`, `--client-cert` and `--client-key` ask for; None where none is given.

    Without a name it is the host of the address. The files are Envoy's to read, perhaps on another machine.
    ConfigError lists options that lack their partner.
    """
    if not (ca or name or certificate or key):
        return None
    host = address.host if isinstance(address, TcpAddress) else ""
    problems = []
    if not ca:
        problems.append("--ca is missing; it says which CA's certificate the service has")
    if bool(certificate) != bool(key):
        missing = "--client-key" if certificate else "--client-cert"
        problems.append(f"{missing} is missing; a certificate and its key go together")
    if not (name or host):
        problems.append("--server-name is missing; the path of a socket is no name in a certificate")
    if problems:
        raise ConfigError(problems, source=SOURCE)
    return ServiceTls(ca=ca or "", name=name or host, certificate=certificate or "", key=key or "")


@builds_messages
def build_service_socket(tls: ServiceTls) -> TransportSocket:
    """The transport socket of the service's cluster."""
    from envoy_data_plane.envoy.config.core.v3 import TransportSocket
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import UpstreamTlsContext
    from envoy_data_plane.google.protobuf import Any

    sni = tls.name if _kind(tls.name) == "DNS" else ""
    context = UpstreamTlsContext(common_tls_context=_build_common(tls), sni=sni)
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=Any.pack(context))


def _build_common(tls: ServiceTls) -> CommonTlsContext:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import CommonTlsContext, TlsCertificate

    pair = TlsCertificate(
        certificate_chain=DataSource(filename=tls.certificate), private_key=DataSource(filename=tls.key)
    )
    return CommonTlsContext(
        tls_certificates=[pair] if tls.certificate else [],
        validation_context=_build_validation(tls),
        alpn_protocols=["h2"],  # gRPC's servers take nothing else, nor a client that says nothing
    )


def _build_validation(tls: ServiceTls) -> CertificateValidationContext:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import CertificateValidationContext

    return CertificateValidationContext(
        trusted_ca=DataSource(filename=tls.ca), match_typed_subject_alt_names=[_build_matcher(tls.name)]
    )


def _build_matcher(name: str) -> SubjectAltNameMatcher:
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
        SubjectAltNameMatcher,
        SubjectAltNameMatcherSanType,
    )
    from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

    kind = SubjectAltNameMatcherSanType[_kind(name)]
    return SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=name))


def _kind(name: str) -> str:
    """The kind of subject alternative name, as Envoy calls it."""
    if name.startswith(_SPIFFE):
        return "URI"
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "DNS"
    return "IP_ADDRESS"
