"""Who is on the other end of the connection, as Envoy's TLS stack proved it."""


class Peer:
    """The direct peer of a connection; see `meshext.Peer`."""

    def __init__(self, principal: str | None = None, address: str = "", tls: bool = False) -> None:
        self.principal = principal
        self.address = address
        self.tls = tls


def principal_from(uri_sans: str) -> str | None:
    """The principal among the comma-joined URI SANs that Envoy hands over: the only one, and a SPIFFE ID."""
    if not uri_sans.startswith("spiffe://") or len(uri_sans) == 9:
        return None
    for char in uri_sans:
        if char < "!" or char > "~" or char == ",":
            return None
    return uri_sans
