"""An operator's own root or intermediate."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.brought import Brought, read_brought
from meshext_controlplane.identity.errors import AuthorityError
from meshext_controlplane.identity.keys import PrivateKey, new_key, to_der, to_pkcs8
from meshext_controlplane.identity.opening import create_authority, open_authority
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import TRUST_DOMAIN, WEB, Hands
from tests.controlplane.identity.requests import csr
from tests.controlplane.identity.test_starting import SECRET, start


def certificate(
    name: str,
    key: PrivateKey,
    issuer: str,
    issuer_key: PrivateKey,
    *,
    ca: bool = True,
    path_length: int | None = None,
    days: int = 100,
    extra: tuple[x509.ExtensionType, ...] = (),
) -> x509.Certificate:
    """What an operator's own tools could have made."""
    now = datetime.now().astimezone()
    common = x509.oid.NameOID.COMMON_NAME
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(common, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(common, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=200))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=True)
    )
    for extension in extra:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class Operator:
    """A root, an intermediate below it, and files of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root_key, self.key = new_key(), new_key()
        self.root = certificate("acme root", self.root_key, "acme root", self.root_key)
        self.intermediate = certificate("acme mesh", self.key, "acme root", self.root_key, path_length=0)

    def give(
        self, *chain: x509.Certificate, key: PrivateKey | None = None, passphrase: bytes | None = None
    ) -> Brought:
        """What is read of the files."""
        files = self.folder / "chain.pem", self.folder / "key.pem"
        files[0].write_bytes(to_pem(tuple(map(to_der, chain))))
        pem = to_pkcs8(key or self.key, Encoding.PEM)
        if passphrase:
            cipher = BestAvailableEncryption(passphrase)
            pem = (key or self.key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)
        files[1].write_bytes(pem)
        now = datetime.now().astimezone()
        return read_brought(*files, now=now, trust_domain=TRUST_DOMAIN, passphrase=passphrase)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def verify(authority: CertificateAuthority, chain: tuple[bytes, ...]) -> None:
    """Each certificate of a chain is signed by the next, the last by the root."""
    parsed = [x509.load_der_x509_certificate(each) for each in (*chain, authority.roots[0])]
    for below, above in pairwise(parsed):
        below.verify_directly_issued_by(above)


@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_an_operators_intermediate(passphrase: bytes | None, operator: Operator, tmp_path: Path) -> None:
    brought = operator.give(operator.intermediate, operator.root, passphrase=passphrase)
    with StateStore(tmp_path / "state") as store:
        create_authority(store, TRUST_DOMAIN, brought=brought)
        authority = open_authority(store)
        svid = authority.issue(csr(), WEB)
        assert len(svid.chain) == 2
        verify(authority, svid.chain)
        assert authority.roots == (to_der(operator.root),)
        Bans(store, authority).add(svid.serial)
        (crl,) = map(x509.load_der_x509_crl, authority.trust().revocations)
        assert crl.is_signature_valid(operator.key.public_key())
        assert [f"{each.serial_number:x}" for each in crl] == [svid.serial]


def test_an_operators_root(operator: Operator, tmp_path: Path) -> None:
    """We make an issuing authority below it."""
    brought = operator.give(operator.root, key=operator.root_key)
    with StateStore(tmp_path / "state") as store:
        create_authority(store, TRUST_DOMAIN, brought=brought)
        authority = open_authority(store)
        svid = authority.issue(csr(), WEB)
        verify(authority, svid.chain)
        assert authority.issuer.certificate.issuer == operator.root.subject


def test_a_renewed_intermediate_is_taken(operator: Operator, tmp_path: Path) -> None:
    """What the one before has issued can still be banned."""
    folder = tmp_path / "state"
    first = operator.give(operator.intermediate, operator.root)
    start(folder, brought=first, secret=SECRET)
    start(folder, brought=first, secret=SECRET)
    with StateStore(folder) as store:
        old = open_authority(store, secret=SECRET).issue(csr(), WEB)
    key = new_key()
    second = certificate("acme mesh 2", key, "acme root", operator.root_key)
    start(folder, brought=operator.give(second, operator.root, key=key), secret=SECRET)
    with StateStore(folder) as store:
        authority = open_authority(store, secret=SECRET)
        svid = authority.issue(csr(), WEB)
        assert svid.chain[1] == to_der(second)
        for each in (old, svid):
            Bans(store, authority).add(each.serial)
        crls = list(map(x509.load_der_x509_crl, authority.trust().revocations))
        assert [[f"{each.serial_number:x}" for each in crl] for crl in crls] == [[old.serial], [svid.serial]]


def test_another_root_is_refused_later(operator: Operator, tmp_path: Path) -> None:
    start(tmp_path / "state")
    with pytest.raises(AuthorityError, match="has another root than the one in"):
        start(tmp_path / "state", brought=operator.give(operator.intermediate, operator.root))


def test_what_an_operator_can_not_bring(operator: Operator) -> None:
    root, key = operator.root, operator.key

    def below(**given: object) -> x509.Certificate:
        return certificate("a", key, "acme root", operator.root_key, **given)  # type: ignore[arg-type]

    no_crl = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    other = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://other.example")])
    constraints = x509.NameConstraints([x509.DNSName("a")], None)
    cases: list[tuple[tuple[x509.Certificate, ...], str]] = [
        ((operator.intermediate,), "is not signed by the one after it, or by itself"),
        ((root, operator.intermediate), "the first certificate is not that of the key"),
        ((below(ca=False), root), r"is no authority \(CA:TRUE\)"),
        ((below(days=-1), root), "and a day has to be left"),
        ((below(extra=(no_crl,)), root), "may not sign both certificates and CRLs"),
        ((below(extra=(other,)), root), "is for spiffe://other.example, not for the trust domain"),
        ((below(extra=(constraints,)), root), "has name constraints, which are not supported"),
        ((below(), *[root] * 5), "it may have 1 to 5"),
    ]
    for chain, problem in cases:
        with pytest.raises(AuthorityError, match=problem):
            operator.give(*chain)
    short = certificate("r", operator.root_key, "r", operator.root_key, path_length=0)
    with pytest.raises(AuthorityError, match="has the path length 0; it needs 1"):
        operator.give(short, key=operator.root_key)


@pytest.mark.parametrize(
    ("which", "content"), [("chain", b"?"), ("key", b"?"), ("chain", None), ("key", None)]
)
def test_files_that_hold_no_authority(
    which: str, content: bytes | None, operator: Operator, tmp_path: Path
) -> None:
    operator.give(operator.intermediate, operator.root)
    path = tmp_path / f"{which}.pem"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AuthorityError, match=f"{which}.pem"):
        read_brought(
            tmp_path / "chain.pem",
            tmp_path / "key.pem",
            now=datetime.now().astimezone(),
            trust_domain=TRUST_DOMAIN,
        )


def test_nothing_is_issued_beyond_the_issuer(clock: Hands, operator: Operator, tmp_path: Path) -> None:
    """A certificate ends with its issuer, and one that is about to end issues no more."""
    brought = operator.give(operator.intermediate, operator.root)
    with StateStore(tmp_path / "state") as store:
        create_authority(store, TRUST_DOMAIN, brought=brought)
        authority = open_authority(store, clock=clock)
        end = operator.intermediate.not_valid_after_utc
        clock.now = end - timedelta(hours=3)
        assert authority.issue(csr(), WEB).not_after == end
        clock.now = end - timedelta(seconds=30)
        with pytest.raises(AuthorityError, match="the issuing authority has expired, or will in 0:00:30"):
            authority.issue(csr(), WEB)
