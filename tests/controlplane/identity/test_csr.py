"""Requests for certificates: whatever they ask for, only the key is taken, and only of a good one."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.csr import LARGEST, check_csr
from meshext_controlplane.identity.errors import CsrError
from meshext_controlplane.identity.keys import key_id
from meshext_controlplane.model.spiffe import SpiffeId
from tests.controlplane.identity.conftest import WEB
from tests.controlplane.identity.requests import KEY, csr, curve_key, uri

RSA_2048 = rsa.generate_private_key(65537, 2048)
RSA_1024 = rsa.generate_private_key(65537, 1024)


@pytest.mark.parametrize("key", [KEY, curve_key(ec.SECP384R1()), RSA_2048], ids=["p256", "p384", "rsa"])
@pytest.mark.parametrize("names", [(), (uri(str(WEB)),)], ids=["unnamed", "named"])
def test_a_good_request(key: ec.EllipticCurvePrivateKey, names: tuple[x509.GeneralName, ...]) -> None:
    assert check_csr(csr(*names, key=key), WEB).key_id == key_id(key.public_key())


OTHERS = [
    "spiffe://shop.example/ns/shop/sa/other",
    "spiffe://shop.example/ns/other/sa/web",
    "spiffe://other.example/ns/shop/sa/web",
    "spiffe://shop.example.evil/ns/shop/sa/web",
    "spiffe://shop.example/ns/shop/sa/web/",
    "spiffe://shop.example/ns/shop/sa/web/../api",
    "spiffe://shop.example//ns/shop/sa/web",
    "spiffe://shop.example/ns/shop/sa/./web",
    "spiffe://shop.example/ns/shop/sa/%77eb",
    "spiffe://shop.example/ns/shop/sa/web?x",
    "spiffe://shop.example/ns/shop/sa/web#x",
    "spiffe://shop.example:443/ns/shop/sa/web",
    "spiffe://me@shop.example/ns/shop/sa/web",
    "SPIFFE://shop.example/ns/shop/sa/web",
    "spiffe://Shop.example/ns/shop/sa/web",
    " spiffe://shop.example/ns/shop/sa/web",
    "spiffe://shop.example/ns/shop/sa/web\x00",
    "https://shop.example/ns/shop/sa/web",
    "",
]


@pytest.mark.parametrize("text", OTHERS)
def test_a_name_that_was_not_proved(text: str) -> None:
    with pytest.raises(CsrError):
        check_csr(csr(uri(text)), WEB)


WEB_URI = uri(str(WEB))
EXTRA_NAMES: list[tuple[x509.GeneralName, ...]] = [
    (WEB_URI, uri("spiffe://shop.example/ns/shop/sa/admin")),
    (uri("spiffe://shop.example/ns/shop/sa/admin"), WEB_URI),
    (WEB_URI, WEB_URI),
    (WEB_URI, x509.DNSName("controlplane.meshext.internal")),
    (x509.DNSName("web.shop.svc.cluster.local"),),
    (WEB_URI, x509.IPAddress(ip_address("127.0.0.1"))),
    (WEB_URI, x509.RFC822Name("web@shop.example")),
    (WEB_URI, x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03web")),
]


@pytest.mark.parametrize("names", EXTRA_NAMES, ids=[str(number) for number in range(len(EXTRA_NAMES))])
def test_more_names_than_one(names: tuple[x509.GeneralName, ...]) -> None:
    with pytest.raises(CsrError, match=r"the request has . names; it may have one, the URI spiffe://shop"):
        check_csr(csr(*names), WEB)


@pytest.mark.parametrize(
    "extension",
    [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.BasicConstraints(ca=False, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),
        x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[uri("a")]),
        x509.IssuerAlternativeName([uri("spiffe://a")]),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    ],
    ids=["ca", "no-ca", "usage", "constraints", "issuer", "unknown"],
)
def test_other_extensions(extension: x509.ExtensionType) -> None:
    with pytest.raises(CsrError, match=r"asks for the extension .*; leave it out"):
        check_csr(csr(WEB_URI, extensions=[extension]), WEB)


def test_a_subject() -> None:
    with pytest.raises(CsrError, match="names a subject"):
        check_csr(csr(WEB_URI, subject="admin"), WEB)


def test_an_attribute() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"secret")
    with pytest.raises(CsrError, match=r"has the attribute 1\.2\.840"):
        check_csr(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER), WEB)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (RSA_1024, "an RSA key of 1024 bits"),
        (rsa.generate_private_key(3, 2048), "an RSA key of 2048 bits with this exponent"),
        (curve_key(ec.SECP256K1()), "a key on the curve secp256k1"),
        (curve_key(ec.SECP521R1()), "a key on the curve secp521r1"),
    ],
)
def test_keys_that_are_not_taken(key: ec.EllipticCurvePrivateKey, reason: str) -> None:
    with pytest.raises(CsrError, match=reason):
        check_csr(csr(key=key), WEB)


def test_a_key_of_another_kind() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)
    with pytest.raises(CsrError, match="a key of this kind"):
        check_csr(request, WEB)


def test_a_huge_request_is_not_read() -> None:
    many = [uri(f"spiffe://shop.example/ns/shop/sa/web{number}") for number in range(200)]
    assert len(csr(*many)) > LARGEST
    with pytest.raises(CsrError, match="more than 8192 are not read"):
        check_csr(csr(*many), WEB)


def test_a_weak_signature() -> None:
    with pytest.raises(CsrError, match="not signed with one of sha256, sha384, sha512"):
        check_csr(csr(digest=hashes.SHA224()), WEB)


def test_the_key_of_somebody_else() -> None:
    """The public key was put in the place of the signer's: nobody gets a certificate for a key he has not."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    other = curve_key(ec.SECP256R1()).public_key().public_bytes(*form)
    forged = csr().replace(KEY.public_key().public_bytes(*form), other)
    with pytest.raises(CsrError, match="signature is not that of its key"):
        check_csr(forged, WEB)


GOOD = csr(WEB_URI)


@given(place=st.integers(0, len(GOOD) - 1), bits=st.integers(1, 255))
@settings(max_examples=400)
def test_nothing_that_is_signed_can_be_changed(place: int, bits: int) -> None:
    """Around it DER leaves a little room: bits of the signature that are declared unused, its second form."""
    changed = bytearray(GOOD)
    changed[place] ^= bits
    try:
        found = check_csr(bytes(changed), WEB)
    except CsrError:
        return
    assert found.key_id == key_id(KEY.public_key())
    signed = [x509.load_der_x509_csr(each).tbs_certrequest_bytes for each in (GOOD, bytes(changed))]
    assert signed[0] == signed[1]


@given(
    st.binary(max_size=300) | st.builds(lambda cut, tail: GOOD[:cut] + tail, st.integers(0, 400), st.binary())
)
def test_garbage_is_refused(content: bytes) -> None:
    if content == GOOD:
        return
    with pytest.raises(CsrError):
        check_csr(content, WEB)


def test_what_is_issued(authority: CertificateAuthority) -> None:
    """Nothing in it but the identity, whatever key was asked for; signed by the chain up to the root."""
    svid = authority.issue(csr(WEB_URI, key=RSA_2048), WEB)
    leaf, issuing = (x509.load_der_x509_certificate(each) for each in svid.chain)
    root = x509.load_der_x509_certificate(svid.trust.roots[0])
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    assert len(leaf.subject) == 0
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert list(names.value) == [WEB_URI]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert (leaf.not_valid_after_utc - authority.clock()).total_seconds() == 86400
    assert (authority.clock() - leaf.not_valid_before_utc).total_seconds() == 3900
    assert issuing.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "shop.example issuing"


labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
identities = st.builds(SpiffeId, st.sampled_from(["shop.example", "a.b"]), labels, labels)


@given(proved=identities, asked=identities)
def test_a_request_is_good_for_its_own_identity_only(proved: SpiffeId, asked: SpiffeId) -> None:
    request = csr(uri(str(asked)))
    if proved == asked:
        assert check_csr(request, proved).key_id == key_id(KEY.public_key())
    else:
        with pytest.raises(CsrError):
            check_csr(request, proved)
