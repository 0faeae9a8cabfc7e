"""Who signs, and whom to trust: what the state holds of authorities, opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cryptography import x509

from meshext_controlplane.identity.keys import PrivateKey
from meshext_controlplane.state.authorities import AuthorityRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An authority whose key we have; `chain` is what stands between it and its root, DER."""

    id: int
    certificate: x509.Certificate
    chain: tuple[bytes, ...] = ()
    key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuers:
    """Issues below `issuer`; whoever trusts `roots` (DER, the one to join by first) takes it.

    `signers` are all whose CRLs we sign. `root` is that of `issuer`, where we have its key. `generation`
    counts the changes that were made to authorities in the state.
    """

    generation: int
    roots: tuple[bytes, ...]
    issuer: Issuer
    signers: tuple[Issuer, ...]
    root: Issuer | None = None

    def renewed(self, certificate: x509.Certificate) -> Issuers:
        """The same with another certificate for the issuer's name and key."""
        issuer = replace(self.issuer, certificate=certificate)
        signers = tuple(issuer if each.id == issuer.id else each for each in self.signers)
        return replace(self, issuer=issuer, signers=signers)


def order_roots(records: Sequence[AuthorityRecord], active: int | None) -> list[AuthorityRecord]:
    """The roots, that of the authority which issues first: workloads that join from now on meet that one.

    `active` is the id of that authority; the newest where it is None.
    """
    issuing = [each for each in records if each.role == "issuing"]
    roots = [each for each in records if each.role == "root"]
    chosen = next((each for each in issuing if each.id == active), issuing[-1] if issuing else None)
    if chosen is None:
        return roots
    chain = x509.load_pem_x509_certificates(chosen.chain) if chosen.chain else []
    top = chain[-1] if chain else x509.load_der_x509_certificate(chosen.certificate)
    return sorted(roots, key=lambda each: _subject(each) != top.issuer)


def _subject(record: AuthorityRecord) -> x509.Name:
    return x509.load_der_x509_certificate(record.certificate).subject
