"""Our verdicts are Envoy's: the same policies as native RBAC in the real Envoy, on generated requests.

MESHEXT_RBAC_EXAMPLES says how many sets of policies and requests to try (each about fifty requests); the
default is a share that fits a run of everything.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from e2e.rbac.generated import document, policy_sets, requests
from e2e.rbac.native import DEMO, DESTINATIONS, NAMES, PRINCIPALS, SOURCES, Caller, Got, NativeRbac, Sent
from e2e.stage import report
from meshext.config import Document
from meshext.http.headers import Headers
from meshext.policy.decide import Decider
from meshext.policy.documents import parse_policies
from meshext.policy.facts import Facts
from meshext.policy.model import Policy
from meshext.policy.normalize import Normalization, PathRefused, normalize_target
from meshext.policy.scope import Workload, select_policies
from meshext.policy.trust import TrustDomains

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

EXAMPLES = int(os.environ.get("MESHEXT_RBAC_EXAMPLES", "40"))
PHASES = [Phase.generate, Phase.shrink] if "MESHEXT_RBAC_SHRINK" in os.environ else [Phase.generate]
CLOSING = 500  # examples from which on every term has matched and not matched
TERMS = 7 + 4 + 23  # fields of a source and an operation, keys of conditions
TRUST = TrustDomains("new.example", ("old.example", "*.other"))
WORKLOAD = Workload(namespace="shop", trust=TRUST)


@pytest.fixture(scope="module")
def native() -> Iterator[NativeRbac]:
    with TemporaryDirectory(prefix="mx-") as name:
        running = NativeRbac(Path(name), TRUST)
        try:
            running.start()
            yield running
        finally:
            running.stop()


def read(documents: list[dict[str, Any]]) -> tuple[Policy, ...]:
    """Documents as a person would give them."""
    text = "\n---\n".join(json.dumps(each) for each in documents)
    return select_policies(parse_policies(Document(text, "policy.yaml")), WORKLOAD)


def facts_of(sent: Sent, native: NativeRbac) -> Facts:
    """The request as we are told of it. PathRefused where Envoy answers 400."""
    caller = sent.caller
    target = sent.target.decode("utf-8", "surrogateescape")
    how = Normalization.NONE if caller.raw else Normalization.DECODE_AND_MERGE_SLASHES
    lines = tuple((name.lower(), value) for name, value in sent.lines)
    return Facts(
        method=sent.method,
        target=normalize_target(target, how),
        host=sent.host.decode(),
        scheme="https",
        headers=Headers.from_lines(lines),
        principal=PRINCIPALS[caller.principal],
        peer_address=SOURCES[caller.source],
        client_address=sent.client,
        destination_address=DESTINATIONS[caller.destination],
        destination_port=native.raw_port if caller.raw else native.port,
        sni=(NAMES[caller.name] or "").lower(),
        claims=sent.claims or {},
        metadata={DEMO: sent.metadata or {}},
    )


def compare(sent: Sent, decider: Decider, got: Got, native: NativeRbac, told: object) -> str:
    """Fail where Envoy says something else; what it said."""
    try:
        facts = facts_of(sent, native)
    except PathRefused:
        assert got.status == 400, (sent, got)
        return "400"
    if got.status == 200 and got.target is not None:
        assert got.target == facts.target.encode("utf-8", "surrogateescape"), sent
    note_terms(decider, facts)
    verdict = decider.decide(facts)
    assert got.status == (200 if verdict.allowed else 403), (told, sent, facts, verdict)
    return str(got.status)


def send_both_ways(native: NativeRbac, target: bytes, case: int) -> list[tuple[Sent, Got]]:
    """A request to the listener that normalises and to the one that does not."""
    tried = [Sent(caller=Caller(raw=raw), target=target) for raw in (False, True)]
    return [(each, native.send(each, case)) for each in tried]


TEMPLATES = ("/foo/{*}", "/{**}", "/foo/{*}/x", "/foo/{**}/x")
CHARACTERS = [bytes([code]) for code in range(1, 256) if code not in (10, 13, 32, 63)]


def test_every_character_in_a_path_template(native: NativeRbac) -> None:
    """What `{*}` takes is a list of characters; a DENY must not miss one that Envoy's would take."""
    sets = [
        read([document(0, "DENY", "shop", [{"to": [{"operation": {"paths": [path]}}]}])])
        for path in TEMPLATES
    ]
    native.load(sets)
    deciders = [Decider(policies, TRUST) for policies in sets]
    for character in CHARACTERS:
        for target in (b"/foo/a" + character + b"b", b"/foo/" + character + b"/x"):
            for number, decider in enumerate(deciders):
                for sent, got in send_both_ways(native, target, number):
                    compare(sent, decider, got, native, TEMPLATES[number])


PIECES = (
    "/ / . .. .%2e %2E %2f %5C \\ a b %61 %2561 %zz % %0 %%61 ; x=1 \" | { } [ ] ^ ` < > ~ %7e %00 * ! $ ' "
    "( ) + , : @ & = ? ?q=/../x ..; %20 %E4 %c3%a4 %25"
).split()


@settings(max_examples=EXAMPLES * 10, database=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_paths_are_normalised_as_envoy_does(native: NativeRbac, rest: str) -> None:
    """`meshext explain --normalize`: the path that goes on is the one we say, or Envoy answers 400."""
    for sent, got in send_both_ways(native, b"/" + rest.encode(), -1):
        try:
            expected = facts_of(sent, native).target.encode()
        except PathRefused:
            assert got.status == 400, sent
        else:
            assert (got.status, got.target) == (204, expected)


TOLD: Counter[tuple[str, bool]] = Counter()
"""How often a term of each kind matched and did not, over all requests: none must be idle."""


def note_terms(decider: Decider, facts: Facts) -> None:
    for rule in [*decider.allow.index.rules, *decider.deny.index.rules]:
        for checks in (*rule.sources, *rule.operations, rule.conditions):
            for check in checks:
                TOLD[(check.term.name.removeprefix("not").lower(), check.match(facts))] += 1


def test_verdicts_are_those_of_native_rbac(native: NativeRbac) -> None:
    counts = {"200": 0, "403": 0, "400": 0}
    sets = policy_sets((native.port, native.raw_port))

    @settings(
        max_examples=EXAMPLES,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
        derandomize="MESHEXT_RBAC_EXAMPLES" not in os.environ,
        database=None,
        report_multiple_bugs=False,
        phases=PHASES,
    )
    @given(st.lists(sets, min_size=2, max_size=6), st.lists(requests, min_size=6, max_size=12))
    def try_them(documents: list[list[dict[str, Any]]], sent: list[Sent]) -> None:
        chosen = [read(each) for each in documents]
        native.load(chosen)
        for number, policies in enumerate(chosen):
            decider = Decider(policies, TRUST)
            for each in sent:
                got = native.send(each, number)
                counts[compare(each, decider, got, native, documents[number])] += 1

    try_them()
    report(f"native RBAC: {sum(counts.values())} requests, {counts}")
    names = sorted({name for name, _ in TOLD})
    for name in names:
        report(f"  {name:45}{TOLD[(name, True)]:8} matched{TOLD[(name, False)]:8} did not")
    idle = [name for name in names if not (TOLD[(name, True)] and TOLD[(name, False)])]
    assert EXAMPLES < CLOSING or (len(names) == TERMS and not idle)
