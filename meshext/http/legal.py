"""What is legal HTTP, as checks that raise HeaderError: names, values, request line, status.

Sources: RFC 9110 sections 5.1, 5.5, 9.1 and 15, RFC 3986 sections 3.2 and 3.3. What a filter writes is
checked here, on every runtime, before any of it can reach a wire.
"""

from __future__ import annotations

import re
from functools import lru_cache

from meshext.errors import HeaderError

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
TARGET = re.compile(r"[\x21\x22\x24-\x7e]*")
AUTHORITY = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:@\[\]]+")
BODILESS = frozenset({204, 205, 304})
"""Final statuses whose responses have no content (RFC 9110 15.3.5, 15.3.6 and 15.4.5)."""

SCHEMES = ("http", "https")
NAMES = 512  # header names whose check is remembered

# Set by whoever carries the message: a filter that could write them could smuggle a second request.
FRAMING = {
    "host": "assign request.host",
    "content-length": "it follows the body: assign body",
    "transfer-encoding": "it follows the body: assign body",
}


def encode(text: str) -> bytes:
    """The bytes of a header value: UTF-8, where lone surrogates stand for bytes that were not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """The text of a header value; bytes that are not UTF-8 survive as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def check_name(name: object) -> str:
    """The name in lower case; HeaderError where it is not a token or belongs to the framing."""
    if isinstance(name, str):
        return check_token(str.__str__(name))  # the text of an Enum's member, too
    raise HeaderError(f"{name!r} is not a header name; write a str such as 'x-version' (RFC 9110 5.1)")


@lru_cache(NAMES)
def check_token(name: str) -> str:
    """The same for a name that is text; a filter writes the same few again and again."""
    if not TOKEN.fullmatch(name):
        raise HeaderError(f"{name!r} is not a header name; write a token such as 'x-version' (RFC 9110 5.1)")
    lower = name.lower()
    if lower in FRAMING:
        raise HeaderError(f"{lower!r} can not be written as a header; {FRAMING[lower]}")
    return lower


def check_value(name: str, value: object) -> bytes:
    """The bytes of a value; HeaderError where it would not survive the wire unchanged."""
    if not isinstance(value, str):
        raise HeaderError(f"header {name!r}: {value!r} is {type(value).__name__}; write a str")
    if type(value) is str and value.isascii() and value.isprintable() and value.strip(" ") == value:
        return value.encode()  # as most
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise HeaderError(
            f"header {name!r}: {value!r} holds a lone surrogate that stands for no byte"
        ) from None
    if not VALUE.fullmatch(raw):
        raise HeaderError(f"header {name!r}: {value!r} holds a control character (CR, LF, NUL, ...)")
    if raw != raw.strip(b" \t"):
        raise HeaderError(f"header {name!r}: {value!r} begins or ends with white space; write value.strip()")
    return raw


def check_method(value: object) -> str:
    """A method token (RFC 9110 9.1)."""
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise HeaderError(f"{value!r} is not a method; write one such as 'GET'")
    return value


def check_method_change(before: str, value: object) -> str:
    """A method in another's place; not HEAD, whose response the client would take for cut short."""
    method = check_method(value)
    if method == "HEAD" and before != method:
        raise HeaderError(
            f"{before} can not become HEAD: the client would wait for the body of a response that has none"
        )
    return method


def check_scheme(value: object) -> str:
    """`http` or `https`."""
    if value not in SCHEMES:
        raise HeaderError(f"{value!r} is not a scheme; write 'http' or 'https'")
    return str(value)


def check_host(value: object) -> str:
    """A host with an optional port (RFC 3986 3.2)."""
    if not isinstance(value, str) or not AUTHORITY.fullmatch(value):
        raise HeaderError(f"{value!r} is not a host; write one such as 'shop.example' or 'shop.example:8080'")
    return value


def check_path(value: object) -> str:
    """A path without query; percent-encoding is the author's business."""
    target = check_target(value)
    if "?" in target:
        raise HeaderError(
            f"path {value!r} holds a '?'; assign request.target to change path and query together"
        )
    return target


def check_target(value: object) -> str:
    """A path with an optional query, visible ASCII only, no fragment; or `*`."""
    if not isinstance(value, str) or not TARGET.fullmatch(value):
        raise HeaderError(
            f"target {value!r} holds something other than visible ASCII without '#'; percent-encode it first"
        )
    if not value.startswith("/") and value != "*":
        raise HeaderError(f"target {value!r} does not begin with '/'")
    return value


def check_status(value: object) -> int:
    """A final status, 200 to 599 (RFC 9110 15)."""
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise HeaderError(f"{value!r} is not a final status; write a whole number from 200 to 599")
    return int(value)


def check_status_change(before: int, value: object) -> int:
    """A status in another's place; none that forbids the body which the response may have."""
    status = check_status(value)
    if status in BODILESS and before not in BODILESS:
        raise HeaderError(f"{before} can not become {status}, which has no body; return Respond({status})")
    return status


def check_body(value: object) -> bytes:
    """The bytes of a body; text has to be encoded by whoever knows its charset."""
    if not isinstance(value, bytes):
        raise HeaderError(f"a body is bytes, not {type(value).__name__}; write text.encode()")
    return value
