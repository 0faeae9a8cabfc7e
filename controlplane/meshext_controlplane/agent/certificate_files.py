"""Key and certificates as files, for programs that can do nothing else: only where `--write-certs` asks."""

from __future__ import annotations

import logging
from pathlib import Path

from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.directory import write_private
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.svid import Svid

KEY, CHAIN, ROOTS, REVOCATIONS = "key.pem", "cert-chain.pem", "root-cert.pem", "revocations.pem"

log = logging.getLogger("meshext.sidecar")


def write_certificates(folder: Path, svid: Svid) -> None:
    """Write them, each whole at once and of mode 0600, the key first. DirectoryError where that fails.

    A program that reads between two of them sees a key without its certificate: it should read again.
    """
    contents = {
        KEY: svid.key_pem,
        CHAIN: svid.chain_pem,
        ROOTS: svid.roots_pem,
        REVOCATIONS: svid.revocations_pem,
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in contents.items():
            write_private(folder / name, content)
    except OSError as error:
        raise DirectoryError(f"can not write certificates to {str(folder)!r}: {error.strerror}") from None


async def keep_written(folder: Path, credentials: Credentials) -> None:
    """Write them now (DirectoryError where that fails) and whenever they change (which is then logged)."""
    svid = credentials.svid
    write_certificates(folder, svid)
    while True:
        svid = await credentials.changed(svid)
        try:
            write_certificates(folder, svid)
        except DirectoryError as error:
            log.error("%s; what is there is out of date", error)
