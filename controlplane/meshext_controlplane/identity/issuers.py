"""Who signs, and whom to trust: what the state holds of authorities, opened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cryptography import x509

from meshext_controlplane.identity.keys import PrivateKey


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
