"""What is legal HTTP, as checks that raise HeaderError; `meshext.http.legal` without its patterns."""

from meshext_wasm.library.builtins.bytes_layout import copied, data_of, length_of
from meshext_wasm.library.builtins.text import ASCII, ascii_text, kind_of_bytes, text_kind, text_length
from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.raw import budget_charge, load8, load32, nothrow, value_address, word


def flags(characters: str) -> bytes:
    """For each ASCII character a byte that is 1 where it is among these."""
    return bytes([1 if chr(point) in characters else 0 for point in range(128)])


LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKEN = flags("!#$%&'*+-.^_`|~" + LETTERS)
AUTHORITY = flags("-._~%!$&'()*+,;=:@[]" + LETTERS)


def encode(text: str) -> bytes:
    """The bytes of a header value: UTF-8, where lone surrogates stand for bytes that were not UTF-8."""
    source = value_address(text)
    if text_kind(source) == word(ASCII):
        return copied(source + word(24), int(text_length(source)))
    return text.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """The text of a header value; bytes that are not UTF-8 survive as lone surrogates."""
    start, length = data_of(raw), word(length_of(raw))
    if length > word(0) and kind_of_bytes(start, length) == word(ASCII):
        return ascii_text(start, length)
    return raw.decode("utf-8", "surrogateescape")


@nothrow
def is_plain_name(name: str) -> bool:
    """Whether a name is known to be that of a line that may be written, in lower case: a literal that is."""
    return load32(value_address(name) + word(20)) != word(0)


def lower_name(name: str) -> str:
    """A name in lower case."""
    return name if is_plain_name(name) else name.lower()


def consists_of(text: str, allowed: bytes) -> bool:
    """Whether a text is not empty and every character is an allowed one, as `flags` tell."""
    source = value_address(text)
    length = text_length(source)
    if text_kind(source) != word(ASCII) or length == word(0):
        return False
    budget_charge(length >> word(4))
    return all_flagged(source + word(24), length, data_of(allowed))


@nothrow
def all_flagged(start: word, length: word, table: word) -> bool:
    """Whether a table has a 1 for every byte."""
    at = word(0)
    while at < length:
        if load8(table + load8(start + at)) == word(0):
            return False
        at = at + word(1)
    return True


def check_name(name: str) -> str:
    """The name in lower case; HeaderError where it is not a token or belongs to the framing."""
    if is_plain_name(name):
        return name
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
        raw = encode(value)
    except UnicodeEncodeError:
        raise HeaderError(
            f"header {name!r}: {value!r} holds a lone surrogate that stands for no byte"
        ) from None
    start, length = data_of(raw), word(length_of(raw))
    budget_charge(length >> word(4))
    if holds_control(start, length):
        raise HeaderError(f"header {name!r}: {value!r} holds a control character (CR, LF, NUL, ...)")
    if length > word(0) and (is_blank(load8(start)) or is_blank(load8(start + length - word(1)))):
        raise HeaderError(f"header {name!r}: {value!r} begins or ends with white space; write value.strip()")
    return raw


@nothrow
def is_blank(byte: word) -> bool:
    """Whether it is a space or a tab."""
    return byte == word(32) or byte == word(9)


@nothrow
def holds_control(place: word, length: word) -> bool:
    """Whether there is a byte below 32 but a tab, or DEL."""
    end = place + length
    while place < end:
        byte = load8(place)
        if (byte < word(32) and byte != word(9)) or byte == word(127):
            return True
        place = place + word(1)
    return False


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
