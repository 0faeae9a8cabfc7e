"""WebSocket frames and handshakes (RFC 6455), as little as a conversation needs."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable

TEXT, BINARY, CLOSE = 1, 2, 8
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake_lines(key: str) -> list[str]:
    """The header lines that ask for it."""
    return [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        f"sec-websocket-key: {key}",
    ]


def new_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    """What the server proves with that it has read the key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(data: bytes, *, opcode: int = BINARY, masked: bool) -> bytes:
    """One whole message; a client's are masked (section 5.3)."""
    mask = os.urandom(4) if masked else b""
    size = len(data)
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, bit | size])
    elif size < 1 << 16:
        head = bytes([0x80 | opcode, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, bit | 127]) + size.to_bytes(8, "big")
    return head + mask + apply(mask, data)


def read_frame(take: Callable[[int], bytes]) -> tuple[int, bytes]:
    """Opcode and data of the next message; `take` gives exactly so many bytes."""
    first, second = take(2)
    size = second & 0x7F
    if size > 125:
        size = int.from_bytes(take(2 if size == 126 else 8), "big")
    mask = take(4) if second & 0x80 else b""
    return first & 0x0F, apply(mask, take(size))


def apply(mask: bytes, data: bytes) -> bytes:
    """Mask or unmask."""
    if not mask:
        return data
    stretched = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stretched, "big")).to_bytes(len(data), "big")
