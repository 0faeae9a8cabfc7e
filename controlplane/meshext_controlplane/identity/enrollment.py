"""How workloads come to certificates: by a token once, then by the certificate that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.clock import to_seconds
from meshext_controlplane.identity.csr import check_csr
from meshext_controlplane.identity.errors import BannedError, BusyError, IdentityError
from meshext_controlplane.identity.facts import Facts
from meshext_controlplane.identity.limits import NOTHING, Limits, from_json
from meshext_controlplane.identity.peer import Peer, check_peer, parse_peer
from meshext_controlplane.identity.profiles import SVID_LIFE
from meshext_controlplane.identity.svid import Svid
from meshext_controlplane.identity.tokens import JoinToken, Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.bans import find_ban
from meshext_controlplane.state.certificates import (
    count_line,
    find_certificate,
    latest_certificate,
)
from meshext_controlplane.state.store import StateStore, Transaction, part_of
from meshext_controlplane.state.tokens import find_token

MOST = 60
PACE = timedelta(minutes=10)
"""One workload gets at most that many certificates in that time: three times what the shortest life needs."""


class Enrollment:
    """Joining, renewing, and who may talk to the control plane. `life` is that of the certificates.

    Every method uses the store: call it in its thread.
    """

    def __init__(
        self, store: StateStore, authority: CertificateAuthority, *, life: timedelta = SVID_LIFE
    ) -> None:
        self.authority = authority
        self.store = store
        self._life = life
        self._tokens = Tokens(authority, store)

    def join(self, token_text: str, csr: bytes) -> Svid:
        """The first certificate of a workload. TokenError, CsrError, BannedError, BusyError, StateError.

        Whatever is refused leaves the token as it was.
        """
        (found,) = self.join_all([(token_text, csr)])
        if isinstance(found, Exception):
            raise found
        return found

    def join_all(self, requests: Sequence[tuple[str, bytes]]) -> list[Svid | Exception]:
        """Several of them as one change: an error of one is its own. StateError where none is on disk."""
        with self.store.writing() as transaction:
            return [self._join(transaction, token, csr) for token, csr in requests]

    def _join(self, transaction: Transaction, token_text: str, csr: bytes) -> Svid | Exception:
        try:
            with part_of(transaction):
                record = self._tokens.find(transaction, JoinToken.parse(token_text))
                identity = SpiffeId.parse(record.identity)
                request = check_csr(csr, identity)
                self._tokens.use(transaction, record, request.key_id)
                self._check_pace(transaction, identity, record.id)
                return self.authority.issue_within(
                    transaction, request, identity, life=self._life, token=record.id
                )
        except IdentityError as error:
            return error

    def renew(self, peer: Peer, csr: bytes) -> Svid:
        """The next certificate of a peer. CsrError, PeerError, BannedError, BusyError, StateError."""
        (found,) = self.renew_all([(peer, csr)])
        if isinstance(found, Exception):
            raise found
        return found

    def renew_all(self, requests: Sequence[tuple[Peer, bytes]]) -> list[Svid | Exception]:
        """Several of them as one change: an error of one is its own. StateError where none is on disk."""
        with self.store.writing() as transaction:
            return [self._renew(transaction, peer, csr) for peer, csr in requests]

    def _renew(self, transaction: Transaction, peer: Peer, csr: bytes) -> Svid | Exception:
        try:
            request = check_csr(csr, peer.identity)
            check_standing(transaction, peer, authority=self.authority)
            token = _token_of(transaction, peer)
            self._check_pace(transaction, peer.identity, token)
            return self.authority.issue_within(
                transaction, request, peer.identity, life=self._life, token=token
            )
        except IdentityError as error:
            return error  # each is raised before anything was written

    def admit(self, auth_context: Mapping[str, Sequence[bytes]]) -> Peer:
        """The peer of a gRPC call, where it may have anything: PeerError, BannedError."""
        peer = parse_peer(auth_context)
        self.check(peer)
        return peer

    def check(self, peer: Peer) -> None:
        """BannedError or PeerError where a peer may have nothing, or nothing any more."""
        with self.store.reading() as transaction:
            check_standing(transaction, peer, authority=self.authority)

    def limits_of(self, peer: Peer) -> Limits:
        """What the peer may register: the limits of the token that its line of certificates began with.

        A state that was restored may not know the certificate: then those of the identity's latest token.
        """
        with self.store.reading() as transaction:
            token = _token_of(transaction, peer)
            record = find_token(transaction, token) if token else None
        return from_json(record.limits) if record else NOTHING

    def _check_pace(self, transaction: Transaction, identity: SpiffeId, token: str | None) -> None:
        """One workload can not fill the disk with certificates, however fast it asks."""
        since = to_seconds(self.authority.clock() - PACE)
        if count_line(transaction, str(identity), token, since=since) >= MOST:
            raise BusyError(f"{identity} has got {MOST} certificates within {PACE}; try again later")


def check_standing(transaction: Transaction, peer: Peer, *, authority: Facts) -> None:
    """BannedError or PeerError where a peer may have nothing, or nothing any more."""
    check_peer(peer, trust_domain=authority.trust_domain, now=authority.clock())
    identity = peer.identity
    if ban := find_ban(transaction, identity=str(identity), serial=peer.serial):
        what = f"{identity}" if ban.kind == "identity" else f"the certificate {peer.serial}"
        raise BannedError(f"{what} is banned")


def _token_of(transaction: Transaction, peer: Peer) -> str | None:
    record = find_certificate(transaction, peer.serial)
    if record is None:
        record = latest_certificate(transaction, str(peer.identity))
    return record.token if record else None
