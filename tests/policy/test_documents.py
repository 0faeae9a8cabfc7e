"""Documents that are right are taken as they are, and no text whatever makes the reader fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from e2e.rbac.generated import policy_sets
from meshext.config import Document
from meshext.errors import ConfigError
from meshext.policy.documents import parse_policies
from meshext.policy.model import Action, Field
from meshext.policy.settings import Settings
from tests.policy.reading import read, write

FROM_A_CLUSTER = """\
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: security.istio.io/v1beta1
  kind: AuthorizationPolicy
  metadata:
    name: allow-web
    namespace: shop
    uid: 0b1c
    generation: 2
    creationTimestamp: "2026-01-01T00:00:00Z"
    annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", istio.io/dry-run: "False"}
    managedFields: [{manager: kubectl}]
  spec:
    selector: {matchLabels: {app: web}}
    rules:
    - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
      to: [{operation: {methods: [GET], paths: ["/orders/{*}"]}}]
      when: [{key: "request.headers[X-Role]", values: [a], notValues: [b]}]
  status: {}
"""


def test_what_a_cluster_gives_is_read() -> None:
    (policy,) = parse_policies(Document(FROM_A_CLUSTER, "policy.yaml"))
    assert (policy.full_name, policy.action, policy.dry_run) == ("shop/allow-web", Action.ALLOW, False)
    assert policy.selector == (("app", "web"),)
    (rule,) = policy.rules
    assert [term.field for term in rule.operations[0]] == [Field.METHODS, Field.PATHS]
    assert [(term.negated, term.key) for term in rule.conditions] == [
        (False, ("x-role",)),
        (True, ("x-role",)),
    ]


def test_json_and_streams_of_json_are_read() -> None:
    one = json.dumps(yaml.safe_load(write("{rules: [{}]}")))
    other = one.replace('"p"', '"q"')
    assert len(parse_policies(Document(one, "policy.json"))) == 1
    assert len(parse_policies(Document(f"{one}\n---\n{other}\n---\n"))) == 2


def test_a_list_of_documents_is_read() -> None:
    """As several filters have it in one configuration, keyed by their names."""
    documents = [yaml.safe_load(write("{rules: [{}]}", name=name)) for name in ("a", "b")]
    settings = Settings.from_document(Document(json.dumps(documents), "config.yaml: authorization-policy"))
    assert [policy.name for policy in settings.policies] == ["a", "b"]


def test_nulls_are_as_if_left_out() -> None:
    (policy,) = read(write("{selector: null, action: null, rules: [{from: null, to: null, when: null}]}"))
    assert (policy.action, policy.rules[0].sources, policy.selector) == (Action.ALLOW, (), ())


def test_custom_is_read_where_it_is_asked_for() -> None:
    text = write("{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {paths: [/a]}}]}]}")
    (policy,) = parse_policies(Document(text), custom=True)
    assert (policy.action, policy.provider) == (Action.CUSTOM, "opa")


def test_a_mapping_says_whom_policies_are_about() -> None:
    text = (
        "namespace: shop\nlabels: {app: web}\ntrust_domain: new.test\naliases: [old.test]\nclaims_key: demo\n"
    )
    text += "policies:\n"
    documents = [
        write("{rules: [{}]}"),
        write("{selector: {matchLabels: {app: api}}, rules: [{}]}", name="q"),
    ]
    text += "".join("- " + document.replace("\n", "\n  ").rstrip() + "\n" for document in documents)
    settings = Settings.from_document(Document(text, "config.yaml"))
    assert [policy.name for policy in settings.policies] == ["p"]
    assert (settings.workload.trust.names, settings.claims_key) == (("new.test", "old.test"), "demo")


def test_lines_in_a_mapping_and_behind_empty_documents() -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_document(Document("---\n---\n" + write("{rules: [{a: b}]}"), "policy.yaml"))
    assert refused.value.problems[0].startswith("line 6: shop/p: spec.rules[0].a: unknown key")


@given(policy_sets((8080, 8081)))
def test_generated_documents_are_taken(documents: list[dict[str, Any]]) -> None:
    text = "\n---\n".join(yaml.safe_dump(each) for each in documents)
    assert len(parse_policies(Document(text, "policy.yaml"))) == len(documents)


KEYS = st.sampled_from(
    "apiVersion kind metadata spec name namespace annotations rules from to when source operation principals "
    "notPaths paths key values notValues selector matchLabels targetRefs action provider items".split()
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(
        ["security.istio.io/v1", "AuthorizationPolicy", "List", "ALLOW", "request.headers[a]", "*", "{*}"]
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=30,
)


def swap(document: Any, path: list[int], tree: Any) -> Any:
    """The document with another value somewhere inside."""
    if not path or not isinstance(document, dict | list) or not document:
        return tree
    keys = sorted(document) if isinstance(document, dict) else range(len(document))
    key = keys[path[0] % len(keys)]
    new: Any = dict(document) if isinstance(document, dict) else list(document)
    new[key] = swap(document[key], path[1:], tree)
    return new


def check(text: str) -> None:
    """Either taken or refused with reasons of one line each."""
    try:
        Settings.from_document(Document(text, "policy.yaml"))
    except ConfigError as error:
        refused = error.problems
    else:
        return
    assert refused
    assert not any("\n" in problem for problem in refused)


@given(policy_sets((1, 2)), st.lists(st.integers(0, 9), max_size=9), TREES)
def test_anything_in_place_of_a_part_is_taken_or_refused(
    documents: list[Any], path: list[int], tree: Any
) -> None:
    check(yaml.safe_dump(swap(documents[0], path, tree)))
    check(json.dumps(swap(documents[0], path, tree)))


@given(st.one_of(st.text(), TREES.map(yaml.safe_dump)))
def test_any_text_is_taken_or_refused(text: str) -> None:
    check(text)
