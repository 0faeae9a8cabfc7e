"""A request as a person writes it down, for `meshext explain`.

    {"method": "GET", "path": "/orders?page=2", "host": "shop.example", "headers": {"x-role": ["a", "b"]},
     "peer": {"principal": "spiffe://cluster.local/ns/shop/sa/web", "address": "10.0.0.7"},
     "client_address": "203.0.113.9", "destination": {"address": "10.0.0.1", "port": 8080},
     "sni": "shop.example", "claims": {"iss": "https://issuer.example", "sub": "ann"},
     "metadata": {"envoy.filters.http.x": {"key": "v"}}}

Only `method` and `path` must be there. `client_address` is the peer's unless given.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshext.config import Document, Plain, parse_document
from meshext.config.wording import shown
from meshext.errors import HeaderError
from meshext.http.headers import Headers
from meshext.http.metadata import Json
from meshext.policy.facts import PSEUDO, Facts
from meshext.policy.findings import Findings
from meshext.policy.keys import TOKEN
from meshext.policy.patterns import SPIFFE, parse_address
from meshext.policy.values import LARGEST_PORT

KEYS = (
    "method",
    "path",
    "host",
    "headers",
    "peer",
    "client_address",
    "destination",
    "sni",
    "claims",
    "metadata",
)
EXAMPLE = '{"method": "GET", "path": "/orders"}'
WITHIN = 1  # the document's number is no part of a path that is shown


def parse_request(document: Document) -> Facts:
    """The request of a JSON (or YAML) text; ConfigError lists every mistake with its line."""
    return RequestReader(document).read(parse_document(document))


class RequestReader:
    """Reads one request; mistakes are noted and raised at the end."""

    def __init__(self, document: Document) -> None:
        self._findings = Findings(document)

    def read(self, value: Plain) -> Facts:
        """The request."""
        request = self._findings.mapping(value, (0,), WITHIN, EXAMPLE) or {}
        self._findings.keys(request, KEYS, (0,), WITHIN)
        peer = self._inner(request, "peer", ("principal", "address"))
        destination = self._inner(request, "destination", ("address", "port"))
        address = self._address(peer.get("address"), "peer", "address")
        client = self._address(request.get("client_address"), "client_address")
        facts = Facts(
            method=self._method(request),
            target=self._path(request),
            host=self._text(request.get("host"), "host"),
            headers=self._headers(request),
            principal=self._principal(peer),
            peer_address=address,
            client_address=client or address,
            destination_address=self._address(destination.get("address"), "destination", "address"),
            destination_port=self._port(destination),
            sni=self._text(request.get("sni"), "sni"),
            claims=dict(self._any(request, "claims")),
            metadata=self._metadata(request),
        )
        self._findings.check(lambda _: "")
        return facts

    def _refuse(self, *parts: str, text: str) -> None:
        self._findings.refuse((0, *parts), text, within=WITHIN)

    def _text(self, value: Plain, *parts: str) -> str:
        return self._findings.text(value, (0, *parts), WITHIN, f'"{parts[-1]}": "..."')

    def _any(self, value: Mapping[str, Plain], *parts: str) -> Mapping[str, Plain]:
        found = value.get(parts[-1])
        if found is None:
            return {}
        return self._findings.mapping(found, (0, *parts), WITHIN, f'"{parts[-1]}": {{...}}') or {}

    def _inner(self, request: Mapping[str, Plain], name: str, known: tuple[str, ...]) -> Mapping[str, Plain]:
        inner = self._any(request, name)
        self._findings.keys(inner, known, (0, name), WITHIN)
        return inner

    def _method(self, request: Mapping[str, Plain]) -> str:
        method = self._text(request.get("method"), "method")
        if request.get("method") in (None, ""):
            self._refuse(text=f"has no method; write for example {EXAMPLE}")
        elif method and not TOKEN.fullmatch(method):
            self._refuse("method", text=f"{shown(method)} is no method; write for example GET")
        return method

    def _path(self, request: Mapping[str, Plain]) -> str:
        path = self._text(request.get("path"), "path")
        if request.get("path") in (None, ""):
            self._refuse(text=f"has no path; write for example {EXAMPLE}")
        elif path and path != "*" and not path.startswith("/"):
            self._refuse(
                "path", text=f"{shown(path)} is no path; begin it with /, and write the host as host"
            )
        return path

    def _headers(self, request: Mapping[str, Plain]) -> Headers:
        lines: list[tuple[str, str]] = []
        for name, value in self._any(request, "headers").items():
            if name.lower() in PSEUDO or name.startswith(":"):
                self._refuse(
                    "headers", name, text="is no header line here; write method, path and host beside headers"
                )
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str):
                    lines.append((name, each))
                else:
                    self._refuse("headers", name, text=f"expected text or a list of texts, got {shown(each)}")
        headers = Headers()
        for name, line in lines:
            try:
                headers.add(name, line)
            except HeaderError as error:
                self._refuse("headers", name, text=str(error))
        return headers

    def _principal(self, peer: Mapping[str, Plain]) -> str | None:
        principal = self._text(peer.get("principal"), "peer", "principal")
        if principal and not principal.startswith(SPIFFE):
            self._refuse(
                "peer",
                "principal",
                text=f"{shown(principal)} is no SPIFFE ID; write {SPIFFE}{principal.lstrip('/')}",
            )
        return principal or None

    def _address(self, value: Plain, *parts: str) -> str:
        address = self._text(value, *parts)
        if address and parse_address(address) is None:
            self._refuse(*parts, text=f"{shown(address)} is no IP address; write it without port")
        return address

    def _port(self, destination: Mapping[str, Plain]) -> int | None:
        port = destination.get("port")
        if port is None or (
            isinstance(port, int) and not isinstance(port, bool) and 0 < port <= LARGEST_PORT
        ):
            return port
        self._refuse(
            "destination", "port", text=f"expected a number from 1 to {LARGEST_PORT}, got {shown(port)}"
        )
        return None

    def _metadata(self, request: Mapping[str, Plain]) -> Mapping[str, Mapping[str, Json]]:
        namespaces: dict[str, Mapping[str, Json]] = {}
        for name, value in self._any(request, "metadata").items():
            inner = self._findings.mapping(
                value, (0, "metadata", name), WITHIN, f'"{name}": {{"key": "value"}}'
            )
            namespaces[name] = inner or {}
        return namespaces
