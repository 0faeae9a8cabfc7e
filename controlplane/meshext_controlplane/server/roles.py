"""Who may administer over the network: an identity that a certificate proves, and what its role may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from meshext.errors import OptionError

LOOKS = frozenset({"Look", "ProxyStatus", "Resources"})
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"viewer": LOOKS, "operator": LOOKS | {"Apply", "Delete"}}
)
"""Methods of the admin API, by role."""

Account = tuple[str, str]
"""Namespace and service account."""


def parse_roles(given: Sequence[str]) -> Mapping[Account, str]:
    """`NAMESPACE/ACCOUNT=ROLE`, each; OptionError where one is something else, or an account has two."""
    roles: dict[Account, str] = {}
    for text in given:
        account, equals, role = text.partition("=")
        namespace, slash, name = account.partition("/")
        if not (equals and slash and namespace and name) or "/" in name or role not in ROLES:
            known = " or ".join(ROLES)
            raise OptionError(f"--admin {text[:200]!r}: write NAMESPACE/ACCOUNT=ROLE, with {known}")
        if roles.setdefault((namespace, name), role) != role:
            raise OptionError(f"--admin gives {account!r} two roles; an account has one")
    return MappingProxyType(roles)


def refusal_of(roles: Mapping[Account, str], account: Account, method: str) -> str:
    """Why that account may not call that method; "" where it may."""
    role = roles.get(account)
    name = "/".join(account)
    if role is None:
        return f"{name} has no role here; start the control plane with --admin {name}=ROLE"
    if method not in ROLES[role]:
        able = next(each for each, methods in ROLES.items() if method in methods)
        return f"{name} is {role} and may not {method}; that takes {able}"
    return ""
