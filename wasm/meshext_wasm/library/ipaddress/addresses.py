"""Addresses."""

from __future__ import annotations

from meshext_wasm.library.ipaddress.parsing import (
    AddressValueError,
    parse_four,
    parse_six,
    show_four,
    show_six,
)

PRIVATE_FOUR = (
    (0x00000000, 8), (0x0A000000, 8), (0x7F000000, 8), (0xA9FE0000, 16), (0xAC100000, 12),
    (0xC0000000, 24), (0xC00000AA, 31), (0xC0000200, 24), (0xC0A80000, 16), (0xC6120000, 15),
    (0xC6336400, 24), (0xCB007100, 24), (0xF0000000, 4), (0xFFFFFFFF, 32),
)  # fmt: skip
"""First address and length of the prefix, as IANA's registry of special addresses has them."""
PUBLIC_FOUR = ((0xC0000009, 32), (0xC000000A, 32))
"""Those among them that the registry says to be reachable from everywhere."""
PRIVATE_SIX = (
    (1, 128), (0, 128), (0xFFFF00000000, 96), (0x0064FF9B0001 << 80, 48), (0x0100 << 112, 64),
    (0x2001 << 112, 23), (0x20010DB8 << 96, 32), (0x2002 << 112, 16), (0xFC00 << 112, 7), (0xFE80 << 112, 10),
)  # fmt: skip
PUBLIC_SIX = (
    ((0x20010001 << 96) + 1, 128), ((0x20010001 << 96) + 2, 128), (0x20010003 << 96, 32),
    (0x200100040112 << 80, 48), (0x20010020 << 96, 28), (0x20010030 << 96, 28),
)  # fmt: skip
RESERVED_SIX = (
    (0, 8), (0x0100 << 112, 8), (0x0200 << 112, 7), (0x0400 << 112, 6), (0x0800 << 112, 5),
    (0x1000 << 112, 4), (0x4000 << 112, 3), (0x6000 << 112, 3), (0x8000 << 112, 3), (0xA000 << 112, 3),
    (0xC000 << 112, 3), (0xE000 << 112, 4), (0xF000 << 112, 5), (0xF800 << 112, 6), (0xFE00 << 112, 9),
)  # fmt: skip


def is_within(number: int, bits: int, blocks: tuple[tuple[int, int], ...]) -> bool:
    """Whether a number is in one of some blocks."""
    return are_within(number, number, bits, blocks)


def are_within(low: int, high: int, bits: int, blocks: tuple[tuple[int, int], ...]) -> bool:
    """Whether two numbers are in the same one of some blocks."""
    for first, prefix in blocks:
        wanted = first >> bits - prefix
        if low >> bits - prefix == wanted and high >> bits - prefix == wanted:
            return True
    return False


def are_private(low: int, high: int) -> bool:
    """Whether two numbers of IPv4 addresses are in one block for a special use, and none is for everybody."""
    public = is_within(low, 32, PUBLIC_FOUR) or is_within(high, 32, PUBLIC_FOUR)
    return are_within(low, high, 32, PRIVATE_FOUR) and not public


def are_private_six(low: int, high: int) -> bool:
    """The same of IPv6 addresses."""
    public = is_within(low, 128, PUBLIC_SIX) or is_within(high, 128, PUBLIC_SIX)
    return are_within(low, high, 128, PRIVATE_SIX) and not public


def check_number(number: int, bits: int, version: int) -> int:
    """A number that an address of a version may have."""
    if number < 0:
        raise AddressValueError(f"{number} (< 0) is not permitted as an IPv{version} address")
    if number >> bits != 0:
        raise AddressValueError(f"{number} (>= 2**{bits}) is not permitted as an IPv{version} address")
    return number


def packed_number(data: bytes, size: int, version: int) -> int:
    """The number of an address in network order."""
    if len(data) != size:
        reason = f"{data!r} (len {len(data)} != {size}) is not permitted as an IPv{version} address"
        raise AddressValueError(reason)
    return int.from_bytes(data, "big")


class IPv4Address:
    """An address of version 4."""

    number: int

    def __init__(self, address: str | int | bytes) -> None:
        if isinstance(address, int):
            self.number = check_number(address, 32, 4)
        elif isinstance(address, bytes):
            self.number = packed_number(address, 4, 4)
        else:
            if "/" in address:
                raise AddressValueError(f"Unexpected '/' in {address!r}")
            self.number = parse_four(address)

    @property
    def version(self) -> int:
        """4."""
        return 4

    @property
    def max_prefixlen(self) -> int:
        """32."""
        return 32

    @property
    def packed(self) -> bytes:
        """Four bytes in network order."""
        return self.number.to_bytes(4, "big")

    @property
    def compressed(self) -> str:
        """The text."""
        return str(self)

    @property
    def exploded(self) -> str:
        """The text."""
        return str(self)

    @property
    def reverse_pointer(self) -> str:
        """The name for a reverse look-up."""
        return ".".join(str(self).split(".")[::-1]) + ".in-addr.arpa"

    @property
    def is_private(self) -> bool:
        """Whether it is for a special use."""
        return are_private(self.number, self.number)

    @property
    def is_global(self) -> bool:
        """Whether it is for public networks; not so 100.64.0.0/10, which is not private either."""
        return not is_within(self.number, 32, ((0x64400000, 10),)) and not self.is_private

    @property
    def is_reserved(self) -> bool:
        """In 240.0.0.0/4."""
        return self.number >> 28 == 15

    @property
    def is_multicast(self) -> bool:
        """In 224.0.0.0/4."""
        return self.number >> 28 == 14

    @property
    def is_unspecified(self) -> bool:
        """0.0.0.0."""
        return self.number == 0

    @property
    def is_loopback(self) -> bool:
        """In 127.0.0.0/8."""
        return self.number >> 24 == 127

    @property
    def is_link_local(self) -> bool:
        """In 169.254.0.0/16."""
        return self.number >> 16 == 0xA9FE

    def __str__(self) -> str:
        return show_four(self.number)

    def __repr__(self) -> str:
        return f"IPv4Address('{self}')"

    def __hash__(self) -> int:
        return hash(hex(self.number))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return self.number == other.number
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return self.number < other.number
        return NotImplemented if not isinstance(other, IPv6Address) else versions_differ(self, other)

    def __le__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return self.number <= other.number
        return NotImplemented if not isinstance(other, IPv6Address) else versions_differ(self, other)

    def __gt__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return self.number > other.number
        return NotImplemented if not isinstance(other, IPv6Address) else versions_differ(self, other)

    def __ge__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return self.number >= other.number
        return NotImplemented if not isinstance(other, IPv6Address) else versions_differ(self, other)

    def __int__(self) -> int:
        return self.number

    def __add__(self, other: int) -> IPv4Address:
        return IPv4Address(self.number + other)

    def __sub__(self, other: int) -> IPv4Address:
        return IPv4Address(self.number - other)


def versions_differ(left: object, right: object) -> bool:
    """Raise: addresses of different versions have no order."""
    raise TypeError(f"{left} and {right} are not of the same version")


class IPv6Address:
    """An address of version 6, with the zone behind `%` if there is one (RFC 4007)."""

    number: int
    scope_id: str | None

    def __init__(self, address: str | int | bytes) -> None:
        self.scope_id = None
        if isinstance(address, int):
            self.number = check_number(address, 128, 6)
        elif isinstance(address, bytes):
            self.number = packed_number(address, 16, 6)
        else:
            if "/" in address:
                raise AddressValueError(f"Unexpected '/' in {address!r}")
            text, sign, zone = address.partition("%")
            if sign != "":
                if zone == "" or "%" in zone:
                    raise AddressValueError(f'Invalid IPv6 address: "{address!r}"')
                self.scope_id = zone
            self.number = parse_six(text)

    @property
    def version(self) -> int:
        """6."""
        return 6

    @property
    def max_prefixlen(self) -> int:
        """128."""
        return 128

    @property
    def packed(self) -> bytes:
        """Sixteen bytes in network order."""
        return self.number.to_bytes(16, "big")

    @property
    def compressed(self) -> str:
        """The shortest text."""
        return str(self)

    @property
    def exploded(self) -> str:
        """The text with every digit; AddressValueError for one with a zone, as in CPython."""
        digits = f"{parse_six(str(self)):032x}"
        groups = [digits[start : start + 4] for start in range(0, 32, 4)]
        return ":".join(groups)

    @property
    def ipv4_mapped(self) -> IPv4Address | None:
        """The address in ::ffff:0:0/96."""
        return IPv4Address(self.number & 0xFFFFFFFF) if self.number >> 32 == 0xFFFF else None

    @property
    def is_private(self) -> bool:
        """Whether it is for a special use; of a mapped address, whether that one is."""
        mapped = self.ipv4_mapped
        if mapped is not None:
            return mapped.is_private
        return are_private_six(self.number, self.number)

    @property
    def is_global(self) -> bool:
        """Whether it is for public networks."""
        return not self.is_private

    @property
    def is_reserved(self) -> bool:
        """In a block that is reserved."""
        return is_within(self.number, 128, RESERVED_SIX)

    @property
    def is_multicast(self) -> bool:
        """In ff00::/8."""
        return self.number >> 120 == 255

    @property
    def is_unspecified(self) -> bool:
        """::."""
        return self.number == 0

    @property
    def is_loopback(self) -> bool:
        """::1."""
        return self.number == 1

    @property
    def is_link_local(self) -> bool:
        """In fe80::/10."""
        return self.number >> 118 == 0xFE80 >> 6

    @property
    def is_site_local(self) -> bool:
        """In fec0::/10."""
        return self.number >> 118 == 0xFEC0 >> 6

    def __str__(self) -> str:
        text = show_six(self.number)
        return text if self.scope_id is None else f"{text}%{self.scope_id}"

    def __repr__(self) -> str:
        return f"IPv6Address('{self}')"

    def __hash__(self) -> int:
        return hash((self.number, self.scope_id))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return self.number == other.number and self.scope_id == other.scope_id
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return self.number < other.number
        return NotImplemented if not isinstance(other, IPv4Address) else versions_differ(self, other)

    def __le__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return self.number < other.number or self == other
        return NotImplemented if not isinstance(other, IPv4Address) else versions_differ(self, other)

    def __gt__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return self.number > other.number
        return NotImplemented if not isinstance(other, IPv4Address) else versions_differ(self, other)

    def __ge__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return self.number > other.number or self == other
        return NotImplemented if not isinstance(other, IPv4Address) else versions_differ(self, other)

    def __int__(self) -> int:
        return self.number

    def __add__(self, other: int) -> IPv6Address:
        return IPv6Address(self.number + other)

    def __sub__(self, other: int) -> IPv6Address:
        return IPv6Address(self.number - other)


def ip_address(address: str | int | bytes) -> IPv4Address | IPv6Address:
    """The address of a text, number or packed bytes, of whichever version it is."""
    try:
        return IPv4Address(address)
    except AddressValueError:
        pass
    try:
        return IPv6Address(address)
    except AddressValueError:
        pass
    raise ValueError(f"{address!r} does not appear to be an IPv4 or IPv6 address")
