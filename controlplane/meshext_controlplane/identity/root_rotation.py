"""Another root without a refused handshake: all trust both, then the new one issues, then the old one goes.

Each step waits until every workload that has a certificate has renewed it since the step before: its renewal
brought along whom to trust. A sidecar that hears of other roots renews within half a minute; a workload that
does not come is waited for until its certificate expires or is banned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from meshext_controlplane.identity.brought import Brought
from meshext_controlplane.identity.clock import Clock, to_seconds, utc_now
from meshext_controlplane.identity.errors import AuthorityError
from meshext_controlplane.identity.facts import TRUST_DOMAIN
from meshext_controlplane.identity.keys import fingerprint, to_der
from meshext_controlplane.identity.marker import read_marker, write_marker
from meshext_controlplane.identity.opening import keep_brought, new_root, read_issuers, read_sealer
from meshext_controlplane.state.authorities import (
    delete_authority,
    list_authorities,
    read_active,
    write_active,
)
from meshext_controlplane.state.bans import find_ban
from meshext_controlplane.state.certificates import CertificateRecord, latest_of_lines
from meshext_controlplane.state.settings import delete_setting, read_setting, write_setting
from meshext_controlplane.state.store import StateStore, Transaction

_NEXT = "root-rotation-next"
_SINCE = "root-rotation-since"


class Stage(Enum):
    """How far a rotation is."""

    NONE = "none"
    ANNOUNCED = "announced"
    ISSUING = "issuing"


@dataclass(frozen=True, slots=True)
class Progress:
    """`waiting`: the identity of each workload that has not renewed since the step."""

    stage: Stage
    waiting: tuple[str, ...] = ()


class RootRotation:
    """Leads one state from its root to another. A running control plane follows within a second.

    `secret` is the passphrase or key file of the state, `marker` the control plane's note outside of it.
    """

    def __init__(
        self, store: StateStore, *, marker: Path, secret: bytes | None = None, clock: Clock = utc_now
    ) -> None:
        self._store = store
        self._marker = marker
        self._secret = secret
        self._clock = clock

    def progress(self) -> Progress:
        """How far it is, and whom the next step waits for."""
        with self._store.reading() as transaction:
            return self._progress(transaction)

    def step(self, *, force: bool = False, brought: Brought | None = None) -> Progress:
        """Take the next step, or none where it waits for somebody, unless `force`; how far it is then.

        The first step makes the new root, or takes `brought`, an operator's.
        """
        with self._store.writing() as transaction:
            found = self._progress(transaction)
            if found.waiting and not force:
                return found
            steps: dict[Stage, Callable[[], None]] = {
                Stage.NONE: lambda: self._announce(transaction, brought),
                Stage.ANNOUNCED: lambda: self._switch(transaction),
                Stage.ISSUING: lambda: self._finish(transaction),
            }
            steps[found.stage]()
            after = self._progress(transaction)
            records = list_authorities(transaction)
        roots = [fingerprint(each.certificate) for each in records if each.role == "root"]
        if read_marker(self._marker) is not None:
            write_marker(self._marker, self._store.folder, roots)
        return after

    def _announce(self, transaction: Transaction, brought: Brought | None) -> None:
        now = self._clock()
        sealer = read_sealer(transaction, self._secret)
        before = read_issuers(transaction, sealer, str(self._store.path), now)
        trust_domain = (read_setting(transaction, TRUST_DOMAIN) or b"").decode()
        given = brought or new_root(trust_domain, now)
        if to_der(given.root) in before.roots:
            raise AuthorityError("the root that was given is the one that there is: bring another, or none")
        number = keep_brought(transaction, sealer, given, trust_domain, now)
        write_active(transaction, before.issuer.id)
        write_setting(transaction, _NEXT, str(number).encode())
        self._note(transaction)

    def _switch(self, transaction: Transaction) -> None:
        write_active(transaction, int(read_setting(transaction, _NEXT) or b"0"))
        self._note(transaction)

    def _finish(self, transaction: Transaction) -> None:
        sealer = read_sealer(transaction, self._secret)
        issuers = read_issuers(transaction, sealer, str(self._store.path), self._clock())
        kept = {issuers.issuer.id}
        for record in list_authorities(transaction):
            if record.id not in kept and record.certificate != issuers.roots[0]:
                delete_authority(transaction, record.id)
        delete_setting(transaction, _NEXT)
        delete_setting(transaction, _SINCE)

    def _note(self, transaction: Transaction) -> None:
        write_setting(transaction, _SINCE, str(to_seconds(self._clock())).encode())

    def _progress(self, transaction: Transaction) -> Progress:
        following = read_setting(transaction, _NEXT)
        if following is None:
            return Progress(Stage.NONE)
        number = int(following)
        stage = Stage.ISSUING if read_active(transaction) == number else Stage.ANNOUNCED
        since = int(read_setting(transaction, _SINCE) or b"0")

        def waits(record: CertificateRecord) -> bool:
            return record.issued <= since or (stage is Stage.ISSUING and record.authority != number)

        def banned(record: CertificateRecord) -> bool:
            return find_ban(transaction, identity=record.identity, serial=record.serial) is not None

        lines = latest_of_lines(transaction, at=to_seconds(self._clock()))
        late = (each for each in lines if each.token and waits(each) and not banned(each))
        return Progress(stage, tuple(each.identity for each in late))
