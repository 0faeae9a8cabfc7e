"""Who is on the other end of the connection, as Envoy's TLS stack proved it."""

from __future__ import annotations

import re
from dataclasses import dataclass

ONE_ID = re.compile(r"spiffe://[!-+\--~]+")  # visible ASCII without a comma


@dataclass(frozen=True, slots=True)
class Peer:
    """The direct peer of a connection.

    `principal` is the SPIFFE URI of the client's certificate: the certificate has exactly one URI SAN and
    it begins with `spiffe://`, else None; never a header, a DNS name or a subject. `address` is the direct
    peer's IP address without port ("" where there is none), `tls` whether the connection is encrypted.
    """

    principal: str | None = None
    address: str = ""
    tls: bool = False


def principal_from(uri_sans: str) -> str | None:
    """The principal among the comma-joined URI SANs that Envoy hands over.

    A certificate with two URI SANs has none (X.509-SVID section 2), and since a SPIFFE ID has neither commas
    nor spaces, nor has a single SAN that holds one.
    """
    return uri_sans if ONE_ID.fullmatch(uri_sans) else None
