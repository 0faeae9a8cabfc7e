"""Names of headers in a configuration, and which of them say less than something else that can be written."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
INSTEAD = {
    "x-forwarded-for": "client_address, which is the address that Envoy trusts",
    "x-real-ip": "client_address, which is the address that Envoy trusts",
    "forwarded": "client_address, which is the address that Envoy trusts",
    "x-forwarded-client-cert": "peer, which is the name that the certificate proves",
    "cookie": "cookie:NAME",
}


def check_header(field: str, name: str, *, host: str) -> str:
    """A header's name in lower case; ValueError for what is none, or what another source tells better.

    `host` is what to write in place of the header of that name.
    """
    lower = name.lower()
    if not TOKEN.fullmatch(lower):
        raise ValueError(f"{field} {name!r} is no header's name; write such as 'x-user-id'")
    if lower in INSTEAD or lower == "host":
        raise ValueError(f"{field} {name!r}: write {INSTEAD.get(lower, host)}")
    return lower
