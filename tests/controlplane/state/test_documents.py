"""Applied documents against a dict, and registrations."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meshext_controlplane.state.documents import Change, Delete, Documents, Key, Put
from meshext_controlplane.state.errors import RevisionConflict, StateError
from meshext_controlplane.state.registrations import RegistrationRecord, Registrations
from meshext_controlplane.state.store import LARGEST, StateStore

KEYS: list[Key] = [("Service", "shop", "a"), ("Service", "shop", "b"), ("Gateway", "shop", "a")]


class Applying(RuleBasedStateMachine):
    """Any changes, with right and wrong expectations, and restarts between."""

    folder: tempfile.TemporaryDirectory[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = StateStore(Path(self.folder.name))
        self.model: dict[Key, tuple[str, int]] = {}
        self.revision = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(data=st.data())
    def apply(self, data: Any) -> None:
        changes: list[Change] = []
        after = dict(self.model)
        conflict = False
        for key in data.draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True)):
            known = self.model.get(key, ("", 0))[1]
            expected = data.draw(st.none() | st.sampled_from([known, known + 1, 0]))
            conflict |= expected is not None and expected != known
            if data.draw(st.booleans()):
                text = data.draw(st.text(max_size=10))
                changes.append(Put(key, text, expected))
                after[key] = (text, self.revision + 1)
            else:
                changes.append(Delete(key, expected))
                after.pop(key, None)
        documents = Documents(self.store)
        if conflict:
            with pytest.raises(RevisionConflict, match="read it again"):
                documents.apply(changes, now=1)
        else:
            self.revision += 1
            self.model = after
            assert documents.apply(changes, now=1) == self.revision

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = StateStore(Path(self.folder.name))

    @invariant()
    def same(self) -> None:
        documents = Documents(self.store)
        found, revision = documents.load()
        assert {each.key: (each.text, each.revision) for each in found} == self.model
        assert revision == documents.revision() == self.revision
        assert [each.key for each in found] == sorted(self.model)


TestApplying = Applying.TestCase
TestApplying.settings = settings(max_examples=20, stateful_step_count=20)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with StateStore(tmp_path) as opened:
        yield opened


def test_a_document_that_is_too_large(store: StateStore) -> None:
    documents = Documents(store)
    with pytest.raises(StateError, match="takes no value as large as this one"):
        documents.apply([Put(KEYS[1], "b"), Put(KEYS[0], "x" * (LARGEST + 1))], now=1)
    assert documents.all() == []


def test_any_text_comes_back(store: StateStore) -> None:
    text = "a: 'ü\x00\u2028\U0001f600'\r\n"
    Documents(store).apply([Put(KEYS[0], text)], now=7)
    found = Documents(store).get(KEYS[0])
    assert found is not None
    assert (found.text, found.applied, found.revision) == (text, 7, 1)
    assert Documents(store).get(KEYS[1]) is None


def test_registrations(store: StateStore) -> None:
    registrations = Registrations(store)
    records = [
        RegistrationRecord(
            namespace="shop",
            name=name,
            identity="spiffe://a/ns/shop/sa/web",
            serial="1",
            body=b"\x00",
            seen=seen,
        )
        for name, seen in (("a", 1), ("b", 2), ("c", 3))
    ]
    for record in reversed(records):
        registrations.put(record)
    registrations.put(records[0])
    assert registrations.all() == records
    assert registrations.remove("shop", "b")
    assert not registrations.remove("shop", "b")
    assert registrations.forget(before=3) == 1
    assert registrations.all() == records[2:]
