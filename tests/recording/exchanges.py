"""Any exchange that could be recorded."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from meshext.engine.observer import Decision as Ending
from meshext.http.parts import HeaderChange
from meshext.http.peer import Peer
from meshext.recording.exchange import (
    Answered,
    Body,
    Change,
    Decision,
    HookRuns,
    Message,
    Recorded,
    Served,
)
from meshext.recording.redaction import Redacted

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text("abcxyz-:_.09", min_size=1, max_size=8)
raw = st.binary(max_size=20) | texts.map(str.encode)
seconds = st.floats(0, 2e9)


@st.composite
def lines(draw: st.DrawFn) -> tuple[tuple[str, bytes], ...]:
    pairs = draw(st.lists(st.tuples(names, raw, st.booleans()), max_size=4))
    return tuple((name, Redacted(name) if hidden else value) for name, value, hidden in pairs)


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    data = draw(raw)
    more = draw(st.booleans())
    if draw(st.booleans()):
        return Body(data=data, size=len(data) + draw(st.integers(0, 1 << 40)), more=more)
    chunks = tuple(draw(st.lists(st.integers(0, 1000), max_size=5)))
    size = sum(chunks)
    return Body(data=data[:size], size=size, chunks=chunks, more=more)


changes = st.builds(
    HeaderChange,
    st.lists(names, max_size=2).map(tuple),
    st.lists(st.tuples(names, st.lists(raw, max_size=3).map(tuple)), max_size=2).map(tuple),
)
values: Any = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
plain: Any = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
metadata = st.dictionaries(texts, st.dictionaries(texts, plain, max_size=2), max_size=2)
messages = st.builds(
    Message,
    lines=lines(),
    body=st.none() | bodies(),
    trailers=st.none() | lines(),
    attributes=st.dictionaries(names, values | st.binary(max_size=9), max_size=3),
    metadata=metadata,
)
change = st.builds(Change, headers=changes, body=st.none() | bodies(), trailers=changes)
decisions = st.builds(
    Decision,
    outcome=st.sampled_from(get_args(Ending)),
    sent=st.booleans(),
    filter=texts,
    request=change,
    response=change,
    additions=st.lists(st.tuples(lines(), st.frozensets(names, max_size=2)), max_size=2).map(tuple),
    answer=st.none()
    | st.builds(Answered, status=st.integers(100, 599), lines=lines(), body=bodies(), details=texts),
    reset=texts,
    metadata=metadata,
    hooks=st.lists(
        st.builds(
            HookRuns,
            filter=texts,
            hook=texts,
            runs=st.integers(0, 1 << 40),
            seconds=seconds,
            failed=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)
strings = st.lists(texts, max_size=2).map(tuple)
exchanges = st.builds(
    Recorded,
    time=seconds,
    request_id=texts,
    mode=st.sampled_from(["proc", "authz"]),
    seconds=seconds,
    served=st.builds(
        Served,
        specs=strings,
        config=texts,
        filters=strings,
        attributes=strings,
        metadata=strings,
        redacted=strings,
    ),
    peer=st.builds(Peer, st.none() | texts, texts, st.booleans()),
    client_address=texts,
    route=texts,
    cluster=texts,
    request=messages,
    response=st.none() | messages,
    decision=decisions,
)


def redacted_names(found: object) -> list[str]:
    """Every redacted value, which equality can not tell from its marker."""
    if isinstance(found, Redacted):
        return [found.name]
    if isinstance(found, tuple | list):
        return [name for each in found for name in redacted_names(each)]
    slots = getattr(type(found), "__slots__", ())
    return [
        name for slot in slots if not slot.startswith("_") for name in redacted_names(getattr(found, slot))
    ]
