"""Which policies apply to a workload, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from meshext.policy.model import Policy
from meshext.policy.trust import TrustDomains

ROOT_NAMESPACE = "istio-system"
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Whom policies are about. `root_namespace` is MeshConfig's: its policies apply in every namespace."""

    namespace: str = DEFAULT_NAMESPACE
    labels: tuple[tuple[str, str], ...] = ()
    root_namespace: str = ROOT_NAMESPACE
    trust: TrustDomains = field(default_factory=TrustDomains)


def settle(policies: Sequence[Policy], namespace: str) -> tuple[Policy, ...]:
    """The policies with that namespace where their document names none, as `kubectl apply -n` does."""
    return tuple(
        [policy if policy.namespace else replace(policy, namespace=namespace) for policy in policies]
    )


def select_policies(policies: Sequence[Policy], workload: Workload) -> tuple[Policy, ...]:
    """Those that apply: of the root namespace and the workload's own, by selector; all of them together.

    First the root namespace's, then by time of creation, name and namespace. A policy with `targetRefs` is
    for gateways and waypoints, and a sidecar does not look at it.
    """
    applying = [policy for policy in settle(policies, workload.namespace) if applies(policy, workload)]
    root = workload.root_namespace
    return tuple(
        sorted(applying, key=lambda each: (each.namespace != root, each.created, each.name, each.namespace))
    )


def applies(policy: Policy, workload: Workload) -> bool:
    """Whether the policy applies to the workload."""
    if policy.targets:
        return False
    if policy.namespace not in (workload.namespace, workload.root_namespace):
        return False
    labels = dict(workload.labels)
    return all(labels.get(name) == value for name, value in policy.selector)


def guess_namespace(policies: Sequence[Policy], root_namespace: str) -> str | None:
    """The one namespace that policies are written for, beside the root namespace; None for several."""
    names = {policy.namespace for policy in policies if policy.namespace} - {root_namespace}
    if len(names) > 1:
        return None
    return names.pop() if names else DEFAULT_NAMESPACE


def guess_labels(policies: Sequence[Policy]) -> tuple[tuple[str, str], ...] | None:
    """The labels of the one selector that policies have; None where selectors differ."""
    selectors = {policy.selector for policy in policies if policy.selector}
    if len(selectors) > 1:
        return None
    return selectors.pop() if selectors else ()
