"""Private keys at rest: encrypted by a passphrase or a key file where one is given.

AES-256-GCM under a key that scrypt derives (RFC 7914; 32 MiB and some 0.1 s a guess); the name of what is
sealed is authenticated with it, so that two rows can not change places.
"""

from __future__ import annotations

import json
import os
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from meshext_controlplane.identity.errors import SealError

_PLAIN, _SEALED = b"\x00", b"\x01"
_NONCE = 12
_COST = {"n": 2**15, "r": 8, "p": 1}
SHORTEST = 8  # bytes of a secret


class Sealer:
    """Seals and opens private keys; without a secret they are kept as they are. Prints no secret."""

    def __init__(self, key: bytes | None = None) -> None:
        self._cipher = AESGCM(key) if key else None

    @classmethod
    def from_secret(cls, secret: bytes, parameters: bytes) -> Self:
        """With a passphrase or the content of a key file, and parameters that `new_parameters` has made."""
        given = json.loads(parameters)
        derive = Scrypt(
            salt=bytes.fromhex(given["salt"]), length=32, n=given["n"], r=given["r"], p=given["p"]
        )
        return cls(derive.derive(secret))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'with' if self.encrypts else 'without'} a secret>"

    @property
    def encrypts(self) -> bool:
        """Whether there is a secret."""
        return self._cipher is not None

    def seal(self, plain: bytes, name: str) -> bytes:
        """The bytes as they are stored under a name."""
        if self._cipher is None:
            return _PLAIN + plain
        nonce = os.urandom(_NONCE)
        return _SEALED + nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def open(self, stored: bytes, name: str) -> bytes:
        """What was sealed under this name; SealError where the secret is missing or another."""
        if is_plain(stored):
            return stored[1:]
        if self._cipher is None:
            raise SealError("the keys in the state are encrypted: give the passphrase or the key file")
        nonce, body = stored[1 : 1 + _NONCE], stored[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, body, name.encode())
        except InvalidTag as error:
            raise SealError("the keys in the state do not open with this passphrase or key file") from error


def is_plain(stored: bytes) -> bool:
    """Whether it is kept without encryption."""
    return stored[:1] == _PLAIN


def new_parameters() -> bytes:
    """What `from_secret` needs beside the secret; stored in the clear."""
    return json.dumps({"kdf": "scrypt", "salt": os.urandom(16).hex(), **_COST}).encode()


def check_secret(secret: bytes) -> bytes:
    """A passphrase without the line end of the file it came from; SealError where it is too short."""
    secret = secret.rstrip(b"\r\n")
    if len(secret) < SHORTEST:
        raise SealError(f"the passphrase or key file has {len(secret)} bytes; use at least {SHORTEST}")
    return secret
