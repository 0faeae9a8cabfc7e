"""All analyzers over a mesh. Pure: documents come in, messages go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshext_controlplane.analysis import authentication, authorization, gateways, surroundings, traffic
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.model.mesh import Mesh

Analyzer = Callable[[Mesh], Iterator[Message]]

ANALYZERS: tuple[Analyzer, ...] = (
    authorization.check_values,
    authorization.check_paths,
    authorization.check_tcp_ports,
    authorization.check_providers,
    authorization.check_dry_runs,
    authorization.check_normalization,
    authentication.check_scopes,
    authentication.check_ports,
    authentication.check_tokens,
    authentication.check_fetching,
    authentication.check_identities,
    surroundings.check_selectors,
    surroundings.check_services_of_filters,
    surroundings.check_ports_of_filters,
    surroundings.check_services_of_providers,
    surroundings.check_telemetry,
    surroundings.check_protocols,
    traffic.check_hosts,
    traffic.check_destinations,
    traffic.check_delegates,
    traffic.check_order,
    traffic.check_shares,
    traffic.check_protocols,
    traffic.check_rules,
    gateways.check_certificates,
    gateways.check_selectors,
    gateways.check_bindings,
    gateways.check_servers,
    gateways.check_conflicts,
    gateways.check_unnamed,
    gateways.check_sidecars,
)
"""Every analyzer."""


def analyze(mesh: Mesh) -> list[Message]:
    """What is found, by object in the order of the mesh, each thing once."""
    found = dict.fromkeys(message for analyzer in ANALYZERS for message in analyzer(mesh))
    return sorted(found, key=lambda message: (message.key, message.code))
