"""The bounded table under the store in memory: what it forgets, and when."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meshext.table import Table, _Agenda


class BoundedTable(RuleBasedStateMachine):
    """A table is never larger than its bound, and forgets in the order promised."""

    SIZE = 4

    def __init__(self) -> None:
        super().__init__()
        self.now = 100
        self.lost: list[tuple[str, int]] = []
        self.table: Table[int] = Table(self.SIZE, on_lost=lambda key, held: self.lost.append((key, held)))
        self.model: dict[str, tuple[int, int | None, int]] = {}  # value, end, held; oldest write first

    @rule(step=st.integers(0, 5))
    def wait(self, step: int) -> None:
        self.now += step

    @rule(
        key=st.sampled_from("abcdefgh"),
        value=st.integers(),
        ttl=st.none() | st.integers(1, 9),
        hold=st.none() | st.integers(1, 9),
    )
    def put(self, key: str, value: int, ttl: int | None, hold: int | None) -> None:
        expires = None if ttl is None else self.now + ttl
        held = 0 if hold is None else self.now + hold
        self.table.put(key, value, self.now, expires=expires, held=held or None)
        if key not in self.model:
            self.forget_expired()
            if len(self.model) >= self.SIZE:
                self.forget_one()
        self.model.pop(key, None)
        self.model[key] = (value, expires, held)

    @rule(key=st.sampled_from("abcdefgh"), hold=st.integers(1, 9))
    def hold(self, key: str, hold: int) -> None:
        self.table.hold(key, self.now + hold)
        if key in self.model:
            value, expires, held = self.model[key]
            self.model[key] = (value, expires, max(held, self.now + hold))

    def forget_one(self) -> None:
        """Nobody that is held goes, unless all are: then whoever it was is told of."""
        here = {key for key in self.model if self.table._find(key) is not None}
        (gone,) = self.model.keys() - here
        held = self.model.pop(gone)[2]
        if held > self.now:
            assert all(other[2] > self.now for other in self.model.values())
            assert self.lost.pop() == (gone, held)
        assert self.lost == []

    @rule(key=st.sampled_from("abcdefgh"))
    def remove(self, key: str) -> None:
        self.table.remove(key)
        self.model.pop(key, None)

    def forget_expired(self) -> None:
        self.model = {k: v for k, v in self.model.items() if v[1] is None or v[1] > self.now}

    @invariant()
    def same(self) -> None:
        assert len(self.table) <= self.SIZE
        assert len(self.table._ends) <= 3 * (self.SIZE + _Agenda.SLACK)
        assert len(self.table._releases) <= 3 * (self.SIZE + _Agenda.SLACK)
        for key in "abcdefgh":
            value, expires, _ = self.model.get(key, (None, None, False))
            gone = expires is not None and expires <= self.now
            assert self.table.get(key, self.now) == (None if gone else value)


TestBoundedTable = BoundedTable.TestCase
TestBoundedTable.settings = settings(max_examples=50)


def test_a_counter_hit_often_has_one_place_on_the_agenda() -> None:
    table: Table[int] = Table(10)
    for now in range(1000):
        table.put("a", now, now, expires=now + 50)
    assert len(table._ends) == 1


def test_a_life_cut_short_ends_before_older_entries_go() -> None:
    table: Table[int] = Table(2)
    table.put("old", 1, 0, expires=None)
    table.put("short", 2, 0, expires=90)
    table.put("short", 3, 0, expires=10)
    table.put("new", 4, 10, expires=None)
    assert (table.get("old", 10), table.get("short", 10), table.get("new", 10)) == (1, None, 4)


class SiftedAgenda(RuleBasedStateMachine):
    """An agenda with little slack gives every look that is wanted in time, and stays short."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: dict[str, int] = {}
        self.agenda = _Agenda(lambda at, key: self.wanted.get(key) == at)
        self.agenda.SLACK, self.agenda.STEPS = 2, 2

    @rule(key=st.sampled_from("abcdef"), at=st.integers(0, 20))
    def add(self, key: str, at: int) -> None:
        self.wanted[key] = at
        self.agenda.add(at, key, len(self.wanted))

    @rule(key=st.sampled_from("abcdef"))
    def forget(self, key: str) -> None:
        self.wanted.pop(key, None)

    @rule(now=st.integers(0, 20))
    def take(self, now: int) -> None:
        taken = []
        while look := self.agenda.take(now):
            taken.append(look)
        assert taken == sorted(taken)
        due = {(at, key) for key, at in self.wanted.items() if at <= now}
        assert due <= set(taken)
        for _, key in due:
            del self.wanted[key]

    @invariant()
    def short(self) -> None:
        assert len(self.agenda) <= 3 * (6 + 2)


TestSiftedAgenda = SiftedAgenda.TestCase
TestSiftedAgenda.settings = settings(max_examples=100)
