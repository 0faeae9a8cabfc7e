"""A delegate never takes what it was not given, and takes what it was given as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.model.delegation import merge_match
from meshext_controlplane.model.http_route import HttpMatch
from meshext_controlplane.model.matching import StringMatch

TEXTS = ("a", "ab", "A", "b")
full = st.builds(StringMatch, exact=st.sampled_from(TEXTS)) | st.builds(
    StringMatch, prefix=st.sampled_from(TEXTS)
)
texts = st.one_of(full, st.just(StringMatch()))
some = st.dictionaries(st.sampled_from(["x", "y"]), texts, max_size=2)


@st.composite
def matches(draw: st.DrawFn) -> HttpMatch:
    uri = draw(st.none() | full)
    return HttpMatch(
        uri=uri,
        ignore_uri_case=uri is not None and draw(st.booleans()),
        method=draw(st.none() | full),
        headers=draw(some),
        without_headers=draw(some),
        query_params=draw(some),
        port=draw(st.sampled_from([None, 80, 81])),
        source_labels=draw(st.dictionaries(st.just("app"), st.sampled_from(TEXTS))),
        source_namespace=draw(st.sampled_from(["", "shop", "team"])),
    )


@dataclass(frozen=True)
class Call:
    """What a request is."""

    uri: str
    method: str
    port: int
    namespace: str
    labels: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


named = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(TEXTS), max_size=2)
calls = st.builds(
    Call,
    uri=st.sampled_from(TEXTS),
    method=st.sampled_from(TEXTS),
    port=st.sampled_from([80, 81]),
    namespace=st.sampled_from(["shop", "team"]),
    labels=st.dictionaries(st.just("app"), st.sampled_from(TEXTS)),
    headers=named,
    query=named,
)


def holds(match: HttpMatch, call: Call) -> bool:
    return (
        fits(match.uri, call.uri, ignore_case=match.ignore_uri_case)
        and fits(match.method, call.method)
        and all(
            name in call.headers and fits(each, call.headers[name]) for name, each in match.headers.items()
        )
        and not any(
            name in call.headers and fits(each, call.headers[name])
            for name, each in match.without_headers.items()
        )
        and all(
            name in call.query and fits(each, call.query[name]) for name, each in match.query_params.items()
        )
        and match.port in (None, call.port)
        and match.source_namespace in ("", call.namespace)
        and match.source_labels.items() <= call.labels.items()
    )


def fits(wanted: StringMatch | None, text: str, *, ignore_case: bool = False) -> bool:
    if wanted is None or wanted.is_empty:
        return True
    given_text: Any = wanted.exact if wanted.exact is not None else wanted.prefix
    if ignore_case:
        given_text, text = given_text.lower(), text.lower()
    return text == given_text if wanted.exact is not None else text.startswith(given_text)


@given(matches(), matches(), st.lists(calls, max_size=12))
def test_what_a_delegate_takes(root: HttpMatch, leaf: HttpMatch, given_calls: list[Call]) -> None:
    merged = merge_match(root, leaf)
    for call in given_calls if merged is not None else ():
        assert merged is not None
        assert holds(merged, call) is (holds(root, call) and holds(leaf, call))


@given(matches(), matches())
def test_a_match_within_itself_or_within_everything(root: HttpMatch, leaf: HttpMatch) -> None:
    assert merge_match(root, root) == root
    assert merge_match(HttpMatch(), leaf) == leaf
    assert merge_match(root, HttpMatch()) == root
