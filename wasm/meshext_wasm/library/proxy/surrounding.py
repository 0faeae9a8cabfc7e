"""What Envoy tells about an exchange beside the message, when the request's headers come."""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.surroundings import Surroundings, text_of

LONGEST_ID = 128


def read_surroundings(facts: list[str], lines: list[tuple[str, bytes]]) -> Surroundings:
    """The facts of these names are read now, as Envoy may know them otherwise later."""
    made = Surroundings(find_request_id(lines))
    if "route" in facts:
        made.route = text_of("xds.route_name")
    if "cluster" in facts:
        made.cluster = text_of("xds.cluster_name")
    return made


def find_request_id(lines: list[tuple[str, bytes]]) -> str:
    """The request id that Envoy made or let through, as far as it is fit for a log and an answer."""
    for name, value in lines:
        if name == "x-request-id":
            text = decode(value[:LONGEST_ID])
            for char in text:
                if char <= " " or char > "~":
                    return ""
            return text
    return ""
