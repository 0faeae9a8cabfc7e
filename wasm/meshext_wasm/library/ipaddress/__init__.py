"""ipaddress: addresses and networks of both versions."""

from meshext_wasm.library.ipaddress.addresses import IPv4Address, IPv6Address, ip_address
from meshext_wasm.library.ipaddress.networks import IPv4Network, IPv6Network, ip_network
from meshext_wasm.library.ipaddress.parsing import AddressValueError, NetmaskValueError

__all__ = [
    "AddressValueError",
    "IPv4Address",
    "IPv4Network",
    "IPv6Address",
    "IPv6Network",
    "NetmaskValueError",
    "ip_address",
    "ip_network",
]
