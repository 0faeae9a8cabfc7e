"""`meshext explain --workload`: the policies of a running mesh (entry point `meshext.policy_sources`)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from meshext.errors import MeshextError
from meshext.policy.asked import MeshPolicies
from meshext.policy.normalize import Normalization
from meshext.policy.scope import Workload as Subject
from meshext.policy.settings import Settings
from meshext.policy.trust import TrustDomains
from meshext_controlplane.cli.admin import AdminError
from meshext_controlplane.cli.looking import find_workload, look
from meshext_controlplane.inspection.asking import ask_filters
from meshext_controlplane.translate.policies import Policies


def find_policies(name: str, state: Path) -> MeshPolicies:
    """What decides about requests to a workload; MeshextError without it."""
    try:
        view = look(state)
        workload, config = find_workload(view, name), view.mesh.config
    except AdminError as error:
        raise MeshextError(str(error)) from None  # its exit code is that of a request which is denied
    subject = Subject(
        namespace=workload.namespace,
        labels=tuple(sorted(workload.labels.items())),
        root_namespace=config.root_namespace,
        trust=TrustDomains(config.trust_domain, config.trust_domain_aliases),
    )
    applying = Policies(view.mesh).authorization_of(workload)
    return MeshPolicies(
        settings=Settings(policies=applying, workload=subject),
        normalization=Normalization[config.path_normalization.normalization],
        ask=partial(ask_filters, view, workload),
    )
