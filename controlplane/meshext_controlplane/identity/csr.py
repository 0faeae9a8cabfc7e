"""Requests for certificates (PKCS #10, RFC 2986): what is taken of one is its public key and nothing else.

Whatever else a request names is refused and not just left out, so that nobody believes to have got it: a
subject, extensions but the one name, attributes. The one name may be left out, as a workload that joins
does not know it; where it stands it is exactly the identity that was proved.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from meshext_controlplane.identity.errors import CsrError
from meshext_controlplane.identity.keys import PublicKey, key_id
from meshext_controlplane.model.spiffe import SpiffeId

LARGEST = 8192  # bytes
CURVES = ("secp256r1", "secp384r1")
RSA_BITS = range(2048, 4096 + 1)
RSA_EXPONENT = 65537  # FIPS 186-5 allows no smaller one, and larger ones only cost time
HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A key whose holder has signed the request; `key_id` is the SHA-256 of its SubjectPublicKeyInfo."""

    key: PublicKey
    key_id: bytes


def check_csr(der: bytes, identity: SpiffeId) -> CheckedRequest:
    """The key of a request that this identity may make; CsrError says what is wrong with any other."""
    if len(der) > LARGEST:
        raise CsrError(f"the request has {len(der)} bytes; more than {LARGEST} are not read")
    try:
        request = x509.load_der_x509_csr(der)
        key = check_key(request.public_key())
        _check_signature(request)
        _check_content(request, identity)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise CsrError("the request is no PKCS #10 in DER that we understand") from error
    except (x509.DuplicateExtension, x509.InvalidVersion, x509.ExtensionNotFound) as error:
        raise CsrError(f"the request is not well formed: {error}") from error
    return CheckedRequest(key, key_id(key))


def check_key(key: object) -> PublicKey:
    """A public key of a kind and size that peers take and that costs no more than it should."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise CsrError(f"a key on the curve {key.curve.name} is not taken; use {' or '.join(CURVES)}")
        return key
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in RSA_BITS or key.public_numbers().e != RSA_EXPONENT:
            raise CsrError(
                f"an RSA key of {key.key_size} bits with this exponent is not taken;"
                f" use 2048 to 4096 bits and {RSA_EXPONENT}"
            )
        return key
    raise CsrError("a key of this kind is not taken; use ECDSA (P-256, P-384) or RSA")


def _check_signature(request: x509.CertificateSigningRequest) -> None:
    algorithm: hashes.HashAlgorithm | None = request.signature_hash_algorithm
    if algorithm is None or algorithm.name not in HASHES:
        raise CsrError(f"the request is not signed with one of {', '.join(HASHES)}")
    if not request.is_signature_valid:
        raise CsrError("the request's signature is not that of its key")


def _check_content(request: x509.CertificateSigningRequest, identity: SpiffeId) -> None:
    if len(request.subject):
        raise CsrError("the request names a subject; leave it empty, identities are URIs")
    for attribute in request.attributes:
        if attribute.oid != _EXTENSION_REQUEST:
            raise CsrError(f"the request has the attribute {attribute.oid.dotted_string}; leave it out")
    for extension in request.extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName):
            raise CsrError(f"the request asks for the extension {extension.oid.dotted_string}; leave it out")
        _check_names(list(extension.value), identity)


def _check_names(names: list[x509.GeneralName], identity: SpiffeId) -> None:
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    if len(names) != 1 or len(uris) != 1:
        raise CsrError(f"the request has {len(names)} names; it may have one, the URI {identity}")
    if uris[0] != str(identity):
        raise CsrError(f"the request is for {uris[0][:200]!r}; its sender has proved {identity}")


_EXTENSION_REQUEST = x509.ObjectIdentifier("1.2.840.113549.1.9.14")  # RFC 2985 section 5.4.2
