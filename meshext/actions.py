"""What a hook may return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshext.errors import HeaderError
from meshext.http.headers import Headers, Lines
from meshext.http.legal import BODILESS, check_status


@dataclass(frozen=True, slots=True, init=False)
class Respond:
    """Answer the client, in every phase in which Envoy still can.

    `headers` is a mapping or a list of pairs, `body` bytes or text (UTF-8), `details` goes to the access
    log and never to the client. Envoy's message: `ImmediateResponse`, `DeniedHttpResponse`.
    """

    status: int
    headers: Headers
    body: bytes
    details: str

    def __init__(
        self,
        status: int,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str = b"",
        details: str = "",
    ) -> None:
        object.__setattr__(self, "status", check_status(status))
        object.__setattr__(self, "headers", build_headers(headers))
        object.__setattr__(self, "body", build_body(body))
        object.__setattr__(self, "details", check_details(details))
        if self.body and status in BODILESS:
            raise HeaderError(f"a {status} answer has no body (RFC 9110 6.4.1); leave body out, or use 200")

    def to_lines(self) -> Lines:
        """The header lines."""
        return self.headers.to_lines()


def build_headers(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
    """Checked headers from a mapping or pairs; repeated names are kept."""
    headers = Headers()
    pairs = given.items() if isinstance(given, (Mapping, Headers)) else given
    for name, value in pairs:
        headers.add(name, value)
    return headers


def build_body(given: bytes | str) -> bytes:
    """The bytes of a body."""
    if isinstance(given, str):
        return given.encode()
    if isinstance(given, bytes):
        return given
    raise HeaderError(f"Respond body is bytes or str, not {type(given).__name__}")


def check_details(given: str) -> str:
    """Details as a log line can carry them."""
    if not isinstance(given, str):
        raise HeaderError(f"Respond details is a str, not {type(given).__name__}")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise HeaderError(f"Respond details {given!r:.80} holds bytes that are not UTF-8") from None
    return given
