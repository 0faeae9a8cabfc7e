"""uuid: identifiers of RFC 9562, read, made at random and made from names."""

from __future__ import annotations

from typing import TypeAlias

from meshext_wasm.library.hashlib import md5, sha1
from meshext_wasm.library.secrets import token_bytes

Octets: TypeAlias = bytes
Whole: TypeAlias = int
RESERVED_NCS = "reserved for NCS compatibility"
RFC_4122 = "specified in RFC 4122"
RESERVED_MICROSOFT = "reserved for Microsoft compatibility"
RESERVED_FUTURE = "reserved for future definition"


class UUID:
    """128 bits; two with the same are equal, and they are ordered as numbers."""

    int: Whole

    def __init__(
        self,
        hex: str | None = None,  # noqa: A002  # Python's own names, here and below
        bytes: Octets | None = None,  # noqa: A002
        *,
        int: Whole | None = None,  # noqa: A002
        version: Whole | None = None,
    ) -> None:
        number = number_of(hex, bytes, int)
        if version is not None:
            if version < 1 or version > 5:
                raise ValueError("illegal version number")
            number = with_version(number, version)
        self.int = number

    @property
    def hex(self) -> str:
        """32 digits."""
        return f"{self.int:032x}"

    @property
    def bytes(self) -> Octets:
        """16 bytes, most significant first."""
        return self.int.to_bytes(16, "big")

    @property
    def urn(self) -> str:
        """As a URN."""
        return "urn:uuid:" + str(self)

    @property
    def variant(self) -> str:
        """Who says what the bits mean."""
        top = self.int >> 61 & 7
        if top < 4:
            return RESERVED_NCS
        if top < 6:
            return RFC_4122
        return RESERVED_MICROSOFT if top == 6 else RESERVED_FUTURE

    @property
    def version(self) -> Whole | None:
        """How it was made, where the RFC says what the bits mean."""
        return self.int >> 76 & 0xF if self.variant == RFC_4122 else None

    def __str__(self) -> str:
        text = self.hex
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def __repr__(self) -> str:
        return f"UUID('{self}')"

    def __int__(self) -> Whole:
        return self.int

    def __hash__(self) -> Whole:
        return hash(self.int)

    def __eq__(self, other: object) -> bool:
        return self.int == other.int if isinstance(other, UUID) else False

    def __lt__(self, other: UUID) -> bool:
        return self.int < other.int

    def __le__(self, other: UUID) -> bool:
        return self.int <= other.int

    def __gt__(self, other: UUID) -> bool:
        return self.int > other.int

    def __ge__(self, other: UUID) -> bool:
        return self.int >= other.int


def number_of(text: str | None, data: Octets | None, number: Whole | None) -> Whole:
    """The 128 bits, from the one way of three in which they are given."""
    if (text is None) + (data is None) + (number is None) != 2:
        raise TypeError("one of the hex, bytes, bytes_le, fields, or int arguments must be given")
    if text is not None:
        digits = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
        if len(digits) != 32:
            raise ValueError("badly formed hexadecimal UUID string")
        return int(digits, 16)
    if data is not None:
        if len(data) != 16:
            raise ValueError("bytes is not a 16-char string")
        return int.from_bytes(data, "big")
    if number is None or number < 0 or number >= 1 << 128:
        raise ValueError("int is out of range (need a 128-bit value)")
    return number


def with_version(number: Whole, version: Whole) -> Whole:
    """The bits with those in place that say how it was made (RFC 9562, 4.1 and 4.2)."""
    number &= ~(0xC000 << 48)
    number |= 0x8000 << 48
    number &= ~(0xF000 << 64)
    return number | version << 76


def uuid4() -> UUID:
    """One at random."""
    return UUID(bytes=token_bytes(16), version=4)


def uuid3(namespace: UUID, name: str) -> UUID:
    """One from the MD5 of a namespace and a name."""
    return UUID(bytes=md5(namespace.bytes + name.encode()).digest(), version=3)


def uuid5(namespace: UUID, name: str) -> UUID:
    """One from the SHA-1 of a namespace and a name."""
    return UUID(bytes=sha1(namespace.bytes + name.encode()).digest()[:16], version=5)


NAMESPACE_DNS = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
NAMESPACE_URL = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
NAMESPACE_OID = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
NAMESPACE_X500 = UUID("6ba7b814-9dad-11d1-80b4-00c04fd430c8")
