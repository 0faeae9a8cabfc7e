"""What Envoy tells about an exchange beside the message, asked for once, when the request's headers come."""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.peer import Peer, principal_from
from meshext_wasm.library.meshext.view import Surroundings
from meshext_wasm.library.proxy.host import read_property


def read_surroundings(facts: list[str], request_id: str) -> Surroundings:
    """The facts of these names, those that no filter asks for left out."""
    made = Surroundings()
    made.request_id = request_id
    if "peer" in facts:
        made.peer = read_peer()
    if "client_address" in facts:
        made.client_address = without_port(text_of("source.address"))
    if "route" in facts:
        made.route = text_of("xds.route_name")
    if "cluster" in facts:
        made.cluster = text_of("xds.cluster_name")
    return made


def read_peer() -> Peer:
    """The direct peer. Its address is in the filter state where the configuration put it."""
    address = text_of("filter_state.meshext.direct_address")
    if not address:
        address = text_of("source.address")
    tls = text_of("connection.tls_version") != ""
    return Peer(principal_from(text_of("connection.uri_san_peer_certificate")), without_port(address), tls)


def text_of(path: str) -> str:
    """A property as text, "" where Envoy has no value."""
    value = read_property(path)
    if value is None:
        return ""
    return decode(value)


def without_port(address: str) -> str:
    """The IP address of `127.0.0.1:4711` or `[::1]:4711`; a Unix listener's peer has none."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, mark, port = address.rpartition(":")
    if mark and port.isdigit():
        return host
    return ""
