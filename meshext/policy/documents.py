"""AuthorizationPolicy documents as Istio takes them: read, checked, every mistake in one go.

What Istio's own validation refuses is refused here, with file, line, path, reason and what to write; so is
what Envoy would refuse afterwards. Kubernetes' bookkeeping (`metadata.uid`, `status`, ...) may stay in, and a
`kind: List` counts as the documents in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshext.config import Document, Plain, parse_documents
from meshext.config.places import Path
from meshext.config.wording import shown
from meshext.policy.findings import Findings
from meshext.policy.model import Action, Field, Policy, Rule, Target
from meshext.policy.rules import RulesReader

KIND = "AuthorizationPolicy"
VERSIONS = ("security.istio.io/v1", "security.istio.io/v1beta1")
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")
SPEC_KEYS = ("selector", "targetRefs", "targetRef", "action", "provider", "rules")
DRY_RUN = "istio.io/dry-run"
TRUE = frozenset("1 t T TRUE true True".split())  # Go's ParseBool
FALSE = frozenset("0 f F FALSE false False".split())
MOST_TARGETS = 16
TARGETS = {
    ("", "Service"),
    ("core", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
}
NOT_IN_CUSTOM = {
    Field.PRINCIPALS,
    Field.REQUEST_PRINCIPALS,
    Field.NAMESPACES,
    Field.SERVICE_ACCOUNTS,
    Field.TRUST_DOMAINS,
    Field.CLAIMS,
}

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253

HEAD = "apiVersion: security.istio.io/v1 and kind: AuthorizationPolicy"


@dataclass(frozen=True, slots=True)
class Written:
    """One document before it is read: where it is in the text, and what it says."""

    path: Path
    value: Plain


def parse_policies(document: Document, *, custom: bool = False) -> tuple[Policy, ...]:
    """Every policy of a text; ConfigError lists all mistakes. Without `custom` action CUSTOM is one."""
    written: list[Written] = []
    for number, value in enumerate(parse_documents(document)):
        written += unfold(Written((number,), value))
    return read_policies(document, written, custom=custom)


def read_policies(
    document: Document, written: Sequence[Written], *, custom: bool = False, findings: Findings | None = None
) -> tuple[Policy, ...]:
    """The policies of documents in a text; ConfigError lists all mistakes, those of `findings` too."""
    noted = Findings(document) if findings is None else findings
    policies = [PolicyReader(noted, each, document.source, custom=custom).read() for each in written]
    check_names(noted, written, policies)
    titles = {each.path: policy.full_name for each, policy in zip(written, policies, strict=True)}

    def title(path: Path) -> str:
        name = next((titles[path[:end]] for end in range(len(path), 0, -1) if path[:end] in titles), "")
        return f"{name}: " if name else ""

    noted.check(title)
    return tuple(policies)


def unfold(written: Written) -> list[Written]:
    """A document, or those in a list or in a `kind: List`."""
    value = written.value
    if isinstance(value, list):
        return [Written((*written.path, at), item) for at, item in enumerate(value)]
    if isinstance(value, dict) and value.get("kind") in ("List", f"{KIND}List"):
        items = value.get("items")
        if isinstance(items, list):
            return [Written((*written.path, "items", at), item) for at, item in enumerate(items)]
    return [written]


def check_names(findings: Findings, written: Sequence[Written], policies: Sequence[Policy]) -> None:
    """No two policies of one name in one namespace: the later one would replace the earlier in a cluster."""
    seen: set[str] = set()
    for each, policy in zip(written, policies, strict=True):
        if policy.name and policy.full_name in seen:
            where = (*each.path, "metadata", "name")
            findings.refuse(
                where,
                f"there is another policy {policy.full_name!r}; give one another name",
                within=len(each.path),
            )
        seen.add(policy.full_name)


class PolicyReader:
    """Reads one document; mistakes are noted, and a policy comes back in any case."""

    def __init__(self, findings: Findings, written: Written, source: str, *, custom: bool) -> None:
        self._findings = findings
        self._written = written
        self._source = source
        self._custom = custom
        self._within = len(written.path)

    def read(self) -> Policy:
        """The policy as far as it could be read."""
        path = self._written.path
        top = self._findings.mapping(self._written.value, path, self._within, HEAD)
        if top is None or not self._check_kind(top):
            return Policy(name="")
        self._findings.keys(top, TOP_KEYS, path, self._within)
        name, namespace, created, dry_run = self._metadata(top.get("metadata"))
        spec = self._optional(top.get("spec"), "spec") or {}
        self._findings.keys(spec, SPEC_KEYS, (*path, "spec"), self._within)
        selector = self._selector(spec.get("selector"))
        targets = self._targets(spec)
        if selector is not None and targets:
            self._refuse("spec", "targetRefs", text="stands beside selector; keep one of them")
        rules = RulesReader(self._findings, self._within).read(spec.get("rules"), (*path, "spec", "rules"))
        return Policy(
            name=name,
            namespace=namespace,
            action=self._action(spec, rules),
            rules=rules,
            dry_run=dry_run,
            selector=selector or (),
            targets=targets,
            provider=self._provider(spec),
            created=created,
            source=self._source,
        )

    def _refuse(self, *parts: str | int, text: str) -> None:
        self._findings.refuse((*self._written.path, *parts), text, within=self._within)

    def _optional(self, value: Plain, *parts: str | int) -> Mapping[str, Plain] | None:
        if value is None:
            return None
        return self._findings.mapping(
            value, (*self._written.path, *parts), self._within, f"{parts[-1]}: {{...}}"
        )

    def _text(self, value: Plain, *parts: str | int, example: str) -> str:
        return self._findings.text(value, (*self._written.path, *parts), self._within, example)

    def _check_kind(self, top: Mapping[str, Plain]) -> bool:
        kind = top.get("kind")
        version = top.get("apiVersion")
        if "kind" not in top and "apiVersion" not in top:
            self._refuse(text=f"is no {KIND}: kind and apiVersion are missing; write {HEAD}")
            return False
        if kind != KIND:
            self._refuse(
                "kind", text=f"expected {KIND}, got {shown(kind)}; keep other documents in files of their own"
            )
            return False
        if version not in VERSIONS:
            expected = f"expected {' or '.join(VERSIONS)}, got {shown(version)}"
            self._refuse("apiVersion", text=f"{expected}; write apiVersion: {VERSIONS[0]}")
        return True

    def _metadata(self, value: Plain) -> tuple[str, str, str, bool]:
        metadata = self._optional(value, "metadata") or {}
        name = self._text(metadata.get("name"), "metadata", "name", example="name: allow-web")
        if not name and not (isinstance(metadata.get("name"), int | float)):
            self._refuse("metadata", text="has no name; write for example name: allow-web")
        elif name and (not _SUBDOMAIN.fullmatch(name) or len(name) > _LONGEST_NAME):
            self._refuse(
                "metadata",
                "name",
                text=f"{shown(name)} is no name; write lower case letters, digits, - and .",
            )
        namespace = self._text(metadata.get("namespace"), "metadata", "namespace", example="namespace: shop")
        if namespace and not _LABEL.fullmatch(namespace):
            self._refuse(
                "metadata",
                "namespace",
                text=f"{shown(namespace)} is no namespace; write lower case letters, digits and -",
            )
        created = metadata.get("creationTimestamp")
        return name, namespace, created if isinstance(created, str) else "", self._dry_run(metadata)

    def _dry_run(self, metadata: Mapping[str, Plain]) -> bool:
        annotations = self._optional(metadata.get("annotations"), "metadata", "annotations") or {}
        if DRY_RUN not in annotations:
            return False
        given = self._text(
            annotations[DRY_RUN], "metadata", "annotations", DRY_RUN, example=f'{DRY_RUN}: "true"'
        )
        if given not in TRUE | FALSE and isinstance(annotations[DRY_RUN], str):
            self._refuse(
                "metadata",
                "annotations",
                DRY_RUN,
                text=f'expected "true" or "false", got {shown(given)}; write {DRY_RUN}: "true"',
            )
        return given in TRUE

    def _action(self, spec: Mapping[str, Plain], rules: tuple[Rule, ...]) -> Action:
        given = self._text(spec.get("action"), "spec", "action", example="action: DENY") or "ALLOW"
        if given not in Action.__members__:
            upper = (
                f"write {given.upper()}" if given.upper() in Action.__members__ else "write for example DENY"
            )
            self._refuse(
                "spec",
                "action",
                text=f"expected one of {', '.join(Action.__members__)}, got {shown(given)}; {upper}",
            )
            return Action.ALLOW
        action = Action[given]
        if action in (Action.DENY, Action.CUSTOM) and not spec.get("rules"):
            where = ("spec", "rules") if "rules" in spec else ("spec",)
            self._refuse(
                *where,
                text=f"{given} without rules never matches; add a rule, {{}} for one that always matches",
            )
        if action is Action.CUSTOM:
            self._check_custom(rules)
        return action

    def _check_custom(self, rules: tuple[Rule, ...]) -> None:
        if not self._custom:
            self._refuse(
                "spec",
                "action",
                text="CUSTOM asks another service, which a filter can not do; write ALLOW, DENY or AUDIT, "
                "and put a filter of your own beside this one",
            )
        for number, rule in enumerate(rules):
            terms = [term for each in rule.sources for term in each] + list(rule.conditions)
            for term in terms:
                if term.field in NOT_IN_CUSTOM:
                    self._refuse(
                        "spec", "rules", number, text=f"CUSTOM can not look at {term.name}; leave it out"
                    )

    def _provider(self, spec: Mapping[str, Plain]) -> str:
        provider = self._optional(spec.get("provider"), "spec", "provider")
        custom = spec.get("action") == "CUSTOM"
        if provider is not None and not custom:
            self._refuse("spec", "provider", text="is for action CUSTOM only; leave it out")
        if provider is not None:
            self._findings.keys(provider, ("name",), (*self._written.path, "spec", "provider"), self._within)
        name = self._text(
            (provider or {}).get("name"), "spec", "provider", "name", example="name: my-service"
        )
        if custom and not name:
            self._refuse("spec", text="CUSTOM has no provider; write provider: {name: ...}")
        return name

    def _selector(self, value: Plain) -> tuple[tuple[str, str], ...] | None:
        selector = self._optional(value, "spec", "selector")
        if selector is None:
            return None
        path = (*self._written.path, "spec", "selector")
        self._findings.keys(selector, ("matchLabels",), path, self._within)
        labels = self._optional(selector.get("matchLabels"), "spec", "selector", "matchLabels") or {}
        pairs: list[tuple[str, str]] = []
        for key, given in labels.items():
            where = ("spec", "selector", "matchLabels", key)
            label = self._text(given, *where, example=f"{key or 'app'}: web")
            if given is None:
                self._refuse(*where, text=f"expected text, got null; write for example {key or 'app'}: web")
            if not key:
                self._refuse(*where, text="a label without a name; write for example app: web")
            if "*" in key or "*" in label:
                self._refuse(*where, text="labels have no wildcards; write one policy for each value")
            pairs.append((key, label))
        return tuple(sorted(pairs))

    def _targets(self, spec: Mapping[str, Plain]) -> tuple[Target, ...]:
        path = (*self._written.path, "spec", "targetRefs")
        example = "targetRefs: [{kind: Service, name: web}]"
        items = list(self._findings.items(spec.get("targetRefs"), path, self._within, example))
        if len(items) > MOST_TARGETS:
            self._refuse("spec", "targetRefs", text=f"{len(items)} targets; there are at most {MOST_TARGETS}")
        targets = [self._target(item, "spec", "targetRefs", at) for at, item in enumerate(items)]
        if spec.get("targetRef") is not None:
            if items:
                self._refuse("spec", "targetRef", text="stands beside targetRefs; move it in there")
            targets.append(self._target(spec["targetRef"], "spec", "targetRef"))
        return tuple(targets)

    def _target(self, value: Plain, *parts: str | int) -> Target:
        path = (*self._written.path, *parts)
        target = self._findings.mapping(value, path, self._within, "{kind: Service, name: web}") or {}
        self._findings.keys(target, ("group", "kind", "name", "namespace"), path, self._within)
        group, kind, name, namespace = (
            self._text(target.get(part), *parts, part, example=f"{part}: ...")
            for part in ("group", "kind", "name", "namespace")
        )
        if isinstance(value, dict) and not name:
            self._refuse(*parts, text="has no name; write {kind: Service, name: web}")
        if namespace:
            self._refuse(*parts, "namespace", text="a target is in the policy's own namespace; leave it out")
        if isinstance(value, dict) and (group, kind) not in TARGETS:
            known = ", ".join(sorted({each[1] for each in TARGETS}))
            self._refuse(
                *parts, text=f"{group}/{kind} can not be a target; targets are {known}, each with its group"
            )
        return Target(group, kind, name)
