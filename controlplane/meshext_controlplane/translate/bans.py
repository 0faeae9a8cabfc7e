"""Bans as a policy: whoever is banned is refused on connections that he has open, too.

A new handshake ends at the CRL; an open connection goes on until it is closed, and this refuses its requests.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshext.policy.model import Action, Field, Policy, Rule, Term
from meshext.policy.patterns import SPIFFE

NAME, NAMESPACE = "banned", "meshext-system"
"""What Envoy calls the policy that has denied: `ns[meshext-system]-policy[banned]-rule[0]`."""


def build_ban(identities: Sequence[str]) -> tuple[Policy, ...]:
    """One DENY for all of them (SPIFFE IDs); none where nobody is banned."""
    if not identities:
        return ()
    principals = tuple(each.removeprefix(SPIFFE) for each in identities)
    rule = Rule(sources=((Term(Field.PRINCIPALS, "principals", principals),),))
    return (Policy(name=NAME, namespace=NAMESPACE, action=Action.DENY, rules=(rule,)),)
