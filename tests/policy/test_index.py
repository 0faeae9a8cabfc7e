"""The index never changes a verdict: it gives what a scan of all rules gives."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from e2e.rbac.generated import policy_sets, requests
from e2e.rbac.native import Sent
from meshext.config import Document
from meshext.policy.compiled import build_rules
from meshext.policy.documents import parse_policies
from meshext.policy.index import Index
from meshext.policy.trust import TrustDomains
from tests.policy.reading import facts, read, to_facts, write

TRUST = TrustDomains("new.example", ("old.example", "*.other"))


@given(
    st.lists(policy_sets((8080, 8081)), min_size=1, max_size=4), st.lists(requests, min_size=1, max_size=8)
)
def test_index_and_scan_agree(documents: list[list[dict[str, Any]]], sent: list[Sent]) -> None:
    policies = [
        policy
        for each in documents
        for policy in parse_policies(Document("\n---\n".join(json.dumps(document) for document in each)))
    ]
    rules = build_rules(policies, TRUST)
    index = Index(rules)
    for each in map(to_facts, sent):
        scanned = [rule for rule in rules if rule.matches(each)]
        assert index.all_matches(each) == scanned
        assert index.first_match(each) == (scanned[0] if scanned else None)


def rules_of(*rules: str) -> Index:
    return Index(build_rules(read(write(f"{{rules: [{', '.join(rules)}]}}")), TRUST))


def test_only_few_of_many_rules_are_tried() -> None:
    by = {
        "path": "{to: [{operation: {paths: ['/svc/%d']}}]}",
        "prefix": "{to: [{operation: {paths: ['/svc/%d/*']}}]}",
        "suffix": "{to: [{operation: {paths: ['*/svc/%d']}}]}",
        "template": "{to: [{operation: {paths: ['/{*}/svc/%d']}}]}",
        "host": "{to: [{operation: {hosts: ['S%d.test'], methods: [GET]}}]}",
        "principal": "{from: [{source: {principals: ['td/ns/a/sa/s%d']}}]}",
        "account": "{from: [{source: {serviceAccounts: [s%d]}}]}",
        "namespace": "{from: [{source: {namespaces: [n%d]}}]}",
        "condition": "{when: [{key: source.principal, values: ['td/ns/a/sa/s%d']}]}",
    }
    one = {"principal": "spiffe://td/ns/n7/sa/s7", "host": "s7.test"}
    for name, rule in by.items():
        index = rules_of(*[rule % number for number in range(500)])
        for target in ("/svc/7", "/svc/7/x", "/x/svc/7", "/"):
            assert len(index.candidates(facts("GET", target, **one))) <= 1, name


def test_what_cannot_be_looked_up_is_always_tried() -> None:
    index = rules_of("{}", "{to: [{operation: {paths: ['*']}}]}", "{to: [{operation: {notPaths: [/a]}}]}")
    assert index.candidates(facts("GET", "/b")) == [0, 1, 2]
    assert [rule.number for rule in index.all_matches(facts("GET", "/a"))] == [0, 1]
