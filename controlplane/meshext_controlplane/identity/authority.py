"""The certificate authority: signs for identities that somebody else has proved, and says what to refuse."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography import x509

from meshext_controlplane.identity.clock import Clock, from_seconds, to_seconds, utc_now
from meshext_controlplane.identity.csr import CheckedRequest, check_csr
from meshext_controlplane.identity.errors import AuthorityError, BannedError
from meshext_controlplane.identity.issuers import Issuer, Issuers
from meshext_controlplane.identity.jwt_schedule import known_at
from meshext_controlplane.identity.jwt_svid import JwtKey
from meshext_controlplane.identity.keys import fingerprint, to_der
from meshext_controlplane.identity.profiles import (
    SHORTEST_LIFE,
    SVID_LIFE,
    build_crl,
    build_issuing,
    build_svid,
)
from meshext_controlplane.identity.rotation import rotate_at
from meshext_controlplane.identity.svid import Svid, Trust
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.authorities import read_generation, replace_certificate
from meshext_controlplane.state.bans import banned_identities, banned_serials, find_ban
from meshext_controlplane.state.certificates import CertificateRecord, forget_expired, insert_certificate
from meshext_controlplane.state.jwt_keys import list_jwt_keys
from meshext_controlplane.state.store import StateStore, Transaction

Banned = tuple[tuple[str, int, int | None], ...]


Reload = Callable[[Transaction], Issuers]
"""Reads them from the state; AuthorityError, SealError."""


class CertificateAuthority:
    """Signs with the authorities of a state; `identity.opening` makes one. Any thread may use it.

    Where we have the root's key, the issuing certificate is renewed at half its life, with its name and key,
    so that the CRL that peers have stays the one for it. What others change in the state is seen by the next
    call.
    """

    def __init__(
        self,
        store: StateStore,
        *,
        trust_domain: str,
        issuers: Issuers,
        reload: Reload,
        clock: Clock = utc_now,
    ) -> None:
        self.trust_domain = trust_domain
        self.clock = clock
        self.store = store
        self._issuers = issuers
        self._reload = reload
        self._lock = threading.Lock()
        self._built: tuple[Banned, tuple[bytes, ...]] | None = None

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Whom to trust, in DER, the one to join by first."""
        return self._issuers.roots

    @property
    def issuer(self) -> Issuer:
        """Who signs now."""
        return self._issuers.issuer

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each root, the one to join by first."""
        return tuple(map(fingerprint, self.roots))

    def crossed(self) -> tuple[bytes, ...]:
        """The issuing authority once more below each other root whose key we have, DER.

        Whoever was given a token before another root issues knows the root before alone.
        """
        issuers = self._issuers
        if issuers.root is None:  # an operator's intermediate: its key may have an identifier of another kind
            return ()
        issuing = issuers.issuer
        built = (
            build_issuing(
                issuing.key.public_key(),
                self.trust_domain,
                root=each.certificate,
                root_key=each.key,
                now=self.clock(),
                name=issuing.certificate.subject,
            )
            for each in issuers.signers
            if to_der(each.certificate) in issuers.roots[1:]
        )
        return tuple(map(to_der, built))

    def issue(
        self, csr_der: bytes, identity: SpiffeId, *, life: timedelta = SVID_LIFE, token: str | None = None
    ) -> Svid:
        """A certificate for an identity that was proved.

        CsrError, BannedError, AuthorityError, StateError.
        """
        request = check_csr(csr_der, identity)
        with self.store.writing() as transaction:
            return self.issue_within(transaction, request, identity, life=life, token=token)

    def issue_within(
        self,
        transaction: Transaction,
        request: CheckedRequest,
        identity: SpiffeId,
        *,
        life: timedelta = SVID_LIFE,
        token: str | None = None,
        dns_names: Sequence[str] = (),
    ) -> Svid:
        """The same as part of a change: it may be handed out when the transaction has ended, not before."""
        now = self.clock()
        self._look(transaction)
        self._renew_issuer(transaction, now)
        self._check(transaction, identity, life)
        issuer = self.issuer
        leaf = build_svid(
            request.key,
            identity,
            issuer=issuer.certificate,
            issuer_key=issuer.key,
            now=now,
            life=life,
            dns_names=dns_names,
        )
        record = CertificateRecord(
            serial=f"{leaf.serial_number:x}",
            identity=str(identity),
            token=token,
            authority=issuer.id,
            key=request.key_id,
            issued=to_seconds(now),
            not_after=to_seconds(leaf.not_valid_after_utc),
        )
        forget_expired(transaction, before=record.issued)
        insert_certificate(transaction, record)
        return self._to_svid(leaf, identity, self.trust_within(transaction))

    def _to_svid(self, leaf: x509.Certificate, identity: SpiffeId, trust: Trust) -> Svid:
        return Svid(
            identity=identity,
            serial=f"{leaf.serial_number:x}",
            chain=(to_der(leaf), to_der(self.issuer.certificate), *self.issuer.chain),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            trust=trust,
        )

    def trust(self) -> Trust:
        """Whom to trust now."""
        with self.store.reading() as transaction:
            return self.trust_within(transaction)

    def trust_within(self, transaction: Transaction) -> Trust:
        """The same as a transaction sees it. CRLs are signed anew only when what is banned has changed."""
        self._look(transaction)
        now = self.clock()
        banned = tuple(banned_serials(transaction, at=to_seconds(now)))
        with self._lock:
            if self._built is None or self._built[0] != banned:
                self._built = banned, tuple(self._build_crl(each, banned) for each in self._issuers.signers)
            revocations = self._built[1]
        keys = known_at(list_jwt_keys(transaction), to_seconds(now))
        return Trust(
            self.roots,
            revocations,
            jwt_keys=tuple(JwtKey(each.id, each.public) for each in keys),
            banned=tuple(banned_identities(transaction)),
        )

    def _look(self, transaction: Transaction) -> None:
        """Take what others have changed."""
        if read_generation(transaction) != self._issuers.generation:
            self._take(self._reload(transaction))

    def _take(self, issuers: Issuers) -> None:
        with self._lock:
            self._issuers = issuers
            self._built = None

    def _renew_issuer(self, transaction: Transaction, now: datetime) -> None:
        issuer, root = self.issuer, self._issuers.root
        known = issuer.certificate
        if root is None or now < rotate_at(known.not_valid_before_utc, known.not_valid_after_utc, draw=0.5):
            return
        renewed = build_issuing(
            issuer.key.public_key(),
            self.trust_domain,
            root=root.certificate,
            root_key=root.key,
            now=now,
            name=known.subject,
        )
        if renewed.not_valid_after_utc <= known.not_valid_after_utc:
            return  # the root is about to end, and it with it
        replace_certificate(transaction, issuer.id, to_der(renewed))
        self._take(self._issuers.renewed(renewed))

    def _build_crl(self, signer: Issuer, banned: Banned) -> bytes:
        now = self.clock()
        serials = [
            (int(serial, 16), from_seconds(since))
            for serial, since, authority in banned
            if authority in (None, signer.id)
        ]
        number = int(now.timestamp() * 1000)  # grows also from one process to the next
        crl = build_crl(serials, issuer=signer.certificate, issuer_key=signer.key, now=now, number=number)
        return to_der(crl)

    def _check(self, transaction: Transaction, identity: SpiffeId, life: timedelta) -> None:
        if identity.trust_domain != self.trust_domain:
            raise AuthorityError(f"{identity} is not of the trust domain {self.trust_domain}")
        if life < SHORTEST_LIFE:
            raise AuthorityError(f"a certificate's life of {life} is too short; use at least {SHORTEST_LIFE}")
        left = self.issuer.certificate.not_valid_after_utc - self.clock()
        if left < SHORTEST_LIFE:
            raise AuthorityError(f"the issuing authority has expired, or will in {left}: renew it")
        if find_ban(transaction, identity=str(identity), serial=None):
            raise BannedError(f"{identity} is banned")
