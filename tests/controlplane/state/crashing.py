"""A control plane's writes, killed before each call that writes.

`python -m tests.controlplane.state.crashing DIR`

Prints one line for each kill: the call, and what had been acknowledged. Ends with 0 only if after each kill
everything acknowledged was there, and nothing by half.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import AuthorityMissing
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.marker import default_marker, read_marker
from meshext_controlplane.identity.starting import start_authority
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.backup import back_up, check_backup
from meshext_controlplane.state.certificates import find_certificate
from meshext_controlplane.state.documents import Delete, Documents, Put
from meshext_controlplane.state.registrations import RegistrationRecord, Registrations
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.requests import csr
from tests.controlplane.state.tracing import Call, traced

WEB = SpiffeId("shop.example", "shop", "web")
A, B = ("Service", "shop", "a"), ("Service", "shop", "b")
BIG = "x" * 9_000  # several pages
REQUEST = csr()

NO_TRACING = 77  # exit code

Acknowledge = Callable[[str], None]


def work(folder: Path, acknowledge: Acknowledge) -> None:
    """Every kind of write that a control plane does, each acknowledged by one line when it is done."""
    with StateStore(folder) as store:
        authority = start_authority(store, trust_domain="shop.example", marker=default_marker(folder))
        acknowledge(f"authority {authority.fingerprints[0]}")
        token = Tokens(authority, store).create(WEB)
        acknowledge(f"token {token.reveal()}")
        svid = Enrollment(store, authority).join(token.reveal(), REQUEST)
        acknowledge(f"joined {svid.serial}")
        documents = Documents(store)
        documents.apply([Put(A, BIG), Put(B, BIG)], now=1)
        acknowledge("applied 1")
        documents.apply([Put(A, "small"), Delete(B)], now=2)
        acknowledge("applied 2")
        record = RegistrationRecord(
            namespace="shop", name="web-1", identity=str(WEB), serial=svid.serial, body=b"1", seen=1
        )
        Registrations(store).put(record)
        acknowledge("registered")
        Bans(store, authority).add(svid.serial)
        acknowledge("banned")
        back_up(store, folder.with_name("copy.db"))
        acknowledge("backed-up")


def check(folder: Path, acknowledged: dict[str, str]) -> None:
    """After a kill: what was acknowledged is there, and what was not is there as a whole or not at all."""
    with StateStore(folder) as store:
        with store.reading() as transaction:
            assert transaction.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        documents = {each.key: each.text for each in Documents(store).all()}
        assert documents in ({}, {A: BIG, B: BIG}, {A: "small"})
        assert len(documents) <= 1 or "applied" not in acknowledged or acknowledged["applied"] == "1"
        assert documents or "applied" not in acknowledged
        assert Registrations(store).all() or "registered" not in acknowledged
        check_identity(store, folder, acknowledged)
    if "backed-up" in acknowledged or folder.with_name("copy.db").exists():
        assert check_backup(folder.with_name("copy.db")).rows["bans"] == 1


def check_identity(store: StateStore, folder: Path, acknowledged: dict[str, str]) -> None:
    """The same for authority, token, certificate and ban."""
    try:
        facts = read_facts(store)
    except AuthorityMissing:
        assert not acknowledged
        assert read_marker(default_marker(folder)) is None
        return
    assert acknowledged.get("authority", facts.fingerprints[0]) == facts.fingerprints[0]
    authority = start_authority(store, trust_domain="shop.example", marker=default_marker(folder))
    tokens = Tokens(facts, store).all()
    assert tokens or "token" not in acknowledged
    if "joined" in acknowledged:
        with store.reading() as transaction:
            assert find_certificate(transaction, acknowledged["joined"]) is not None
    if "token" in acknowledged:
        Enrollment(store, authority).join(acknowledged["token"], REQUEST)
    assert Bans(store, facts).all() or "banned" not in acknowledged


def run(folder: Path, kill_at: int) -> tuple[Call | None, dict[str, str], list[str]]:
    """Do the work until before that call, the first being 1: the call, and what was acknowledged.

    The call is None where the work was done before. The last are files that were written and not synced when
    something was acknowledged.
    """
    reader, writer = os.pipe()
    pipe = os.readlink(f"/proc/self/fd/{writer}")
    dirty: set[str] = set()
    early: list[str] = []
    last: Call | None = None

    def acknowledge(text: str) -> None:
        os.write(writer, f"{text}\n".encode())

    with traced(lambda: work(folder, acknowledge)) as calls:
        for number, call in enumerate((each for each in calls if note(each, pipe, dirty, early)), 1):
            if number == kill_at:
                last = call
                break
    os.close(writer)
    with os.fdopen(reader) as lines:
        acknowledged = dict((line.strip() + " ").split(" ")[:2] for line in lines)
    return last, acknowledged, early


def note(call: Call, pipe: str, dirty: set[str], early: list[str]) -> bool:
    """Follow what is not on disk yet; whether the call writes to a disk."""
    if call.path == pipe:
        early += sorted(dirty)
        return False
    if call.name in ("fsync", "fdatasync"):
        dirty.discard(call.path)
    elif call.name in ("write", "writev", "pwrite", "ftruncate"):
        dirty.add(call.path)
    return True


def main(folder: Path) -> None:
    kill_at = 0
    while True:
        kill_at += 1
        here = folder / str(kill_at)
        last, acknowledged, early = run(here / "state", kill_at)
        assert not early, f"acknowledged before it was on disk: {early}"
        check(here / "state", acknowledged)
        call = (last.name, Path(last.path).name) if last else ("end", "")
        sys.stdout.write(f"{' '.join([*call, *acknowledged])}\n")
        if last is None:
            return
        shutil.rmtree(here)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except PermissionError as error:  # of ptrace
        sys.stdout.write(f"{error}\n")
        sys.exit(NO_TRACING)
