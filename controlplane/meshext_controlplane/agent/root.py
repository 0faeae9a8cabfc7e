"""The root of the mesh, from the control plane itself, made sure of by its fingerprint in the token.

The TLS handshake is made without a word said over it; what the server shows is looked for the root.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.channels import SERVER_NAME
from meshext_controlplane.agent.clock import explain_validity
from meshext_controlplane.agent.errors import ForgedServerError, UnreachableError

TIME_LIMIT = 10.0  # seconds
_PIECE = 16_384  # bytes read at once
_LONGEST = 262_144  # bytes of a handshake; OpenSSL takes 100 KB of certificates


async def fetch_trust(address: TcpAddress, fingerprint: bytes, *, time_limit: float = TIME_LIMIT) -> bytes:
    """Whom to trust, PEM: the root whose SHA-256 is `fingerprint`, as the server at `address` shows it, and
    the authorities that it has signed.

    While the mesh goes from one root to another, the server's issuer stands below both. What is shown first
    leads to the newer one, and a verifier looks no further than that unless it holds the other way itself.

    ForgedServerError where it shows another one, UnreachableError where it is not there, speaks no TLS, or
    shows certificates that are not valid by our clock.
    """
    try:
        async with asyncio.timeout(time_limit):
            shown = await _shake_hands(address)
    except TimeoutError:
        raise UnreachableError(f"{address} did not finish a TLS handshake in {time_limit:g} s") from None
    except OSError as error:
        raise UnreachableError(
            f"can not reach the control plane at {address}: {error.strerror or error}"
        ) from None
    except SSL.Error:
        raise UnreachableError(f"{address} speaks no TLS; is it the control plane's --join?") from None
    root = _find_root(shown, fingerprint, address)
    if problem := explain_validity(shown, datetime.now(UTC)):
        raise UnreachableError(problem)
    trusted = [root, *(each for each in shown if _is_authority_below(root, each))]
    return b"".join(each.public_bytes(Encoding.PEM) for each in trusted)


def _find_root(
    shown: Iterable[x509.Certificate], fingerprint: bytes, address: TcpAddress
) -> x509.Certificate:
    for certificate in shown:
        if hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest() == fingerprint:
            return certificate
    raise ForgedServerError(
        f"the server at {address} does not have the root that the token speaks of: it is another"
        " control plane or a forged one, and nothing was sent to it; or the mesh has another root since:"
        " then ask for a new token (meshext token create)"
    )


def _is_authority_below(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the root has signed it as an authority (RFC 5280, 4.2.1.9)."""
    try:
        certificate.verify_directly_issued_by(root)
        return (
            certificate != root
            and certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        )
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


async def _shake_hands(address: TcpAddress) -> list[x509.Certificate]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        connection = SSL.Connection(_build_context(), None)
        connection.set_tlsext_host_name(SERVER_NAME.encode())
        connection.set_connect_state()
        read = 0
        while not _advance(connection, writer):
            data = await reader.read(_PIECE)
            read += len(data)
            if not data or read > _LONGEST:
                raise UnreachableError(f"{address} broke off the TLS handshake")
            connection.bio_write(data)
        return connection.get_peer_cert_chain(as_cryptography=True) or []
    finally:
        writer.close()


def _advance(connection: SSL.Connection, writer: asyncio.StreamWriter) -> bool:
    """One step of the handshake; True once it is finished."""
    finished = True
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        finished = False
    with suppress(SSL.WantReadError):
        writer.write(connection.bio_read(_PIECE))
    return finished


def _build_context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_alpn_protos([b"h2"])
    return context
