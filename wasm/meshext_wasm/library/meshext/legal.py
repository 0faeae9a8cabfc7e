"""What is legal HTTP, as checks that raise HeaderError; `meshext.http.legal` without its patterns."""

from meshext_wasm.library.meshext.errors import HeaderError

TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
AUTHORITY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@[]"


def encode(text: str) -> bytes:
    """The bytes of a header value: UTF-8, where lone surrogates stand for bytes that were not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """The text of a header value; bytes that are not UTF-8 survive as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def consists_of(text: str, allowed: str) -> bool:
    """Whether a text is not empty and every character is an allowed one."""
    for char in text:
        if char not in allowed:
            return False
    return len(text) > 0


def check_name(name: str) -> str:
    """The name in lower case; HeaderError where it is not a token or belongs to the framing."""
    if not consists_of(name, TOKEN):
        raise HeaderError(f"{name!r} is not a header name; write a token such as 'x-version' (RFC 9110 5.1)")
    lower = name.lower()
    if lower == "host":
        raise HeaderError("'host' can not be written as a header; assign request.host")
    if lower == "content-length" or lower == "transfer-encoding":
        raise HeaderError(f"{lower!r} can not be written as a header; it follows the body: assign body")
    return lower


def check_value(name: str, value: str) -> bytes:
    """The bytes of a value; HeaderError where it would not survive the wire unchanged."""
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise HeaderError(
            f"header {name!r}: {value!r} holds a lone surrogate that stands for no byte"
        ) from None
    for byte in raw:
        if (byte < 32 and byte != 9) or byte == 127:
            raise HeaderError(f"header {name!r}: {value!r} holds a control character (CR, LF, NUL, ...)")
    if raw and (raw[0] == 32 or raw[0] == 9 or raw[-1] == 32 or raw[-1] == 9):
        raise HeaderError(f"header {name!r}: {value!r} begins or ends with white space; write value.strip()")
    return raw


def check_method_change(before: str, value: str) -> str:
    """A method in another's place; not HEAD, whose response the client would take for cut short."""
    if not consists_of(value, TOKEN):
        raise HeaderError(f"{value!r} is not a method; write one such as 'GET'")
    if value == "HEAD" and before != value:
        raise HeaderError(
            f"{before} can not become HEAD: the client would wait for the body of a response that has none"
        )
    return value


def check_scheme(value: str) -> str:
    """`http` or `https`."""
    if value != "http" and value != "https":
        raise HeaderError(f"{value!r} is not a scheme; write 'http' or 'https'")
    return value


def check_host(value: str) -> str:
    """A host with an optional port (RFC 3986 3.2)."""
    if not consists_of(value, AUTHORITY):
        raise HeaderError(f"{value!r} is not a host; write one such as 'shop.example' or 'shop.example:8080'")
    return value


def check_path(value: str) -> str:
    """A path without query; percent-encoding is the author's business."""
    target = check_target(value)
    if "?" in target:
        raise HeaderError(
            f"path {value!r} holds a '?'; assign request.target to change path and query together"
        )
    return target


def check_target(value: str) -> str:
    """A path with an optional query, visible ASCII only, no fragment; or `*`."""
    for char in value:
        if char <= " " or char > "~" or char == "#":
            raise HeaderError(
                f"target {value!r} holds something other than visible ASCII without '#'; "
                "percent-encode it first"
            )
    if not value.startswith("/") and value != "*":
        raise HeaderError(f"target {value!r} does not begin with '/'")
    return value


def is_bodiless(status: int) -> bool:
    """Final statuses whose responses have no content (RFC 9110 15.3.5, 15.3.6 and 15.4.5)."""
    return status == 204 or status == 205 or status == 304


def check_status(value: int) -> int:
    """A final status, 200 to 599 (RFC 9110 15)."""
    if isinstance(value, bool) or not 200 <= value <= 599:
        raise HeaderError(f"{value!r} is not a final status; write a whole number from 200 to 599")
    return value


def check_status_change(before: int, value: int) -> int:
    """A status in another's place; none that forbids the body which the response may have."""
    status = check_status(value)
    if is_bodiless(status) and not is_bodiless(before):
        raise HeaderError(f"{before} can not become {status}, which has no body; return Respond({status})")
    return status
