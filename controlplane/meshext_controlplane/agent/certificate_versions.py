"""Key, certificate and roots as files that change together: a link to the folder of the newest.

Who opens them one after the other may meet a change between two of them. gRPC looks at the times of both
files before and after, and reads again where one is another; in a folder of its own each version has its own.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path

from meshext_controlplane.agent.certificate_files import write_certificates
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.svid import Svid

log = logging.getLogger("meshext.sidecar")


def write_version(link: Path, svid: Svid) -> None:
    """Write them into a new folder and lead the link there. DirectoryError where that fails.

    The version before stays for who is reading it; older ones go.
    """
    folder = link.with_name(f"{link.name}.{time.time_ns()}")
    write_certificates(folder, svid)
    fresh = link.with_name(f"{link.name}.new")
    try:
        before = os.readlink(link) if link.is_symlink() else ""
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(folder.name)
        fresh.rename(link)
    except OSError as error:
        raise DirectoryError(f"can not write certificates to {str(link)!r}: {error.strerror}") from None
    for old in link.parent.glob(f"{link.name}.*"):
        if old.name not in (before, folder.name):
            shutil.rmtree(old, ignore_errors=True)


async def keep_versions(link: Path, credentials: Credentials) -> None:
    """Write a version whenever there is a new one; one that can not be written is logged."""
    svid = credentials.svid
    while True:
        svid = await credentials.changed(svid)
        try:
            write_version(link, svid)
        except DirectoryError as error:
            log.error("%s; what is there is out of date", error)
