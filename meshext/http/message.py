"""What request and response have in common: header lines, trailers, a body, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from meshext.errors import HeaderError, UnsupportedError
from meshext.http.additions import NO_ADDITIONS, Additions
from meshext.http.context import AttributeValue, View
from meshext.http.headers import Headers, Lines
from meshext.http.legal import check_body
from meshext.http.metadata import Json, Metadata
from meshext.http.parts import RequestParts, ResponseParts, make

new_headers = Headers.__new__
P = TypeVar("P", RequestParts, ResponseParts)
Before = tuple[Additions, Mapping[str, Json], P, Lines]
"""How everything was before a hook ran: additions, metadata, parts, trailers. Each is one immutable value."""


class Message(Generic[P]):
    """A message at one filter. It can be written while it passes, and only be read once it has left.

    `_parts` is the message but for what was written to its headers: as long as nothing is written the very
    parts that were loaded, so that "untouched" is an identity test. Headers and trailers are objects once
    a hook asks for them.
    """

    __slots__ = (
        "_body_refusal",
        "_closed",
        "_headers",
        "_parts",
        "_received",
        "_sealed",
        "_skipped",
        "_trailers",
        "_view",
    )

    _LEFT: ClassVar[str]
    _NO_BODY: ClassVar[str]
    _BODY_LEFT: ClassVar[str]
    _NO_TRAILERS: ClassVar[str]
    _NO_SKIP: ClassVar[str]

    def __init__(self, view: View, parts: P) -> None:
        self._view = view
        self._parts: P = parts
        self._received: Lines = ()
        self._headers: Headers | None = None
        self._trailers: Headers | None = None
        self._sealed: str | None = None
        self._closed: str | None = None
        self._skipped = False
        self._body_refusal: str | None = self._BODY_LEFT

    @property
    def headers(self) -> Headers:
        """The header lines; write into it, since a mapping in its place would pass no check."""
        headers = self._headers
        if headers is None:
            headers = self._headers = new_headers(Headers)  # `from_lines` by hand
            headers._lines, headers._sealed = self._received, self._closed
        return headers

    @property
    def trailers(self) -> Headers:
        """The trailer lines, to be changed in the trailers' own hook."""
        if self._trailers is None:
            self._trailers = Headers.from_lines((), sealed=self._NO_TRAILERS)
        return self._trailers

    @property
    def body(self) -> bytes:
        """The whole body, from the body's own hook on (b"" where the message has none)."""
        body = self._parts.body
        if body is None:
            raise HeaderError(self._NO_BODY)
        return body

    @body.setter
    def body(self, value: bytes) -> None:
        if self._body_refusal is not None:
            error = HeaderError if self._body_refusal == self._BODY_LEFT else UnsupportedError
            raise error(self._body_refusal)
        self._parts = self._parts.with_body(check_body(value))

    def skip_body(self) -> None:
        """Let this body flow past, unbuffered and unseen by this filter; for the headers' own hook only.

        Its hooks for body and chunks do not run for this message, the one for trailers does. Where another
        filter of the chain wants the body, or the runtime had it sent already, it is only not shown.
        """
        if self._sealed is not None or self._parts.body is not None:
            raise HeaderError(self._NO_SKIP)
        self._skipped = True

    @property
    def skips_body(self) -> bool:
        """Whether `skip_body` was called (for the engine)."""
        return self._skipped

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

    @property
    def sealed(self) -> bool:
        """Whether the message can only be read (for the engine)."""
        return self._sealed is not None

    def seal(self) -> None:
        """From here on the message can only be read."""
        if self._headers is not None:
            self._received = self.parts().lines
            self._headers = None  # whoever kept it can write to it, and nobody reads that
        self._closed = self._sealed = self._LEFT
        self._body_refusal = self._BODY_LEFT

    def load_trailers(self, lines: Lines) -> None:
        """Take the trailers, open for changes."""
        self._trailers = Headers.from_lines(lines)

    def parts(self) -> P:
        """The message as the hook left it: the very parts that were loaded where it wrote nothing."""
        headers, parts = self._headers, self._parts
        if headers is not None and headers._lines is not parts.lines:
            parts = self._parts = parts.with_lines(headers._lines)
        return parts

    def load(self, parts: P) -> None:
        """Take the message as it is at this point of the chain, its headers open for changes."""
        self._parts = parts
        self._received = parts.lines
        self._headers = self._closed = None
        self._body_refusal = self._BODY_LEFT

    def open_body(self, refusal: str | None = None) -> None:
        """Let the body that was loaded be assigned, or say why it can not be."""
        self._body_refusal = refusal

    def snapshot(self) -> Before[P]:
        """What a hook may write to, as it is now (for the engine)."""
        view, headers, trailers = self._view, self._headers, self._trailers
        parts: P = self._parts
        if headers is not None and headers._lines is not parts.lines:
            parts = self._parts = make(type(parts), (headers._lines, *parts[1:]))  # `with_lines` by hand
        added = view.response_headers
        return (
            NO_ADDITIONS if added is None else added.snapshot(),
            view.written,
            parts,
            () if trailers is None else trailers._lines,
        )

    def rewind(self, before: Before[P]) -> None:
        """Go back to what the message was before a hook that failed."""
        additions, self._view.written, parts, trailers = before
        if self._view.response_headers is not None:
            self._view.response_headers.restore(additions)
        if self._sealed is None and parts.body is None:
            self._skipped = False  # it was the headers' own hook
        self._parts = parts
        if self._headers is not None:
            self._headers.replace_lines(parts.lines)
        if self._trailers is not None:
            self._trailers.replace_lines(trailers)

    def _copy_lines(self, other: Message[P]) -> None:
        self._headers = None if other._headers is None else other._headers.copied()
        self._trailers = None if other._trailers is None else other._trailers.copied()

    def _check_open(self) -> None:
        if self._sealed is not None:
            raise HeaderError(self._sealed)
