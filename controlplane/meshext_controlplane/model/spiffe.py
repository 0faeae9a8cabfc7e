"""SPIFFE identities of workloads: `spiffe://TRUST DOMAIN/ns/NAMESPACE/sa/SERVICE ACCOUNT`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from meshext.errors import MeshextError

_LONGEST = 2048  # bytes: SPIFFE-ID section 2.3
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")  # SPIFFE-ID section 2.1
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123: a namespace's name
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL.pattern}(\.{_LABEL.pattern})*")  # a service account's


class SpiffeIdError(MeshextError, ValueError):
    """A text that is no identity of a workload; says which part is wrong."""


def check_trust_domain(name: str) -> str:
    """The name of a trust domain (SPIFFE-ID section 2.1); SpiffeIdError, a ValueError, if it is none."""
    if not _TRUST_DOMAIN.fullmatch(name):
        raise SpiffeIdError(f"{name[:80]!r} is no trust domain; write lower-case letters, digits, - and .")
    return name


@dataclass(frozen=True, slots=True)
class SpiffeId:
    """Who a workload is. Checked when made; SpiffeIdError where a part is not legal."""

    trust_domain: str
    namespace: str
    service_account: str

    def __post_init__(self) -> None:
        for what, value, legal in (
            ("trust domain", self.trust_domain, _TRUST_DOMAIN),
            ("namespace", self.namespace, _LABEL),
            ("service account", self.service_account, _SUBDOMAIN),
        ):
            if not legal.fullmatch(value):
                raise SpiffeIdError(f"{value[:80]!r} is no {what}; write lower-case letters, digits and `-`")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The identity of a URI; SpiffeIdError unless it has exactly the form of the module's docstring."""
        scheme, _, rest = text.partition("://")
        parts = rest.split("/")
        if len(text) > _LONGEST or scheme != "spiffe" or len(parts) != 5 or parts[1::2] != ["ns", "sa"]:
            raise SpiffeIdError(f"{text[:80]!r} is no identity; it is spiffe://TRUST-DOMAIN/ns/NS/sa/ACCOUNT")
        return cls(parts[0], parts[2], parts[4])

    def __str__(self) -> str:
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{self.service_account}"
