"""What an AuthorizationPolicy says, as plain data (`security.istio.io/v1`, AuthorizationPolicy)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Action(Enum):
    """What a policy does with a request that one of its rules matches."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    AUDIT = "AUDIT"
    CUSTOM = "CUSTOM"


class Field(StrEnum):
    """What of a request a term looks at; the value is the name of Istio's field or `when` key."""

    PRINCIPALS = "principals"
    REQUEST_PRINCIPALS = "requestPrincipals"
    NAMESPACES = "namespaces"
    SERVICE_ACCOUNTS = "serviceAccounts"
    TRUST_DOMAINS = "trustDomains"
    IP_BLOCKS = "ipBlocks"
    REMOTE_IP_BLOCKS = "remoteIpBlocks"
    HOSTS = "hosts"
    PORTS = "ports"
    METHODS = "methods"
    PATHS = "paths"
    HEADERS = "request.headers"
    CLAIMS = "request.auth.claims"
    SNI = "connection.sni"
    DESTINATION_IP = "destination.ip"
    METADATA = "experimental"


@dataclass(frozen=True, slots=True)
class Term:
    """One field of a source, an operation or a condition, with its values.

    `name` is how the policy writes it (`notPaths`, `request.headers[x-a]`). `key` is the header's name, the
    claim's path, or filter and key of metadata. Values are alternatives; `negated` is the `not` twin.
    """

    field: Field
    name: str
    values: tuple[str, ...]
    negated: bool = False
    key: tuple[str, ...] = ()


Terms = tuple[Term, ...]
"""Terms that must all hold."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the sources, one of the operations, and every condition; what is empty asks for nothing."""

    sources: tuple[Terms, ...] = ()
    operations: tuple[Terms, ...] = ()
    conditions: Terms = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What a policy is attached to instead of a selector (`targetRefs`)."""

    group: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One AuthorizationPolicy. `source` is the file it was written in.

    `namespace` is "" where the document names none. `created` is `metadata.creationTimestamp` as written.
    """

    name: str
    namespace: str = ""
    action: Action = Action.ALLOW
    rules: tuple[Rule, ...] = ()
    dry_run: bool = False
    selector: tuple[tuple[str, str], ...] = ()
    targets: tuple[Target, ...] = ()
    provider: str = ""
    created: str = ""
    source: str = ""

    @property
    def full_name(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
