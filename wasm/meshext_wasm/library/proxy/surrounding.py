"""What Envoy tells about an exchange beside the message, when the request's headers come."""

from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.surroundings import Surroundings, text_of
from meshext_wasm.library.proxy.program import Facts


def read_surroundings(facts: Facts, lines: Lines) -> Surroundings:
    """The facts of these names are read now, as Envoy may know them otherwise later; `lines` are the
    request's."""
    made = Surroundings(lines)
    if facts.route:
        made.route = text_of("xds.route_name")
    if facts.cluster:
        made.cluster = text_of("xds.cluster_name")
    return made
