"""What a person writes as a configuration: policies and the workload they are about, bare or as a mapping.

policy.yaml                       the documents alone, one or many, as `kubectl apply` takes them

policies: [...]                   the documents in a list
namespace: shop                   the workload's; default: the one that the documents name
labels: {app: web}                the workload's; default: those of the one selector there is
trust_domain: cluster.local
aliases: [old.example]
root_namespace: istio-system
claims_key: payload               under which key jwt_authn puts the claims (`payload_in_metadata`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshext.config import Document, Plain, parse_documents
from meshext.config.places import Path
from meshext.errors import ConfigError
from meshext.policy.documents import Written, read_policies, unfold
from meshext.policy.findings import Findings
from meshext.policy.model import Policy
from meshext.policy.scope import (
    ROOT_NAMESPACE,
    Workload,
    guess_labels,
    guess_namespace,
    select_policies,
)
from meshext.policy.settings import CLAIMS_KEY, Settings
from meshext.policy.trust import CLUSTER_LOCAL, TrustDomains

Labels = tuple[tuple[str, str], ...]

KEYS = ("policies", "namespace", "labels", "trust_domain", "aliases", "root_namespace", "claims_key")


def read_settings(document: Document) -> Settings:
    """The settings of a text in either form; ConfigError lists every mistake with its line."""
    values = parse_documents(document)
    form = values[0] if len(values) == 1 else None
    if isinstance(form, dict) and "kind" not in form and "apiVersion" not in form and not _bare(form):
        return read_mapping(document, form)
    written = [each for number, value in enumerate(values) for each in unfold(Written((number,), value))]
    policies = read_policies(document, written)
    if not policies:
        raise ConfigError(["has no policy; write at least one document"], source=document.source)
    return build_settings(policies, About(), source=document.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said about the workload; None where policies are to tell."""

    namespace: str | None = None
    labels: Labels | None = None
    root_namespace: str = ROOT_NAMESPACE
    trust: TrustDomains = TrustDomains()  # noqa: RUF009  # frozen, and nothing in it can change
    claims_key: str = CLAIMS_KEY


def build_settings(policies: Sequence[Policy], about: About, *, source: str) -> Settings:
    """The policies that apply; ConfigError where the policies leave open whom they are about."""
    try:
        workload = settle_workload(policies, about)
    except ValueError as problem:
        raise ConfigError([str(problem)], source=source) from None
    return Settings(
        policies=select_policies(policies, workload), workload=workload, claims_key=about.claims_key
    )


def settle_workload(policies: Sequence[Policy], about: About) -> Workload:
    """The workload as it was told or, where it was not, as the policies leave no doubt; else ValueError."""
    namespace = about.namespace or guess_namespace(policies, about.root_namespace)
    if namespace is None:
        names = sorted({policy.namespace for policy in policies if policy.namespace})
        raise ValueError(
            f"policies are of the namespaces {', '.join(names)}; say which is the workload's: "
            f"namespace: {names[0]} beside policies: [...], or --namespace {names[0]}"
        )
    labels = about.labels if about.labels is not None else guess_labels(policies)
    if labels is None:
        raise ValueError(
            "policies select workloads by different labels; say which the workload has: "
            "labels: {app: web} beside policies: [...], or --labels app=web"
        )
    targeted = [policy.full_name for policy in policies if policy.targets]
    if targeted and about.labels is None:
        raise ValueError(
            f"{', '.join(targeted)}: targetRefs are for gateways and waypoints; write a selector instead"
        )
    return Workload(
        namespace=namespace, labels=labels, root_namespace=about.root_namespace, trust=about.trust
    )


def read_mapping(document: Document, form: Mapping[str, Plain]) -> Settings:
    """The settings of the mapping form."""
    findings = Findings(document)
    findings.keys(form, KEYS, (0,), 1)
    items = findings.items(form.get("policies"), (0, "policies"), 1, "policies: [...]")
    if not items and form.get("policies") in (None, []):
        findings.refuse((0,), "has no policies; write policies: [...]", within=1)
    about = About(
        namespace=_text(findings, form, "namespace") or None,
        labels=_labels(findings, form),
        root_namespace=_text(findings, form, "root_namespace") or ROOT_NAMESPACE,
        trust=TrustDomains(_text(findings, form, "trust_domain") or CLUSTER_LOCAL, _aliases(findings, form)),
        claims_key=_text(findings, form, "claims_key") or CLAIMS_KEY,
    )
    written = [
        each for number, item in enumerate(items) for each in unfold(Written((0, "policies", number), item))
    ]
    return build_settings(read_policies(document, written, findings=findings), about, source=document.source)


def _bare(form: Mapping[str, Plain]) -> bool:
    """Whether a mapping looks like a document that lacks its head."""
    return ("spec" in form or "metadata" in form) and "policies" not in form


def _text(findings: Findings, form: Mapping[str, Plain], name: str) -> str:
    return findings.text(form.get(name), (0, name), 1, f"{name}: ...")


def _labels(findings: Findings, form: Mapping[str, Plain]) -> Labels | None:
    if form.get("labels") is None:
        return None
    path: Path = (0, "labels")
    labels = findings.mapping(form["labels"], path, 1, "labels: {app: web}") or {}
    texts = [(name, findings.text(value, (*path, name), 1, f"{name}: web")) for name, value in labels.items()]
    return tuple(sorted(texts))


def _aliases(findings: Findings, form: Mapping[str, Plain]) -> tuple[str, ...]:
    path: Path = (0, "aliases")
    items = findings.items(form.get("aliases"), path, 1, "aliases: [old.example]")
    return tuple([findings.text(item, (*path, at), 1, "old.example") for at, item in enumerate(items)])
