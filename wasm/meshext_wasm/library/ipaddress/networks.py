"""Networks: an address and the length of its prefix."""

from __future__ import annotations

from meshext_wasm.library.ipaddress.addresses import (
    IPv4Address,
    IPv6Address,
    are_private,
    are_private_six,
)
from meshext_wasm.library.ipaddress.parsing import (
    AddressValueError,
    NetmaskValueError,
    parse_four,
    prefix_problem,
)

ALL_FOUR = (1 << 32) - 1
ALL_SIX = (1 << 128) - 1


def split_network(text: str) -> tuple[str, str]:
    """The address and what stands behind `/`, empty where nothing does."""
    parts = text.split("/")
    if len(parts) > 2:
        raise AddressValueError(f"Only one '/' permitted in {text!r}")
    return parts[0], parts[1] if len(parts) == 2 else ""


def prefix_of(text: str, bits: int) -> int:
    """The length of a prefix."""
    if prefix_problem(text):
        raise NetmaskValueError(f"{text!r} is not a valid netmask")
    length = int(text)
    if length > bits:
        raise NetmaskValueError(f"{text!r} is not a valid netmask")
    return length


def prefix_of_four(text: str) -> int:
    """The same, which may also be a netmask or a hostmask."""
    if not prefix_problem(text):
        return prefix_of(text, 32)
    try:
        mask = parse_four(text)
    except AddressValueError:
        raise NetmaskValueError(f"{text!r} is not a valid netmask") from None
    for number in (mask, mask ^ ALL_FOUR):
        zeros = 0
        while zeros < 32 and number >> zeros & 1 == 0:
            zeros += 1
        if number >> zeros == (1 << 32 - zeros) - 1:
            return 32 - zeros
    raise NetmaskValueError(f"{text!r} is not a valid netmask")


class IPv4Network:
    """A network of version 4."""

    network_address: IPv4Address
    prefixlen: int

    def __init__(self, address: str | int | bytes, strict: bool = True) -> None:
        first = 0
        self.prefixlen = 32
        if isinstance(address, str):
            text, prefix = split_network(address)
            first = parse_four(text)
            if prefix != "" or "/" in address:
                self.prefixlen = prefix_of_four(prefix)
        else:
            first = IPv4Address(address).number
        kept = first & self.mask()
        self.network_address = IPv4Address(first)
        if strict and kept != first:
            raise ValueError(f"{self} has host bits set")
        self.network_address = IPv4Address(kept)

    def mask(self) -> int:
        """The bits of the prefix."""
        return ALL_FOUR ^ (1 << 32 - self.prefixlen) - 1

    @property
    def version(self) -> int:
        """4."""
        return 4

    @property
    def max_prefixlen(self) -> int:
        """32."""
        return 32

    @property
    def netmask(self) -> IPv4Address:
        """The bits of the prefix."""
        return IPv4Address(self.mask())

    @property
    def hostmask(self) -> IPv4Address:
        """The other bits."""
        return IPv4Address(self.mask() ^ ALL_FOUR)

    @property
    def broadcast_address(self) -> IPv4Address:
        """The last address."""
        return IPv4Address(self.network_address.number | self.mask() ^ ALL_FOUR)

    @property
    def num_addresses(self) -> int:
        """How many addresses there are."""
        return 1 << 32 - self.prefixlen

    @property
    def with_prefixlen(self) -> str:
        """`192.0.2.0/24`."""
        return f"{self.network_address}/{self.prefixlen}"

    @property
    def with_netmask(self) -> str:
        """`192.0.2.0/255.255.255.0`."""
        return f"{self.network_address}/{self.netmask}"

    @property
    def is_private(self) -> bool:
        """Whether all of it is in one block for a special use."""
        return are_private(self.network_address.number, self.broadcast_address.number)

    @property
    def is_loopback(self) -> bool:
        """Whether all of it is."""
        return self.network_address.is_loopback and self.broadcast_address.is_loopback

    def __contains__(self, other: object) -> bool:
        if isinstance(other, IPv4Address):
            return other.number & self.mask() == self.network_address.number
        return False

    def overlaps(self, other: object) -> bool:
        """Whether both have an address."""
        if isinstance(other, IPv4Network):
            return self.network_address in other or other.network_address in self
        return False

    def subnet_of(self, other: IPv4Network) -> bool:
        """Whether all of it is in another network."""
        return self.network_address in other and self.prefixlen >= other.prefixlen

    def supernet_of(self, other: IPv4Network) -> bool:
        """Whether all of another network is in it."""
        return other.subnet_of(self)

    def __str__(self) -> str:
        return self.with_prefixlen

    def __repr__(self) -> str:
        return f"IPv4Network('{self}')"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IPv4Network):
            return self.network_address == other.network_address and self.prefixlen == other.prefixlen
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.network_address.number, self.prefixlen))


class IPv6Network:
    """A network of version 6."""

    network_address: IPv6Address
    prefixlen: int

    def __init__(self, address: str | int | bytes, strict: bool = True) -> None:
        given: str | int | bytes = address
        self.prefixlen = 128
        if isinstance(address, str):
            text, prefix = split_network(address)
            given = text
            self.network_address = IPv6Address(text)
            if prefix != "" or "/" in address:
                self.prefixlen = prefix_of(prefix, 128)
        first = IPv6Address(given)
        kept = first.number & self.mask()
        self.network_address = first
        if strict and kept != first.number:
            raise ValueError(f"{self} has host bits set")
        self.network_address = IPv6Address(kept)

    def mask(self) -> int:
        """The bits of the prefix."""
        return ALL_SIX ^ (1 << 128 - self.prefixlen) - 1

    @property
    def version(self) -> int:
        """6."""
        return 6

    @property
    def max_prefixlen(self) -> int:
        """128."""
        return 128

    @property
    def netmask(self) -> IPv6Address:
        """The bits of the prefix."""
        return IPv6Address(self.mask())

    @property
    def hostmask(self) -> IPv6Address:
        """The other bits."""
        return IPv6Address(self.mask() ^ ALL_SIX)

    @property
    def broadcast_address(self) -> IPv6Address:
        """The last address."""
        return IPv6Address(self.network_address.number | self.mask() ^ ALL_SIX)

    @property
    def num_addresses(self) -> int:
        """How many addresses there are."""
        return 1 << 128 - self.prefixlen

    @property
    def with_prefixlen(self) -> str:
        """`2001:db8::/32`."""
        return f"{self.network_address}/{self.prefixlen}"

    @property
    def is_private(self) -> bool:
        """Whether all of it is in one block for a special use."""
        return are_private_six(self.network_address.number, self.broadcast_address.number)

    @property
    def is_loopback(self) -> bool:
        """Whether all of it is."""
        return self.network_address.is_loopback and self.broadcast_address.is_loopback

    def __contains__(self, other: object) -> bool:
        if isinstance(other, IPv6Address):
            return other.number & self.mask() == self.network_address.number
        return False

    def overlaps(self, other: object) -> bool:
        """Whether both have an address."""
        if isinstance(other, IPv6Network):
            return self.network_address in other or other.network_address in self
        return False

    def subnet_of(self, other: IPv6Network) -> bool:
        """Whether all of it is in another network."""
        return self.network_address in other and self.prefixlen >= other.prefixlen

    def supernet_of(self, other: IPv6Network) -> bool:
        """Whether all of another network is in it."""
        return other.subnet_of(self)

    def __str__(self) -> str:
        return self.with_prefixlen

    def __repr__(self) -> str:
        return f"IPv6Network('{self}')"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IPv6Network):
            return self.network_address == other.network_address and self.prefixlen == other.prefixlen
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.network_address.number, self.prefixlen))


def ip_network(address: str | int | bytes, strict: bool = True) -> IPv4Network | IPv6Network:
    """The network of a text, of whichever version it is. ValueError where an address has bits behind its
    prefix, unless not `strict`."""
    try:
        return IPv4Network(address, strict)
    except (AddressValueError, NetmaskValueError):
        pass
    try:
        return IPv6Network(address, strict)
    except (AddressValueError, NetmaskValueError):
        pass
    raise ValueError(f"{address!r} does not appear to be an IPv4 or IPv6 network")
