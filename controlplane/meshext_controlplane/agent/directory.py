"""The folder that a sidecar keeps between its lives: key, certificate, last good resources, sockets.

Mode 0700, every file 0600. One sidecar at a time, by a lock that the kernel takes away when we die.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from base64 import b64decode, b64encode
from pathlib import Path

from google.protobuf.message import DecodeError

from meshext_controlplane.agent.errors import DirectoryError, SvidError
from meshext_controlplane.agent.svid import Key, Svid, check_svid, key_from_pem, key_to_pem, make_key
from meshext_proto.meshext import svids_pb2

_LONGEST_SOCKET = 107  # bytes, Linux's sockaddr_un less the final NUL
_LONGEST_NAME = len("/application-65535.sock")
_SVID = "svid.json"
_JOINING = "joining.pem"


class Directory:
    """A sidecar's folder, made if it is not there; `close` gives it free.

    DirectoryError where it belongs to somebody else, another sidecar uses it, its path is too long for
    sockets, or it can not be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if len(os.fsencode(self.path)) + _LONGEST_NAME > _LONGEST_SOCKET:
            raise DirectoryError(
                f"{str(self.path)!r} is too long for sockets in it: give a path of at most"
                f" {_LONGEST_SOCKET - _LONGEST_NAME} bytes with --data"
            )
        try:
            self._make()
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DirectoryError(f"can not use {str(self.path)!r}: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise DirectoryError(
                f"another sidecar uses {str(self.path)!r}: stop it, or give this one another --name or --data"
            ) from None

    def close(self) -> None:
        """Let another sidecar have it."""
        os.close(self._lock)

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole and for good, or not at all. DirectoryError where that is not possible."""
        try:
            write_private(self.path / name, content)
        except OSError as error:
            raise DirectoryError(f"can not write {str(self.path / name)!r}: {error.strerror}") from None

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DirectoryError(f"can not read {str(self.path / name)!r}: {error.strerror}") from None

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.path.stat()
        if found.st_uid != os.geteuid():
            raise DirectoryError(f"{str(self.path)!r} belongs to somebody else: give another --data")
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.path.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """A file of mode 0600 that is either the old one or the new one, whatever happens meanwhile."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)  # its mode would stay
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def store_svid(directory: Directory, svid: Svid) -> None:
    """Keep key and certificate, in one file, so that they always belong together."""
    document = {
        "key": svid.key_pem.decode(),
        "svid": b64encode(svid.to_message().SerializeToString()).decode(),
    }
    directory.write(_SVID, json.dumps(document).encode())
    (directory.path / _JOINING).unlink(missing_ok=True)


def load_svid(directory: Directory) -> Svid | None:
    """The stored key and certificate; None where there are none.

    SvidError where they do not belong together or have expired, DirectoryError where the file is damaged.
    """
    content = directory.read(_SVID)
    if content is None:
        return None
    try:
        document = json.loads(content)
        key = key_from_pem(document["key"].encode())
        message = svids_pb2.Svid.FromString(b64decode(document["svid"], validate=True))
    except (ValueError, LookupError, TypeError, AttributeError, DecodeError, SvidError):
        raise DirectoryError(
            f"{str(directory.path / _SVID)!r} is damaged: remove it and give a new --token"
        ) from None
    return check_svid(message, key)


def joining_key(directory: Directory) -> Key:
    """The key to join with: the same one at each try, since a token goes with the first key that it sees."""
    content = directory.read(_JOINING)
    if content is not None:
        try:
            return key_from_pem(content)
        except SvidError:
            pass  # a torn file of another life: nothing was joined with it
    key = make_key()
    directory.write(_JOINING, key_to_pem(key))
    return key
