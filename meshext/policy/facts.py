"""What is known of a request when it is decided: everything a policy can look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext.http.headers import Headers
from meshext.http.metadata import Json
from meshext.policy.patterns import Address, fold, parse_address

PSEUDO = frozenset({":method", ":authority", ":path", ":scheme", "host"})
"""Headers that are not among a request's header lines, but that policies may name."""

NO_CLAIMS: Mapping[str, Json] = {}


@dataclass(slots=True, kw_only=True)
class Facts:
    """One request, as Envoy normalised it.

    `target` is the path with query, `host` the authority with port, `principal` the SPIFFE URI that the
    client's certificate proves (None without one). Addresses are IP addresses without port, "" where there is
    none. `claims` is the payload of the verified token, a mapping, or None without one; `metadata` is Envoy's
    dynamic metadata by filter.
    """

    method: str
    target: str
    host: str = ""
    scheme: str = "http"
    headers: Headers = field(default_factory=Headers)
    principal: str | None = None
    peer_address: str = ""
    client_address: str = ""
    destination_address: str = ""
    destination_port: int | None = None
    sni: str = ""
    claims: Json = None
    metadata: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    _path: str | None = None
    _folded_host: str | None = None
    _addresses: dict[str, Address | None] | None = None

    @property
    def path(self) -> str:
        """The path without query and fragment."""
        if self._path is None:
            self._path = self.target.partition("?")[0].partition("#")[0]
        return self._path

    @property
    def folded_host(self) -> str:
        """The host for comparing without case."""
        if self._folded_host is None:
            self._folded_host = fold(self.host)
        return self._folded_host

    def address(self, text: str) -> Address | None:
        """An address of this request as a number, read once."""
        known = self._addresses
        if known is None:
            known = {}
            self._addresses = known
        if text not in known:
            known[text] = parse_address(text)
        return known[text]

    def header(self, name: str) -> list[str]:
        """Every value of a header (name in lower case), pseudo-headers and `host` among them."""
        if name not in PSEUDO:
            return self.headers.get_all(name)
        value = {":method": self.method, ":path": self.target, ":scheme": self.scheme}.get(name, self.host)
        return [value] if value else []

    def claim(self, path: tuple[str, ...]) -> Json:
        """The claim under these names, one inside the other; None where there is none."""
        return find_value(self.claims, path)

    def metadatum(self, namespace: str, key: str) -> Json:
        """One key of a filter's dynamic metadata."""
        return self.metadata.get(namespace, NO_CLAIMS).get(key)


def find_value(value: Json, path: tuple[str, ...]) -> Json:
    """What a path of names leads to, None where it leads nowhere."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
