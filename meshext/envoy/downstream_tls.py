"""TLS towards clients: our certificate, and whose client certificates are believed.

`envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.errors import ConfigError

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.core.v3 import TransportSocket
    from envoy_data_plane.envoy.config.listener.v3 import ListenerFilter
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import CommonTlsContext


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamTls:
    """Paths of PEM files: certificate chain, its private key, and the CA of client certificates, if any.

    With a CA a client's certificate is verified where one is given; a client without one is served too,
    since who may do what is the filter's to say.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def parse_tls(certificate: str | None, key: str | None, client_ca: str | None) -> DownstreamTls | None:
    """What `--tls-cert`, `--tls-key` and `--client-ca` ask for together; None where none is given.

    ConfigError lists options that lack their partner and files that can not be read.
    """
    given = {"--tls-cert": certificate, "--tls-key": key, "--client-ca": client_ca}
    problems = [problem for option, name in given.items() if (problem := _file_problem(option, name))]
    if (certificate is None) != (key is None):
        option = "--tls-key" if key is None else "--tls-cert"
        problems.append(f"{option} is missing; a certificate and its key go together")
    elif client_ca is not None and certificate is None:
        problems.append("--client-ca needs --tls-cert and --tls-key; without TLS there are no certificates")
    if problems:
        raise ConfigError(problems, source="TLS")
    if certificate is None or key is None:
        return None
    return DownstreamTls(
        certificate=Path(certificate).absolute(),
        key=Path(key).absolute(),
        client_ca=None if client_ca is None else Path(client_ca).absolute(),
    )


@builds_messages
def build_transport_socket(tls: DownstreamTls) -> TransportSocket:
    """The transport socket of a filter chain that speaks TLS, offering HTTP/2 and HTTP/1.1."""
    from envoy_data_plane.envoy.config.core.v3 import TransportSocket
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import DownstreamTlsContext
    from envoy_data_plane.google.protobuf import Any

    context = DownstreamTlsContext(
        common_tls_context=_build_common(tls),
        # written out, for Envoy is going to change what leaving it out means
        require_client_certificate=False,
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=Any.pack(context))


@builds_messages
def build_tls_inspector() -> ListenerFilter:
    """The listener filter without which `connection.requested_server_name` has no value."""
    from envoy_data_plane.envoy.config.listener.v3 import ListenerFilter
    from envoy_data_plane.envoy.extensions.filters.listener.tls_inspector.v3 import TlsInspector
    from envoy_data_plane.google.protobuf import Any

    return ListenerFilter(name="envoy.filters.listener.tls_inspector", typed_config=Any.pack(TlsInspector()))


def _build_common(tls: DownstreamTls) -> CommonTlsContext:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
        CertificateValidationContext,
        CommonTlsContext,
        TlsCertificate,
    )

    pair = TlsCertificate(
        certificate_chain=DataSource(filename=str(tls.certificate)),
        private_key=DataSource(filename=str(tls.key)),
    )
    trusted = None
    if tls.client_ca is not None:
        trusted = CertificateValidationContext(trusted_ca=DataSource(filename=str(tls.client_ca)))
    return CommonTlsContext(
        tls_certificates=[pair], validation_context=trusted, alpn_protocols=["h2", "http/1.1"]
    )


def _file_problem(option: str, name: str | None) -> str:
    if name is None:
        return ""
    try:
        with open(name, "rb"):
            return ""
    except OSError as error:
        return f"{option} {name!r} can not be read: {error.strerror or error}"
