"""All claims, in the order in which they are tried: what needs a quiet control plane comes before its end."""

from __future__ import annotations

from meshext_controlplane.demo.claims import banning, identity, policies, staying, telling, traffic
from meshext_controlplane.demo.claims.stage import Claim

CLAIMS = (
    Claim("every workload has a certificate of its own", identity.every_workload_has_a_certificate),
    Claim("a caller is known by its certificate alone", identity.the_caller_is_known),
    Claim("a call in plain text is refused", identity.plain_text_is_refused),
    Claim("no certificate, or a foreign one, is refused", identity.strangers_are_refused),
    Claim("a denied path is denied (native RBAC)", policies.a_denied_path_is_denied),
    Claim("only who is allowed gets in (native RBAC)", policies.only_who_is_allowed_gets_in),
    Claim("the Python filter authorization-policy decides", policies.the_python_policy_decides),
    Claim("nobody is called who is not written down", policies.nobody_is_called_who_is_not_written_down),
    Claim("the Python filter rate-limit holds its limit", traffic.the_limit_holds),
    Claim("the Python filter ab-routing keeps its shares", traffic.the_split_is_kept),
    Claim("the Python filter telemetry tells, and no secrets", telling.the_telemetry_filter_tells),
    Claim("spans of one visit arrive in one trace", telling.spans_arrive),
    Claim("who joins is let in, who is banned is refused", banning.the_banned_are_refused),
    Claim("an edit is in force without a restart", staying.an_edit_is_in_force_at_once),
    Claim("calls go on while the control plane is away", staying.calls_go_on_without_the_control_plane),
)
