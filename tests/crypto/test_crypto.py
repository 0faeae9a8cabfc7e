"""Signatures by fresh keys: good ones, changed ones, and keys that do not fit the algorithm."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from meshext.crypto import Algorithm, verify_signature

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


@dataclass(frozen=True, slots=True)
class Signer:
    pem: bytes
    sign: Callable[[bytes], bytes]


def pem_of(public: Any) -> bytes:
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(text, bytes)
    return text


def raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def signers() -> dict[Algorithm, Signer]:
    big, curve, edwards = rsa_key(), ec_key(), ed25519.Ed25519PrivateKey.generate()
    return {
        "RS256": Signer(pem_of(big.public_key()), lambda m: big.sign(m, padding.PKCS1v15(), SHA256())),
        "ES256": Signer(pem_of(curve.public_key()), lambda m: raw(curve.sign(m, ec.ECDSA(SHA256())))),
        "EdDSA": Signer(pem_of(edwards.public_key()), edwards.sign),
    }


@given(st.sampled_from(ALGORITHMS), st.binary(max_size=200), st.data())
def test_only_the_exact_message_and_signature_pass(
    algorithm: Algorithm, message: bytes, data: st.DataObject
) -> None:
    signer = signers()[algorithm]
    signature = signer.sign(message)
    assert verify_signature(algorithm, signer.pem, message, signature)
    assert verify_signature(algorithm, signer.pem.decode(), message, signature)

    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify_signature(algorithm, signer.pem, message, bytes(flipped))
    assert not verify_signature(algorithm, signer.pem, message + b"\0", signature)
    cut = data.draw(st.integers(0, len(signature) - 1))
    assert not verify_signature(algorithm, signer.pem, message, signature[:cut])
    assert not verify_signature(algorithm, signer.pem, message, signature + b"\0")


@given(st.sampled_from(ALGORITHMS), st.binary(max_size=600))
def test_noise_is_no_signature(algorithm: Algorithm, noise: bytes) -> None:
    assert verify_signature(algorithm, signers()[algorithm].pem, b"message", noise) is False


@pytest.mark.parametrize("r", [0, 1, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 2**256 - 1])
def test_es256_numbers_outside_the_curve_are_no_signature(r: int, s: int) -> None:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert not verify_signature("ES256", signers()["ES256"].pem, b"m", signature)


def test_es256_numbers_have_one_length() -> None:
    signature = signers()["ES256"].sign(b"m")
    padded = signature[:32] + b"\0" + signature[32:]
    assert not verify_signature("ES256", signers()["ES256"].pem, b"m", padded)


def test_other_paddings_hashes_and_forms_are_no_signature() -> None:
    big, curve = rsa_key(), ec_key()
    pss = big.sign(b"m", padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    sha1 = big.sign(b"m", padding.PKCS1v15(), SHA1())
    assert not verify_signature("RS256", signers()["RS256"].pem, b"m", pss)
    assert not verify_signature("RS256", signers()["RS256"].pem, b"m", sha1)
    der = curve.sign(b"m", ec.ECDSA(SHA256()))
    assert not verify_signature("ES256", signers()["ES256"].pem, b"m", der)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_a_key_of_another_algorithm_is_refused(algorithm: Algorithm, other: Algorithm) -> None:
    if algorithm == other:
        return
    signer = signers()[other]
    with pytest.raises(ValueError, match=f"^{algorithm} needs an? .* key, but the key given is "):
        verify_signature(algorithm, signer.pem, b"m", signer.sign(b"m"))


def test_other_curves_and_weak_keys_are_refused() -> None:
    p384 = pem_of(ec.generate_private_key(ec.SECP384R1()).public_key())
    k256 = pem_of(ec.generate_private_key(ec.SECP256K1()).public_key())
    ed = pem_of(ed448.Ed448PrivateKey.generate().public_key())
    weak = pem_of(rsa_key(1024).public_key())
    refused: list[tuple[Literal["RS256", "ES256", "EdDSA"], bytes, str]] = [
        ("ES256", p384, "the key given is secp384r1"),
        ("ES256", k256, "the key given is secp256k1"),
        ("EdDSA", ed, "the key given is Ed448"),
        ("RS256", weak, "1024 bits is weak; write one of 2048 bits"),
    ]
    for algorithm, pem, text in refused:
        with pytest.raises(ValueError, match=text):
            verify_signature(algorithm, pem, b"m", b"s")


@pytest.mark.parametrize("name", ["none", "HS256", "rs256", ""])
def test_unknown_algorithms_are_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="is unknown; write one of RS256, ES256, EdDSA"):
        verify_signature(name, signers()["RS256"].pem, b"m", b"s")


@pytest.mark.parametrize("pem", ["", b"", "secret", "ключ", "\udcff", b"-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused(pem: str | bytes) -> None:
    with pytest.raises(ValueError, match="is not a PEM public key; write '-----BEGIN PUBLIC KEY-----'"):
        verify_signature("RS256", pem, b"m", b"s")


@pytest.mark.parametrize("newline", [b"\n", b"\r", b" "])
def test_a_private_key_is_refused_and_never_shown(newline: bytes) -> None:
    secret = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="not a PEM public key") as refused:
        verify_signature("RS256", secret.replace(b"\n", newline), b"m", b"s")
    assert "MII" not in str(refused.value)


def test_text_is_refused() -> None:
    text: Any = "text"
    with pytest.raises(TypeError, match=r"message is str; write bytes, of text message.encode\(\)"):
        verify_signature("RS256", signers()["RS256"].pem, text, b"s")
    with pytest.raises(TypeError, match="signature is str"):
        verify_signature("RS256", signers()["RS256"].pem, b"m", text)


def test_importing_needs_no_cryptography() -> None:
    program = "import sys, meshext.crypto; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
