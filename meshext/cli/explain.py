"""`meshext explain`: what AuthorizationPolicy documents say about one request, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext.cli.running_mesh import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext.policy.asked import Ask, FilterAnswer
    from meshext.policy.compiled import ReadyRule
    from meshext.policy.explain import Explanation, Trial
    from meshext.policy.facts import Facts
    from meshext.policy.model import Policy
    from meshext.policy.reading import About
    from meshext.policy.settings import Settings

ALLOWED = 0
DENIED = 1
LARGEST_BODY = 64 << 20  # bytes

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="POLICY.yaml...", help="AuthorizationPolicy documents; or give --workload."),
]
InMesh = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="A workload of a running mesh, NAME or NAMESPACE/NAME: its policies, from there."
    ),
]
Request = Annotated[
    str, typer.Option("--request", metavar="FILE|JSON", help="The request; see below what it may hold.")
]
Body = Annotated[
    str | None,
    typer.Option(metavar="@FILE|TEXT", help="The request's body, for filters that look at it."),
]
Normalize = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="First do to the path what Envoy does: NONE, BASE, MERGE_SLASHES or DECODE_AND_MERGE_SLASHES.",
    ),
]
Namespace = Annotated[
    str | None, typer.Option(metavar="NAME", help="The workload's; by default the one the policies name.")
]
Labels = Annotated[
    list[str] | None,
    typer.Option(metavar="K=V", help="The workload's; repeatable. By default those that policies select."),
]
TrustDomain = Annotated[str, typer.Option(metavar="NAME", help="The mesh's trust domain.")]
Alias = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Another name of the trust domain; repeatable.")
]
RootNamespace = Annotated[
    str, typer.Option(metavar="NAME", help="Policies of this namespace apply in every namespace.")
]


def explain(
    request: Request,
    policies: Files = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Show every rule that was tried.")] = False,
    normalize: Normalize = None,
    namespace: Namespace = None,
    labels: Labels = None,
    trust_domain: TrustDomain = "cluster.local",
    alias: Alias = None,
    root_namespace: RootNamespace = "istio-system",
    workload: InMesh = None,
    body: Body = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Say which policy, rule and field allow or deny a request, and what came closest.

    The request is JSON: "method" and "path" (with query, as the upstream would see it), and as far as
    policies look at it "host", "headers" {name: value or list}, "peer" {"principal", "address"},
    "client_address", "destination" {"address", "port"}, "sni", "claims" {...}, "metadata" {filter: {...}}.
    Ends with 0 where it is allowed, with 1 where it is denied, with 2 where a file is wrong.

    With --workload policies, labels, trust domain, root namespace and path normalization are those of a
    running mesh. The Python filters in the request's way are asked too, in a process of their own, with
    their configuration and an empty store; those that look at the body where --body tells it.

    Examples:
      meshext explain policy.yaml --request '{"method": "GET", "path": "/orders"}'
      meshext explain policy.yaml --request request.json --labels app=web --trace
      meshext explain --workload shop/web-1 --request '{"method": "GET", "path": "/orders"}'
    """
    told = read_body(body, in_mesh=workload is not None)
    about = build_about(namespace, labels, trust_domain, alias, root_namespace)
    if workload is not None:
        check_alone(policies or (), about, normalize)
        settings, normalize, ask = ask_mesh(workload, state)
    else:
        settings, ask = read_settings(policies or (), about), None
    allowed = answer(settings, (request, normalize), as_json=as_json, trace=trace, ask=ask, body=told)
    raise typer.Exit(ALLOWED if allowed else DENIED)


def read_body(given: str | None, *, in_mesh: bool) -> bytes | None:
    """The bytes of a text, or of the file whose name stands behind an `@`; None where none is told."""
    from meshext.cli.faults import UsageError
    from meshext.errors import MeshextError

    if given is None:
        return None
    if not in_mesh:
        raise UsageError("--body is for the filters of a mesh, policies do not look at it; add --workload")
    if not given.startswith("@"):
        return given.encode("utf-8", "surrogateescape")
    path = Path(given[1:])
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_BODY + 1)
    except OSError as error:
        raise MeshextError(f"--body {given}: {error.strerror}; write --body @FILE or --body TEXT") from None
    if len(body) > LARGEST_BODY:
        raise MeshextError(f"--body {given} has more than {LARGEST_BODY >> 20} MiB; give a shorter one")
    return body


def check_alone(files: Sequence[str], about: About, normalize: str | None) -> None:
    """With --workload the mesh tells the rest."""
    from meshext.cli.faults import UsageError
    from meshext.policy.reading import About

    if files:
        raise UsageError(f"--workload takes the mesh's own policies; leave {files[0]!r} out, or --workload")
    if about != About() or normalize is not None:
        raise UsageError(
            "--workload takes namespace, labels, trust domain, aliases, root namespace and normalization "
            "from the mesh; leave these options out"
        )


def ask_mesh(workload: str, state: Path) -> tuple[Settings, str, Ask]:
    """The policies of a running mesh for one workload, how it normalises paths, and who asks its filters."""
    from meshext.cli.running_mesh import load_policy_source

    mesh = load_policy_source()(workload, state)
    return mesh.settings, mesh.normalization.name, mesh.ask


def answer(
    settings: Settings,
    request: tuple[str, str | None],
    *,
    as_json: bool,
    trace: bool,
    ask: Ask | None = None,
    body: bytes | None = None,
) -> bool:
    """Print the answer; whether it is allowed. `request` is what was given, and how to normalise it.

    `ask` asks the filters of a running mesh, which may change what policies see and look at `body`.
    """
    from meshext.cli import explain_filters
    from meshext.cli.output import print_warning
    from meshext.policy.advice import advise
    from meshext.policy.decide import Decider
    from meshext.policy.explain import explain as explain_request

    facts = read_facts(*request)
    for line in advise(settings.policies, settings.workload.trust):
        print_warning(line)
    custom = find_custom(settings, facts)
    providers = sorted({rule.policy.provider for rule in custom})
    asked = ask(facts, providers, body) if ask is not None else None
    facts = asked.facts if asked is not None else facts
    found = explain_request(Decider(settings.policies, settings.workload.trust), facts)
    answers = explain_filters.settle(asked.answers if asked else (), allowed=found.verdict.allowed)
    told = {f"provider {rule.policy.provider}" for rule in custom} & {each.named for each in answers}
    custom = [rule for rule in custom if f"provider {rule.policy.provider}" not in told]
    if as_json:
        data = to_data(found, answers, trace=trace)
        print(json.dumps({**data, **explain_filters.custom_data(custom)}, indent=2))
    else:
        lines = to_lines(found, answers, settings, trace=trace)
        print("\n".join([*lines, *map(explain_filters.custom_line, custom)]))
    return found.verdict.allowed and explain_filters.find_refusal(answers) is None


def find_custom(settings: Settings, facts: Facts) -> list[ReadyRule]:
    """The CUSTOM rules that match: before all others a provider is asked, and only it knows its answer."""
    from meshext.policy.decide import Ruleset
    from meshext.policy.model import Action

    custom = [each for each in settings.policies if each.action is Action.CUSTOM and not each.dry_run]
    return list(Ruleset(custom, settings.workload.trust).index.all_matches(facts))


def build_about(
    namespace: str | None,
    labels: Sequence[str] | None,
    trust_domain: str,
    aliases: Sequence[str] | None,
    root_namespace: str,
) -> About:
    """What the options say about the workload."""
    from meshext.cli.faults import UsageError
    from meshext.policy.reading import About
    from meshext.policy.trust import TrustDomains

    pairs: list[tuple[str, str]] = []
    for each in [part for given in labels or () for part in given.split(",")]:
        name, mark, value = each.partition("=")
        if not mark or not name:
            raise UsageError(f"--labels {each!r} is no label; write name=value, such as app=web")
        pairs.append((name, value))
    return About(
        namespace=namespace,
        labels=tuple(sorted(pairs)) if pairs else None,
        root_namespace=root_namespace,
        trust=TrustDomains(trust_domain, tuple(aliases or ())),
    )


def read_settings(files: Sequence[str], about: About) -> Settings:
    """The policies of all files that apply; the mistakes of all files at once."""
    from meshext.cli.faults import UsageError
    from meshext.cli.output import print_problem
    from meshext.config import read_config
    from meshext.errors import ConfigError, MeshextError
    from meshext.policy.documents import parse_policies
    from meshext.policy.reading import build_settings

    if not files:
        raise UsageError(
            "no policies given; write for example meshext explain policy.yaml, or --workload NAME"
        )
    found: list[Policy] = []
    refused = False
    for file in files:
        try:
            found += parse_policies(read_config(file))
        except ConfigError as error:
            refused = True
            for line in str(error).splitlines():
                print_problem(line)
    if refused:
        raise typer.Exit(MeshextError.exit_code)
    names = [policy.full_name for policy in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MeshextError(f"{', '.join(files)}: there are two policies {twice[0]!r}; leave one out")
    return build_settings(found, about, source=", ".join(files))


def read_facts(request: str, normalize: str | None) -> Facts:
    """The request, its path as Envoy leaves it where that is asked for."""
    from meshext.cli.faults import UsageError
    from meshext.config import Document, read_config
    from meshext.config.documents import INLINE_SOURCE
    from meshext.policy.normalize import Normalization, normalize_target
    from meshext.policy.requests import parse_request

    if normalize is not None and normalize not in Normalization.__members__:
        raise UsageError(
            f"--normalize {normalize!r} is not known; write {', '.join(Normalization.__members__)}"
        )
    document = read_config(request)
    inline = document.source == INLINE_SOURCE
    facts = parse_request(Document(document.text, "--request") if inline else document)
    if normalize is not None:
        facts.target = normalize_target(facts.target, Normalization[normalize])
    return facts


def to_data(found: Explanation, answers: Sequence[FilterAnswer], *, trace: bool) -> dict[str, object]:
    """The answer as plain data: what `--json` prints; policy, rule and reason are the policies'."""
    from meshext.cli.explain_filters import filter_data, find_refusal

    rule = found.verdict.rule
    data: dict[str, object] = {
        "allowed": found.verdict.allowed and find_refusal(answers) is None,
        "policy": rule.policy.full_name if rule else None,
        "rule": rule.number if rule else None,
        "reason": found.reason,
        "closest": [entry for trial in found.closest for entry in failure_data(trial)],
    }
    if found.audited:
        data["audited"] = [{"policy": each.policy.full_name, "rule": each.number} for each in found.audited]
    if found.dry_run is not None:
        dry = found.dry_run
        data["dry_run"] = {"denies": dry.denies, "allows": dry.allows, "allowed": not dry.refuses}
    if trace:
        data["trace"] = [trial_data(trial) for trial in found.trials]
    return {**data, **filter_data(answers)}


def failure_data(trial: Trial) -> list[dict[str, object]]:
    """One entry for each term that keeps the rule from matching."""
    return [
        {
            "policy": trial.rule.policy.full_name,
            "rule": trial.rule.number,
            "failed": [failure.field, list(failure.wanted), failure.seen],
        }
        for failure in trial.failures
    ]


def trial_data(trial: Trial) -> dict[str, object]:
    """One rule that was tried."""
    policy = trial.rule.policy
    return {
        "policy": policy.full_name,
        "rule": trial.rule.number,
        "action": policy.action.value,
        "dry_run": policy.dry_run,
        "matched": trial.matched,
        "failed": [[each.field, list(each.wanted), each.seen] for each in trial.failures],
    }


def to_lines(
    found: Explanation, answers: Sequence[FilterAnswer], settings: Settings, *, trace: bool
) -> list[str]:
    """The answer for people."""
    from meshext.cli.explain_filters import filter_lines, find_refusal, tell_refusal
    from meshext.cli.output import format_table, heading, to_line
    from meshext.policy.explain import tell_failure

    refusal = find_refusal(answers)
    word = "ALLOWED" if found.verdict.allowed and refusal is None else "DENIED"
    lines = [f"{heading(word)}: {to_line(tell_refusal(refusal) if refusal else found.reason)}"]
    if refusal is not None:
        said = "allow" if found.verdict.allowed else "deny"
        lines.append(to_line(f"policies {said} it: {found.reason}"))
    closest = [
        (f"{trial.rule.policy.full_name} rule {trial.rule.number}", to_line(tell_failure(failure)))
        for trial in found.closest
        for failure in trial.failures
    ]
    if closest:
        lines += ["", heading("closest"), *format_table([("rule", "what failed"), *closest], indent="  ")]
    lines += [f"audited: {each.policy.full_name} rule {each.number}" for each in found.audited]
    if found.dry_run is not None:
        verdict = "refused" if found.dry_run.refuses else "allowed"
        lines.append(f"with the policies in dry run it would be {verdict}")
    lines += filter_lines(answers)
    if trace:
        labels = ",".join(f"{name}={value}" for name, value in settings.workload.labels) or "no labels"
        lines += ["", heading(f"tried for a workload in {settings.workload.namespace} with {labels}")]
        lines += format_table([("action", "rule", "outcome"), *map(trial_row, found.trials)], indent="  ")
    return lines


def trial_row(trial: Trial) -> tuple[str, str, str]:
    """A rule that was tried, as a row of the table."""
    from meshext.cli.output import to_line
    from meshext.policy.explain import tell_failure

    policy = trial.rule.policy
    action = f"{policy.action.value} (dry run)" if policy.dry_run else policy.action.value
    outcome = "matches" if trial.matched else "; ".join(tell_failure(each) for each in trial.failures)
    return action, f"{policy.full_name} rule {trial.rule.number}", to_line(outcome)
