"""urllib.parse: percent-encoding, queries, and the parts of URLs (RFC 3986)."""

from meshext_wasm.library.urllib.parse.joining import urljoin
from meshext_wasm.library.urllib.parse.parsing import ParseResult, urlparse, urlunparse
from meshext_wasm.library.urllib.parse.queries import parse_qs, parse_qsl, urlencode
from meshext_wasm.library.urllib.parse.quoting import (
    quote,
    quote_from_bytes,
    quote_plus,
    unquote,
    unquote_plus,
    unquote_to_bytes,
)
from meshext_wasm.library.urllib.parse.splitting import SplitResult, urlsplit, urlunsplit

__all__ = [
    "ParseResult",
    "SplitResult",
    "parse_qs",
    "parse_qsl",
    "quote",
    "quote_from_bytes",
    "quote_plus",
    "unquote",
    "unquote_plus",
    "unquote_to_bytes",
    "urlencode",
    "urljoin",
    "urlparse",
    "urlsplit",
    "urlunparse",
    "urlunsplit",
]
