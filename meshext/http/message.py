"""What request and response have in common: header lines, trailers, a body, and what surrounds them."""

from __future__ import annotations

from typing import ClassVar

from meshext.errors import HeaderError, UnsupportedError
from meshext.http.context import AttributeValue, View
from meshext.http.headers import Headers, Lines
from meshext.http.legal import check_body
from meshext.http.metadata import Metadata


class Message:
    """A message at one filter. It can be written while it passes, and only be read once it has left."""

    __slots__ = ("_body", "_body_refusal", "_headers", "_received", "_sealed", "_trailers", "_view")

    _LEFT: ClassVar[str]
    _NO_BODY: ClassVar[str]
    _BODY_LEFT: ClassVar[str]
    _NO_TRAILERS: ClassVar[str]

    def __init__(self, view: View) -> None:
        self._view = view
        self._headers = Headers()
        self._received: Lines = ()
        self._trailers = Headers.from_lines((), sealed=self._NO_TRAILERS)
        self._sealed: str | None = None
        self._body: bytes | None = None
        self._body_refusal: str | None = self._BODY_LEFT

    @property
    def headers(self) -> Headers:
        """The header lines; write into it, since a mapping in its place would pass no check."""
        return self._headers

    @property
    def trailers(self) -> Headers:
        """The trailer lines, to be changed in the trailers' own hook."""
        return self._trailers

    @property
    def received(self) -> Lines:
        """The lines as they came to this filter (for the engine)."""
        return self._received

    @property
    def body(self) -> bytes:
        """The whole body, from the body's own hook on (b"" where the message has none)."""
        if self._body is None:
            raise HeaderError(self._NO_BODY)
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        if self._body_refusal is not None:
            error = HeaderError if self._body_refusal == self._BODY_LEFT else UnsupportedError
            raise error(self._body_refusal)
        self._body = check_body(value)

    @property
    def metadata(self) -> Metadata:
        """Declared namespaces of Envoy's dynamic metadata."""
        return self._view.metadata

    def attribute(self, name: str) -> AttributeValue:
        """A declared attribute, such as `source.port`, in the type of Envoy's attribute table."""
        return self._view.attribute(name)

    def set_metadata(self, key: str, value: object) -> None:
        """Write a key of the filter's own metadata namespace, `meshext.<filter name>`."""
        self._view.set_metadata(key, value)

    def seal(self) -> None:
        """From here on the message can only be read."""
        self._headers = Headers.from_lines(self._headers.to_lines(), sealed=self._LEFT)
        self._sealed = self._LEFT
        self._body_refusal = self._BODY_LEFT

    def load_trailers(self, lines: Lines) -> None:
        """Take the trailers, open for changes."""
        self._trailers = Headers.from_lines(lines)

    def _load_lines(self, lines: Lines, body: bytes | None, body_refusal: str | None) -> None:
        self._headers = Headers.from_lines(lines)
        self._received = lines
        self._body = body
        self._body_refusal = body_refusal

    def _check_open(self) -> None:
        if self._sealed is not None:
            raise HeaderError(self._sealed)
