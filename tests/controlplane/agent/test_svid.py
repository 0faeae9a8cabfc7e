"""Certificates that are not ours are never served, whoever sent them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.agent.errors import SvidError
from meshext_controlplane.agent.svid import Key, build_csr, check_svid, key_from_pem, key_to_pem, make_key
from meshext_proto.meshext import svids_pb2
from tests.controlplane.agent.authority import Authority
from tests.controlplane.identity.tokens_of import Signer

NAME = "spiffe://mesh.test/ns/shop/sa/a"
OTHER = "spiffe://mesh.test/ns/shop/sa/b"


@dataclass
class Issued:
    authority: Authority
    key: Key
    message: svids_pb2.Svid

    def leaf(self, *names: x509.GeneralName, **more: timedelta) -> None:
        made = self.authority.leaf(self.key.public_key(), list(names), **more)
        self.message.chain[0] = made.public_bytes(Encoding.DER)


@pytest.fixture
def issued() -> Issued:
    authority, key = Authority(), make_key()
    return Issued(authority, key, authority.svid(build_csr(key), NAME))


def test_a_good_one(issued: Issued) -> None:
    svid = check_svid(issued.message, issued.key)
    assert str(svid.identity) == NAME
    assert svid.to_message() == issued.message
    assert "PRIVATE" not in repr(svid) + str(svid)
    assert key_to_pem(key_from_pem(svid.key_pem)) == svid.key_pem


def another_key(issued: Issued) -> None:
    issued.message = issued.authority.svid(build_csr(make_key()), NAME)


def another_root(issued: Issued) -> None:
    issued.message.roots[0] = Authority("other").der


def another_name(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier(OTHER))


def two_names(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier(NAME), x509.UniformResourceIdentifier(OTHER))


def dns_only(issued: Issued) -> None:
    issued.leaf(x509.DNSName("a.shop"))


def no_spiffe(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier("https://mesh.test/a"))
    issued.message.spiffe_id = "https://mesh.test/a"


def expired(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier(NAME), age=timedelta(hours=2), life=timedelta(hours=1))


def early(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier(NAME), age=timedelta(minutes=-10))


def nothing(issued: Issued) -> None:
    del issued.message.chain[:]


def damaged(issued: Issued) -> None:
    issued.message.chain[0] = issued.message.chain[0][:-40]


def no_chain(issued: Issued) -> None:
    issued.message.chain.append(Authority("other").der)


def bad_list(issued: Issued) -> None:
    issued.message.revocations.append(b"no CRL")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (another_key, "is for another key"),
        (another_root, "no root of the mesh vouches"),
        (another_name, "the certificate names"),
        (two_names, "the certificate names"),
        (dns_only, "the certificate names"),
        (no_spiffe, "is no identity"),
        (expired, "expired at"),
        (early, "set this machine's clock"),
        (nothing, "no certificate"),
        (damaged, "is damaged"),
        (no_chain, "do not form a chain"),
        (bad_list, "list of revoked certificates is damaged"),
    ],
)
def test_a_bad_one(issued: Issued, spoil: Callable[[Issued], None], said: str) -> None:
    spoil(issued)
    with pytest.raises(SvidError, match=said):
        check_svid(issued.message, issued.key)


def test_clocks_may_differ_by_a_minute(issued: Issued) -> None:
    issued.leaf(x509.UniformResourceIdentifier(NAME), age=timedelta(minutes=-1))
    assert check_svid(issued.message, issued.key).seconds_left(datetime.now(UTC)) > 0


@given(st.binary(max_size=100))
def test_bytes_are_refused_without_a_crash(body: bytes) -> None:
    message = svids_pb2.Svid(spiffe_id=NAME, chain=[body], roots=[body], revocations=[body])
    with pytest.raises(SvidError):
        check_svid(message, make_key())


def test_trust_may_change_alone(issued: Issued) -> None:
    svid = check_svid(issued.message, issued.key)
    other = Authority("second")
    trust = svids_pb2.Trust(roots=[issued.authority.der, other.der], revocations=[other.revoke()])
    changed = svid.trusting(trust)
    assert (changed.chain, changed.key, len(changed.roots)) == (svid.chain, svid.key, 2)
    assert changed.revocations_pem.startswith(b"-----BEGIN X509 CRL")
    for bad in (
        svids_pb2.Trust(),
        svids_pb2.Trust(roots=[b"x"]),
        svids_pb2.Trust(roots=svid.roots, revocations=[b"x"]),
    ):
        with pytest.raises(SvidError):
            svid.trusting(bad)


def test_keys_of_tokens_and_bans_are_stored_with_it(issued: Issued) -> None:
    """So that an application can check tokens after a start without the control plane."""
    good, rsa_key = Signer("good").public, rsa.generate_private_key(65_537, 2048).public_key()
    for name, public in (
        ("good", good.public),
        ("rsa", rsa_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        ("torn", good.public[:-1]),
        ("none", b""),
    ):
        issued.message.jwt_keys.add(id=name, public=public)
    issued.message.banned.append(OTHER)
    svid = check_svid(issued.message, issued.key)
    assert svid.jwt_keys == (good,)
    stored = check_svid(svids_pb2.Svid.FromString(svid.to_message().SerializeToString()), issued.key)
    assert (stored.jwt_keys, stored.banned) == ((good,), (OTHER,))
    trust = svids_pb2.Trust(roots=svid.roots, banned=[NAME])
    assert (svid.is_banned, svid.trusting(trust).is_banned) == (False, True)
    assert svid.trusting(trust).jwt_keys == ()
