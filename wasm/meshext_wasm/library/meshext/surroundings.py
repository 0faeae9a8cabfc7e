"""What Envoy tells about an exchange beside the message; asked for when a filter asks, and once."""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.peer import Peer, principal_from
from meshext_wasm.library.meshext.structs import read_metadata
from meshext_wasm.library.proxy.host import read_property

DIRECT_ADDRESS = "filter_state.meshext_direct_address"
URI_SANS = "filter_state.meshext_uri_sans"
"""Where the configuration of Envoy puts the direct peer's address, for which it has no attribute, and all the
URIs of its certificate."""

LONGEST_ID = 128
NO_ATTRIBUTES: dict[str, str | int | float | bool | bytes | None] = {}
NOTHING_PUBLISHED: dict[str, dict[str, object]] = {}
"""Dicts that nobody writes to: most exchanges need none of their own."""


class Surroundings:
    """One exchange's. `route` and `cluster` are those that were chosen before the first filter ran.

    `published` is the metadata that filters of this chain wrote, by namespace. `lines` are the request's.
    `lines_logged` are those that its hooks wrote into the log, `is_quiet` whether there were too many.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._request_id: str | None = None
        self.route = ""
        self.cluster = ""
        self.attributes = NO_ATTRIBUTES
        self.published = NOTHING_PUBLISHED
        self.lines_logged = 0
        self.is_quiet = False
        self._peer: Peer | None = None
        self._client_address: str | None = None
        self._envoys: dict[str, dict[str, object]] | None = None

    @property
    def request_id(self) -> str:
        """The request id that Envoy made or let through, as far as it is fit for a log and an answer."""
        found = self._request_id
        if found is None:
            found = find_request_id(self._lines)
            self._request_id = found
        return found

    @property
    def peer(self) -> Peer:
        """The direct peer; it stays the same as long as the connection."""
        found = self._peer
        if found is None:
            found = read_peer()
            self._peer = found
        return found

    @property
    def client_address(self) -> str:
        """The client's IP address as Envoy trusts it from x-forwarded-for."""
        found = self._client_address
        if found is None:
            found = without_port(text_of("source.address"))
            self._client_address = found
        return found

    def metadata(self, namespace: str) -> dict[str, object]:
        """What is in a namespace in this phase; a dict of its own."""
        made: dict[str, object] = {}
        envoys = self.envoys()
        if namespace in envoys:
            made.update(envoys[namespace])
        if namespace in self.published:
            made.update(self.published[namespace])
        return made

    def has_metadata(self, namespace: str) -> bool:
        """Whether anybody wrote to a namespace."""
        return namespace in self.published or namespace in self.envoys()

    def publish(self, namespace: str, written: dict[str, object]) -> None:
        """Let the filters that come later read what one wrote."""
        made: dict[str, object] = {}
        if namespace in self.published:
            made.update(self.published[namespace])
        made.update(written)
        if len(self.published) == 0:
            self.published = {}
        self.published[namespace] = made

    def add_attribute(self, name: str, value: str | int | float | bool | bytes | None) -> None:
        """What Envoy says of an attribute."""
        if len(self.attributes) == 0:
            self.attributes = {}
        self.attributes[name] = value

    def forget(self) -> None:
        """Another phase: Envoy's other filters may have written since."""
        self._envoys = None

    def envoys(self) -> dict[str, dict[str, object]]:
        """Envoy's dynamic metadata by namespace."""
        found = self._envoys
        if found is None:
            found = read_metadata(read_property("metadata") or b"")
            self._envoys = found
        return found


def find_request_id(lines: Lines) -> str:
    """The id among the request's lines."""
    found = lines.first("x-request-id")
    if found is None:
        return ""
    text = decode(found[:LONGEST_ID])
    for char in text:
        if char <= " " or char > "~":
            return ""
    return text


def read_peer() -> Peer:
    """The direct peer, whose address is in the filter state where the configuration put it."""
    address = text_of(DIRECT_ADDRESS)
    if not address:
        address = text_of("source.address")
    tls = text_of("connection.tls_version") != ""
    # The attribute has the first URI alone, and a certificate with two names nobody.
    names = text_of(URI_SANS)
    if not names:
        names = text_of("connection.uri_san_peer_certificate")
    return Peer(principal_from(names), without_port(address), tls)


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
