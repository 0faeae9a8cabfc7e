"""A decision as a list of facts that can be laid beside another's: what upstream and client get otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from meshext.http.headers import Lines
from meshext.http.legal import decode
from meshext.http.parts import HeaderChange, group
from meshext.recording.exchange import Answered, Body, Change, Decision, Recorded
from meshext.recording.redaction import redact_decision

SHOWN = 60  # characters of a body
ABSENT = "-"
GONE = "(removed)"

WORDS = {
    "passed": "passed",
    "passed_open": "passed, {filter} failed open",
    "answered": "{status} by {filter}",
    "failed_closed": "{status}, {filter} failed",
    "oversize": "{status}, too long for {filter}",
    "tunnel": "{status}, an upgrade that {filter} can not see as a whole",
    "reset": "reset by {filter}",
    "refused": "refused (gRPC error)",
    "broken": "broken (gRPC error)",
    "abandoned": "abandoned",
    "unseen": "unseen",
}
"""A decision in a few words, by its outcome."""


class Fact(NamedTuple):
    """What is compared, and how it is shown."""

    value: object
    text: str


class Difference(NamedTuple):
    """One fact that is another now."""

    what: str
    before: str
    after: str


def find_differences(
    recorded: Recorded, before: Decision, after: Decision, *, response: bool
) -> list[Difference]:
    """What is otherwise after than before; without `response` only what became of the request.

    Values of redacted headers are never shown, and count where both decisions have them.
    """
    names = frozenset(recorded.served.redacted)
    shown_old, shown_new = (
        facts_of(recorded, redact_decision(decision, names), response=response)
        for decision in (before, after)
    )
    old, new = shown_old, shown_new
    if before is not recorded.decision:  # which has no values to compare
        old, new = (facts_of(recorded, decision, response=response) for decision in (before, after))
    absent = Fact(None, ABSENT)
    return [
        Difference(what, shown_old.get(what, absent).text, shown_new.get(what, absent).text)
        for what in dict.fromkeys((*old, *new))
        if old.get(what, absent).value != new.get(what, absent).value
    ]


def describe(decision: Decision, *, response: bool = True) -> str:
    """The decision in a few words; without `response` as the request left the filters."""
    outcome = decision.outcome
    if decision.sent and not response and outcome not in ("passed", "passed_open"):
        outcome = "passed"
    status = decision.answer.status if decision.answer is not None else ""
    return WORDS[outcome].format(filter=decision.filter, status=status)


def facts_of(recorded: Recorded, decision: Decision, *, response: bool) -> dict[str, Fact]:
    """Everything that can differ, by what it is."""
    words = describe(decision, response=response)
    facts = {"decision": Fact(words, words)}
    if decision.sent:
        facts |= change_facts("upstream", decision.request)
    whole = response or not decision.sent
    if whole and decision.answer is not None:
        facts |= answer_facts(decision.answer)
    elif whole:
        facts |= change_facts("client", decision.response)
    if recorded.response is None and decision.answer is None:
        facts |= addition_facts(decision)
    if whole:
        facts |= metadata_facts(decision)
        if decision.reset:
            facts["reset"] = Fact(decision.reset, decision.reset)
    facts |= failure_facts(decision, response=whole)
    return facts


def change_facts(whose: str, change: Change) -> Iterator[tuple[str, Fact]]:
    """What somebody gets otherwise than it was sent."""
    yield from header_facts(whose, change.headers)
    if change.body is not None:
        yield f"{whose} body", body_fact(change.body)
    yield from header_facts(f"{whose} trailer", change.trailers)


def header_facts(whose: str, change: HeaderChange) -> Iterator[tuple[str, Fact]]:
    """Header by header."""
    for name in change.remove:
        yield f"{whose} {name}", Fact((), GONE)
    for name, values in change.replace:
        yield f"{whose} {name}", values_fact(values)


def values_fact(values: tuple[bytes, ...]) -> Fact:
    """All values of one header; `decode` of bytes, since nobody reads them here."""
    return Fact(values, ", ".join(bytes.decode(value, "utf-8", "backslashreplace") for value in values))


def answer_facts(answer: Answered) -> Iterator[tuple[str, Fact]]:
    """What the client gets instead."""
    for name, values in by_name(answer.lines).items():
        yield f"client {name}", values_fact(values)
    if answer.body.size:
        yield "client body", body_fact(answer.body)
    if answer.details:
        yield "details", Fact(answer.details, answer.details)


def addition_facts(decision: Decision) -> Iterator[tuple[str, Fact]]:
    """What is put on a response that was not recorded."""
    lines: Lines = tuple(line for added, _ in decision.additions for line in added)
    replaced = frozenset(name for _, names in decision.additions for name in names)
    for name, values in by_name(lines).items():
        fact = values_fact(values)
        yield f"client {name}", Fact((fact.value, name in replaced), fact.text)


def by_name(lines: Lines) -> dict[str, tuple[bytes, ...]]:
    """Every name with its values."""
    return group(lines, {name for name, _ in lines})


def metadata_facts(decision: Decision) -> Iterator[tuple[str, Fact]]:
    """What filters wrote for others."""
    for namespace, values in decision.metadata.items():
        for key, value in values.items():
            yield f"metadata {namespace} {key}", Fact(json.dumps(value, sort_keys=True), json.dumps(value))


def failure_facts(decision: Decision, *, response: bool) -> Iterator[tuple[str, Fact]]:
    """Hooks that failed, by kind; texts may hold what is new each time."""
    for runs in decision.hooks:
        late = runs.hook.startswith(("on_response", "on_complete"))
        if runs.failed and (response or not late):
            kinds = tuple(kind for kind, _ in runs.failed)
            yield f"failure {runs.filter} {runs.hook}", Fact(kinds, ", ".join(dict.fromkeys(kinds)))


def body_fact(body: Body) -> Fact:
    """A body: all that is known of it, and its beginning."""
    text = decode(body.data[: 4 * SHOWN])
    cut = text[:SHOWN] + "..." if len(text) > SHOWN or body.size > 4 * SHOWN else text
    return Fact((body.data, body.size), f"{cut} ({body.size} bytes)" if cut else "(empty)")
