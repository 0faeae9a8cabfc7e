"""Reading never raises, whatever the bytes are, and says something about whatever it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.kinds import KINDS
from meshext_controlplane.sources.configuration import merge
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import Reading, read_bytes
from tests.controlplane.sources.mistakes import DOCUMENTS, TEXTS


def read_any(content: bytes) -> Reading:
    reading = read_bytes(content, Origin("any.yaml", "", (0, "any.yaml", 0.0)))
    for problem in reading.problems:
        assert problem.text
        assert problem.hint
        assert str(problem).isprintable()
    merge([reading], merge([reading]))
    return reading


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf---\n")
@example(b"? [a]\n: b\n")
def test_any_bytes(content: bytes) -> None:
    read_any(content)


SEEDS = [
    text.encode() if isinstance(text, str) else text
    for text in [*(text for group in DOCUMENTS.values() for text in group.values()), *TEXTS.values()]
    if len(text) < 2000
]


@given(st.sampled_from(SEEDS), st.data())
def test_any_change_of_a_document(seed: bytes, data: st.DataObject) -> None:
    """A piece of a document replaced by another one's, or by anything."""
    begin = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(begin, min(len(seed), begin + 40)))
    other = data.draw(st.one_of(st.binary(max_size=20), st.sampled_from(SEEDS).map(lambda text: text[:60])))
    read_any(seed[:begin] + other + seed[end:])


KEYS = sorted(
    {
        word
        for kind in KINDS.values()
        if kind is not AuthorizationPolicy
        for word in re.findall(r'"([a-zA-Z]+)"', json.dumps(kind.model_json_schema()))
    }
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["STRICT", "5s", "a.test", "*", "-1", "80", "a: b; c"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(KEYS), values, max_size=5), values)
def test_any_spec_of_every_kind(kind: str, spec: dict[str, Any], metadata: Any) -> None:
    written = {
        "apiVersion": KINDS[kind].VERSIONS[0],
        "kind": kind,
        "metadata": {"name": "a", "more": metadata},
        "spec": spec,
    }
    reading = read_any(json.dumps(written).encode())
    assert bool(reading.documents) != bool(reading.problems)
