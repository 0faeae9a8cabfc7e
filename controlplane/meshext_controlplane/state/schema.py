"""The tables, as steps from one version to the next; `PRAGMA user_version` says how many were taken.

Times are whole seconds since 1970, serial numbers lower-case hexadecimal, identities their URI.
"""

from __future__ import annotations

import sqlite3

from meshext_controlplane.state.errors import StateNewer

APPLICATION = 0x6D657368  # "mesh": PRAGMA application_id

_FIRST = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

-- `key` is sealed where the store has a secret; NULL where an operator keeps it.
CREATE TABLE authorities (
    id INTEGER PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('root', 'issuing')),
    certificate BLOB NOT NULL,
    chain BLOB NOT NULL,
    key BLOB
) STRICT;

-- `secret` is a hash. A token that is used stays as long as certificates descend from it: it is their limit.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    identity TEXT NOT NULL,
    limits TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER,
    used_key BLOB
) STRICT;

CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    token TEXT,
    authority INTEGER NOT NULL,
    key BLOB NOT NULL,
    issued INTEGER NOT NULL,
    not_after INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_identity ON certificates (identity, issued);
CREATE INDEX certificates_not_after ON certificates (not_after);

CREATE TABLE bans (
    kind TEXT NOT NULL CHECK (kind IN ('identity', 'serial')),
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT;

CREATE TABLE documents (
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    applied INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, namespace, name)
) STRICT;

CREATE TABLE registrations (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    identity TEXT NOT NULL,
    serial TEXT NOT NULL,
    body BLOB NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;
"""

_JWT_KEYS = """
-- `key` is sealed as those of authorities are.
CREATE TABLE jwt_keys (
    id TEXT PRIMARY KEY,
    public BLOB NOT NULL,
    key BLOB NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT;
"""

STEPS = (_FIRST, _JWT_KEYS)
"""Never changed once released; a new step goes to the end."""


def migrate(database: sqlite3.Connection, where: object) -> None:
    """Bring the tables up to date, all steps or none; StateNewer where they are ahead of this version."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise StateNewer(f"the state {where} is of a later meshext (version {version}): use that one")
    if version == len(STEPS):
        return
    marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {len(STEPS)};"
    database.executescript(f"BEGIN EXCLUSIVE; {''.join(STEPS[version:])} {marks} COMMIT;")
