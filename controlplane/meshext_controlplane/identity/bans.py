"""Bans: an identity or one certificate gets no configuration and no renewal, and its peers refuse it."""

from __future__ import annotations

import re

from meshext_controlplane.identity.clock import to_seconds
from meshext_controlplane.identity.errors import IdentityError
from meshext_controlplane.identity.facts import Facts
from meshext_controlplane.identity.tokens import CONTROL_PLANE
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.bans import BanRecord, Kind, delete_ban, insert_ban, list_bans
from meshext_controlplane.state.certificates import find_certificate
from meshext_controlplane.state.store import StateStore

LONGEST_REASON = 500  # characters
_SERIAL = re.compile(r"[0-9a-f]{1,40}")  # RFC 5280: at most 20 octets


class Bans:
    """Sets and lifts them. What is told to peers follows from `CertificateAuthority.trust`."""

    def __init__(self, store: StateStore, authority: Facts) -> None:
        self._store = store
        self._authority = authority

    def add(self, who: str, *, reason: str = "") -> BanRecord:
        """Ban an identity (its URI) or a serial number; IdentityError where it is neither, or our own.

        One that is banned already stays as it was, with its first reason.
        """
        kind, value = self._parse(who)
        if len(reason) > LONGEST_REASON:
            raise IdentityError(f"a reason of {len(reason)} characters is too long; use {LONGEST_REASON}")
        record = BanRecord(kind, value, reason, to_seconds(self._authority.clock()))
        with self._store.writing() as transaction:
            holder = find_certificate(transaction, value) if kind == "serial" else None
            self._refuse_own(value if kind == "identity" else holder.identity if holder else "")
            insert_ban(transaction, record)
            return next(each for each in list_bans(transaction) if (each.kind, each.value) == (kind, value))

    def lift(self, who: str) -> bool:
        """Take a ban back; False where there was none."""
        kind, value = self._parse(who)
        with self._store.writing() as transaction:
            return delete_ban(transaction, kind, value)

    def all(self) -> list[BanRecord]:
        """All, the oldest first."""
        with self._store.reading() as transaction:
            return list_bans(transaction)

    def _parse(self, who: str) -> tuple[Kind, str]:
        if who.startswith("spiffe:"):
            identity = SpiffeId.parse(who)
            if identity.trust_domain != self._authority.trust_domain:
                raise IdentityError(
                    f"{identity} is not of the trust domain {self._authority.trust_domain}: nothing to ban"
                )
            return "identity", str(identity)
        return "serial", parse_serial(who)

    def _refuse_own(self, identity: str) -> None:
        if identity == str(SpiffeId(self._authority.trust_domain, *CONTROL_PLANE)):
            raise IdentityError(f"{identity} is the control plane itself and can not be banned")


def parse_serial(text: str) -> str:
    """A serial number as we write it, from hexadecimal with or without colons, `0x` and capital letters."""
    digits = text.strip().lower().replace(":", "").removeprefix("0x").lstrip("0")
    if not _SERIAL.fullmatch(digits):
        raise IdentityError(
            f"{text[:80]!r} is no identity and no serial number; write spiffe://... or hexadecimal digits"
        )
    return digits
