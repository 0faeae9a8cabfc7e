"""Texts that only who has a key can make: HMAC-SHA256 (RFC 2104), compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac

MAC_LENGTH = 43  # characters of base64url without padding


def sign(purpose: str, text: str, key: str) -> str:
    """The text with its signature behind a dot; what is signed for one purpose is no good for another."""
    return f"{text}.{mac(purpose, text, key)}"


def open_signed(purpose: str, signed: str, keys: list[str]) -> str | None:
    """The text, where one of the keys has signed it; None for everything else."""
    text, dot, given = signed.rpartition(".")
    if not dot:
        return None
    claimed = given.encode("utf-8", "surrogateescape")
    genuine = False
    for key in keys:  # as many steps for a wrong one as for a right one
        if hmac.compare_digest(mac(purpose, text, key).encode(), claimed):
            genuine = True
    return text if genuine else None


def mac(purpose: str, text: str, key: str) -> str:
    """The signature in base64url without padding."""
    message = f"meshext ab-routing {purpose}\0{text}".encode("utf-8", "surrogateescape")
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def parse_time(text: str) -> int | None:
    """Seconds since 1970 as they are written in a signed text; None for what is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
