"""Join tokens: one workload proves once, by a secret, who it is to be."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from meshext_controlplane.identity.clock import to_seconds
from meshext_controlplane.identity.errors import TokenError
from meshext_controlplane.identity.facts import Facts
from meshext_controlplane.identity.limits import NOTHING, Limits, to_json
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore, Transaction
from meshext_controlplane.state.tokens import (
    TokenRecord,
    delete_token,
    find_token,
    forget_tokens,
    insert_token,
    list_tokens,
    mark_used,
)

TTL = timedelta(hours=1)
SHORTEST_TTL = timedelta(seconds=1)
LONGEST_TTL = timedelta(days=30)
RETRY = timedelta(minutes=10)
"""For how long the holder of the key that used a token may use it again: its reply may have been lost."""

CONTROL_PLANE = ("meshext-system", "controlplane")
"""Namespace and service account that no token is made for: whoever had them would be the control plane."""

_PREFIX = "meshext-join-1"
_FORM = re.compile(rf"{_PREFIX}\.([0-9a-f]{{16}})\.([0-9a-f]{{64}})\.([0-9a-f]{{64}})")
_REFUSED = "the token is unknown, used or expired: ask for a new one (meshext token create)"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinToken:
    """What a workload is given: `root` is the SHA-256 of the root's DER, by which it knows the control plane.

    It prints without its secret; `reveal` is the text to hand over.
    """

    id: str
    secret: str = field(repr=False)
    root: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The token of a text; TokenError, which does not repeat the text, where it is none."""
        found = _FORM.fullmatch(text.strip()) if len(text) <= 1024 else None
        if found is None:
            raise TokenError(f"this is no join token; one begins with {_PREFIX}. (meshext token create)")
        return cls(id=found[1], secret=found[2], root=found[3])

    def __str__(self) -> str:
        return f"{_PREFIX}.{self.id}.[redacted]"

    def reveal(self) -> str:
        """The whole text, secret included."""
        return f"{_PREFIX}.{self.id}.{self.secret}.{self.root}"


class Tokens:
    """Makes tokens, and takes them back once each."""

    def __init__(self, authority: Facts, store: StateStore) -> None:
        self._authority = authority
        self._store = store

    def create(self, identity: SpiffeId, *, limits: Limits = NOTHING, ttl: timedelta = TTL) -> JoinToken:
        """A token for one workload of this identity; TokenError where it may not be."""
        self._check(identity, ttl)
        now = self._authority.clock()
        token = JoinToken(
            id=secrets.token_hex(8), secret=secrets.token_hex(32), root=self._authority.fingerprints[0]
        )
        record = TokenRecord(
            id=token.id,
            secret=_hash(token.secret),
            identity=str(identity),
            limits=to_json(limits),
            created=to_seconds(now),
            expires=to_seconds(now + ttl),
        )
        with self._store.writing() as transaction:
            forget_tokens(transaction, before=to_seconds(now - RETRY))
            insert_token(transaction, record)
        return token

    def revoke(self, token_id: str) -> bool:
        """Take a token back that was not used; False where there is none such."""
        with self._store.writing() as transaction:
            return delete_token(transaction, token_id)

    def all(self) -> list[TokenRecord]:
        """Those that may be used, and those that certificates descend from, the oldest first."""
        with self._store.reading() as transaction:
            return list_tokens(transaction)

    def find(self, transaction: Transaction, token: JoinToken) -> TokenRecord:
        """What a token binds; TokenError where there is none of this id and secret."""
        record = find_token(transaction, token.id)
        if record is None or not hmac.compare_digest(record.secret, _hash(token.secret)):
            raise TokenError(_REFUSED)
        if token.root not in self._authority.fingerprints:
            raise TokenError("the token is for a mesh with another root: ask for a new one")
        return record

    def use(self, transaction: Transaction, record: TokenRecord, key: bytes) -> None:
        """Redeem a token that was found in the same transaction, for a public key (its SHA-256).

        TokenError where it is used or expired. Where the transaction fails it is not used.
        """
        now = to_seconds(self._authority.clock())
        if not may_redeem(record, key, now):
            raise TokenError(_REFUSED)
        if record.used is None:
            mark_used(transaction, record.id, at=now, key=key)

    def _check(self, identity: SpiffeId, ttl: timedelta) -> None:
        if identity.trust_domain != self._authority.trust_domain:
            raise TokenError(f"{identity} is not of the trust domain {self._authority.trust_domain}")
        if (identity.namespace, identity.service_account) == CONTROL_PLANE:
            raise TokenError(f"{identity} is the control plane itself; name another service account")
        if not SHORTEST_TTL <= ttl <= LONGEST_TTL:
            raise TokenError(
                f"a token can not live for {ttl.total_seconds():.0f} s; use 1 s to {LONGEST_TTL.days} days"
            )


def may_redeem(record: TokenRecord, key: bytes, now: int) -> bool:
    """Whether a token may be used at that time by the holder of a key."""
    if record.used is None or record.used_key is None:
        return now < record.expires
    retries = now < record.used + RETRY.total_seconds()
    return retries and hmac.compare_digest(record.used_key, key)


def _hash(secret: str) -> bytes:
    # 256 random bits need neither salt nor stretching.
    return hashlib.sha256(secret.encode()).digest()
