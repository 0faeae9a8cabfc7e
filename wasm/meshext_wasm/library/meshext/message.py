"""What request and response have in common: header lines, trailers, a body, and what surrounds them."""

from meshext_wasm.library.meshext.errors import HeaderError, UnsupportedError
from meshext_wasm.library.meshext.headers import Headers, open_headers
from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.metadata import Metadata
from meshext_wasm.library.meshext.view import View

NO_BODY_HERE = "a message without a body can not be given one inside Envoy; use --mode proc"


class Texts:
    """Why something can not be done any more, or not yet; `nothing` are trailers before their own hook."""

    def __init__(self, *, left: str, no_body: str, body_left: str, no_trailers: str, no_skip: str) -> None:
        self.left = left
        self.no_body = no_body
        self.body_left = body_left
        self.nothing = Headers()
        self.nothing.seal(no_trailers)
        self.no_skip = no_skip


class Message:
    """A message at one filter. It can be written while it passes, and only be read once it has left.

    Without `has_body` the body is not here, or not yet; `body_refusal` is why it can not be assigned, ""
    where it can. `sealed` says that the message has left.
    """

    def __init__(self, view: View, texts: Texts) -> None:
        self._view = view
        self._texts = texts
        self._headers = texts.nothing
        self._trailers = texts.nothing
        self._body = b""
        self._has_body = False
        self._body_refusal = texts.body_left
        self._lacks_body = False
        self.sealed = False
        self.skips_body = False

    @property
    def headers(self) -> Headers:
        """The header lines; write into it, since a mapping in its place would pass no check."""
        return self._headers

    @property
    def trailers(self) -> Headers:
        """The trailer lines, to be changed in the trailers' own hook."""
        return self._trailers

    @property
    def body(self) -> bytes:
        """The whole body, from the body's own hook on (b"" where the message has none)."""
        if not self._has_body:
            raise HeaderError(self._texts.no_body)
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        if self._body_refusal:
            raise HeaderError(self._body_refusal)
        if self._lacks_body and value:
            raise UnsupportedError(NO_BODY_HERE)
        self._body = value

    def skip_body(self) -> None:
        """Let this body flow past, unbuffered and unseen by this filter; for the headers' own hook only."""
        if self.sealed or self._has_body:
            raise HeaderError(self._texts.no_skip)
        self.skips_body = True

    def attribute(self, name: str) -> str | int | float | bool | bytes | None:
        """A declared attribute, such as `source.port`, in the type of Envoy's attribute table."""
        return self._view.attribute(name)

    @property
    def metadata(self) -> Metadata:
        """Declared namespaces of Envoy's dynamic metadata."""
        return self._view.metadata

    def set_metadata(self, key: str, value: object) -> None:
        """Write a key of the filter's own metadata namespace, `meshext.<filter name>`."""
        self._view.set_metadata(key, value)

    # -- for the engine --------------------------------------------------------------------------

    def seal(self) -> None:
        """From here on the message can only be read."""
        if not self.sealed:
            kept = Headers()
            kept.replace_lines(self._headers.to_lines())
            kept.seal(self._texts.left)
            self._headers = kept  # whoever kept the old one can write to it, and nobody reads that
        self.sealed = True
        self._body_refusal = self._texts.body_left

    def load_lines(self, lines: Lines) -> None:
        """Take the header lines as they are at this point of the chain, open for changes."""
        self._headers = open_headers(lines)
        self.sealed = False
        self._has_body = False
        self._body_refusal = self._texts.body_left

    def load_body(self, body: bytes) -> None:
        """The body has arrived."""
        self._body = body
        self._has_body = True
        self._body_refusal = self._texts.body_left

    def open_body(self, there: bool) -> None:
        """Let the body be assigned; not where the message has none: Envoy would lose it."""
        self._body_refusal = ""
        self._lacks_body = not there

    def forget_body(self) -> None:
        """The body went on."""
        self._has_body = False
        self._body = b""
        self._body_refusal = self._texts.body_left

    def load_trailers(self, lines: Lines) -> None:
        """Take the trailers, open for changes."""
        self._trailers = open_headers(lines)

    def read_body(self) -> bytes:
        """The body as the hook left it."""
        return self._body

    def write_body(self, body: bytes) -> None:
        """Go back to the body that was there before a hook that failed."""
        self._body = body
