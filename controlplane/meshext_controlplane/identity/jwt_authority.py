"""Who signs JWT-SVIDs: keys of its own, which take turns, for identities that a certificate has proved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from meshext.errors import MeshextError
from meshext_controlplane.identity.clock import to_seconds
from meshext_controlplane.identity.enrollment import check_standing
from meshext_controlplane.identity.errors import AuthorityError, SubjectError
from meshext_controlplane.identity.facts import Facts
from meshext_controlplane.identity.jwt_schedule import SIGNS, Span, known_at, missing_at, signing_at
from meshext_controlplane.identity.jwt_svid import LIFE, check_audiences, sign_jwt_svid
from meshext_controlplane.identity.keys import key_id, new_key, to_pkcs8
from meshext_controlplane.identity.opening import jwt_seal_name, read_issuers, read_sealer
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.sealing import Sealer
from meshext_controlplane.state.jwt_keys import (
    JwtKeyRecord,
    delete_jwt_key,
    insert_jwt_key,
    list_jwt_keys,
    move_jwt_key,
)
from meshext_controlplane.state.store import StateStore, Transaction
from meshext_controlplane.state.worker import StateThread

LOOK = 10.0  # seconds between two looks at whose turn it is
_ID = 8  # bytes of a key's name

log = logging.getLogger("meshext.identity")


class JwtAuthority:
    """Signs with the keys of a state, and makes them; any thread may use it. See `open_jwt_authority`."""

    def __init__(self, store: StateStore, sealer: Sealer, facts: Facts) -> None:
        self._store = store
        self._sealer = sealer
        self._facts = facts
        self._opened: dict[str, ec.EllipticCurvePrivateKey] = {}

    def issue(self, peer: Peer, audiences: Sequence[str], *, subject: str = "") -> str:
        """A token for a peer, by nobody's word but its certificate's; it does not outlive that.

        AudienceError, SubjectError, PeerError, BannedError, AuthorityError, StateError.
        """
        found = check_audiences(audiences)
        if subject not in ("", str(peer.identity)):
            raise SubjectError(f"{peer.identity} can not have a token of {subject[:80]!r}: only its own")
        with self._store.reading() as transaction:
            check_standing(transaction, peer, authority=self._facts)
            now = to_seconds(self._facts.clock())
            record = signing_at(list_jwt_keys(transaction), now)
        if record is None:
            raise AuthorityError("no key signs tokens now")
        return sign_jwt_svid(
            self._open(record),
            record.id,
            subject=str(peer.identity),
            audiences=found,
            issued=now,
            expires=min(now + LIFE, to_seconds(peer.not_after)),
        )

    def ensure(self) -> bool:
        """Make the keys that are missing, forget those that are over; whether there was anything to do."""
        now = to_seconds(self._facts.clock())
        with self._store.reading() as transaction:
            if not self._is_due(list_jwt_keys(transaction), now):
                return False
        with self._store.writing() as transaction:
            self._bring_up_to_date(transaction, now)
        return True

    def rotate(self, *, revoke: bool = False) -> None:
        """Let the next key sign from now on. With `revoke` there are only new ones: no token of before is
        believed any more."""
        now = to_seconds(self._facts.clock())
        with self._store.writing() as transaction:
            for record in list_jwt_keys(transaction):
                if revoke:
                    delete_jwt_key(transaction, record.id)
                elif record.begins > now:
                    move_jwt_key(transaction, record.id, begins=now, ends=now + SIGNS)
                elif record.ends > now:
                    move_jwt_key(transaction, record.id, begins=record.begins, ends=now)
            self._bring_up_to_date(transaction, now)

    def _is_due(self, records: list[JwtKeyRecord], now: int) -> bool:
        return len(known_at(records, now)) < len(records) or bool(missing_at(records, now))

    def _bring_up_to_date(self, transaction: Transaction, now: int) -> None:
        records = list_jwt_keys(transaction)
        known = known_at(records, now)
        for record in records:
            if record not in known:
                delete_jwt_key(transaction, record.id)
                self._opened.pop(record.id, None)
        for span in missing_at(known, now):
            insert_jwt_key(transaction, self._make(span))

    def _make(self, span: Span) -> JwtKeyRecord:
        key = new_key()
        name = key_id(key.public_key())[:_ID].hex()
        return JwtKeyRecord(
            id=name,
            public=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            key=self._sealer.seal(to_pkcs8(key), jwt_seal_name(name)),
            begins=span[0],
            ends=span[1],
        )

    def _open(self, record: JwtKeyRecord) -> ec.EllipticCurvePrivateKey:
        if record.id not in self._opened:
            key = load_der_private_key(self._sealer.open(record.key, jwt_seal_name(record.id)), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise AuthorityError(f"the key of tokens {record.id} is of a kind that is not used")
            self._opened[record.id] = key
        return self._opened[record.id]


def open_jwt_authority(store: StateStore, facts: Facts, *, secret: bytes | None = None) -> JwtAuthority:
    """That of a state. SealError where `secret` is not the one that keys there are sealed with."""
    with store.reading() as transaction:
        sealer = read_sealer(transaction, secret)
        read_issuers(transaction, sealer, str(store.path), facts.clock())  # or a key would be kept unsealed
    return JwtAuthority(store, sealer, facts)


async def keep_jwt_keys(authority: JwtAuthority, thread: StateThread, changed: Callable[[], None]) -> None:
    """Let keys take turns until cancelled; `changed` is called when there are others."""
    failing = False
    while True:
        try:
            if await thread.run(authority.ensure):
                changed()
        except MeshextError as error:
            if not failing:
                log.error("keys that sign tokens are not renewed: %s", error)
            failing = True
        else:
            failing = False
        await asyncio.sleep(LOOK)
