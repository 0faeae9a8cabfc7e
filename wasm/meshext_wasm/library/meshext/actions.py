"""What a hook may return."""

from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.meshext.headers import Headers
from meshext_wasm.library.meshext.legal import check_status, is_bodiless
from meshext_wasm.library.meshext.lines import Lines


class Respond:
    """Answer the client, in every phase in which Envoy still can; see `meshext.Respond`."""

    def __init__(
        self,
        status: int,
        *,
        headers: dict[str, str] | Headers | list[tuple[str, str]] | tuple[tuple[str, str], ...] = (),
        body: bytes | str = b"",
        details: str = "",
    ) -> None:
        self.status = check_status(status)
        self.headers = build_headers(headers)
        self.body = build_body(body)
        self.details = check_details(details)
        if self.body and is_bodiless(status):
            raise HeaderError(f"a {status} answer has no body (RFC 9110 6.4.1); leave body out, or use 200")

    def to_lines(self) -> Lines:
        """The header lines."""
        return self.headers.to_lines()


def build_headers(
    given: dict[str, str] | Headers | list[tuple[str, str]] | tuple[tuple[str, str], ...],
) -> Headers:
    """Checked headers from a mapping or pairs; repeated names are kept."""
    headers = Headers()
    if isinstance(given, Headers):  # noqa: SIM114  # two types, each with its own `items`
        for name, value in given.items():
            headers.add(name, value)
    elif isinstance(given, dict):
        for name, value in given.items():
            headers.add(name, value)
    else:
        for name, value in given:
            headers.add(name, value)
    return headers


def build_body(given: bytes | str) -> bytes:
    """The bytes of a body."""
    if isinstance(given, str):
        return given.encode()
    return given


def check_details(given: str) -> str:
    """Details as a log line can carry them."""
    try:
        given.encode()
    except UnicodeEncodeError:
        raise HeaderError(f"Respond details {given[:80]!r} holds bytes that are not UTF-8") from None
    return given
