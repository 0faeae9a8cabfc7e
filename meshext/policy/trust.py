"""The mesh's trust domain and its former names: a principal written with one of them means all of them."""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER_LOCAL = "cluster.local"
"""In a policy: the mesh's own trust domain, whatever it is called."""

PARTS = 5  # <trust domain>/ns/<namespace>/sa/<service account>


@dataclass(frozen=True, slots=True)
class TrustDomains:
    """The trust domain and its aliases (MeshConfig `trustDomain`, `trustDomainAliases`; `*x` is a suffix)."""

    domain: str = CLUSTER_LOCAL
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the present one first."""
        return (self.domain, *self.aliases)

    def knows(self, domain: str) -> bool:
        """Whether a policy's trust domain stands for ours."""
        return domain == CLUSTER_LOCAL or any(_alike(domain, name) for name in self.names)

    def expand_principals(self, principals: tuple[str, ...]) -> tuple[str, ...]:
        """Each principal under every name of the trust domain; one of another domain as it is."""
        expanded: list[str] = []
        for principal in principals:
            parts = principal.split("/")
            if len(parts) != PARTS or parts[0] == "*" or not self.knows(parts[0]):
                expanded.append(principal)
                continue
            for name in self.names:
                kept = _ends_like(name, parts[0])
                expanded.append(principal if kept else "/".join([name, *parts[1:]]))
        return tuple(dict.fromkeys(expanded))

    def expand_domains(self, domains: tuple[str, ...]) -> tuple[str, ...]:
        """Each trust domain as every name of it; wildcards and other domains as they are."""
        expanded: list[str] = []
        for domain in domains:
            ours = "*" not in domain and self.knows(domain)
            expanded += self.names if ours else (domain,)
        return tuple(dict.fromkeys(expanded))


def _alike(one: str, other: str) -> bool:
    return (
        one == other
        or _ends_like(one, other)
        or _ends_like(other, one)
        or _begins_like(one, other)
        or _begins_like(other, one)
    )


def _ends_like(text: str, pattern: str) -> bool:
    return pattern.startswith("*") and text.endswith(pattern[1:])


def _begins_like(text: str, pattern: str) -> bool:
    return pattern.endswith("*") and text.startswith(pattern[:-1])
