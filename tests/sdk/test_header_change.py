"""A change of header lines says what a comparison of all of them would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshext.http.headers import Lines
from meshext.http.parts import HeaderChange, header_change

NAMES = st.sampled_from(["a", "b", "c", "d"])
LINE = st.tuples(NAMES, st.sampled_from([b"1", b"2"]))


def compared(before: Lines, after: Lines) -> HeaderChange:
    old = {name: tuple(value for key, value in before if key == name) for name, _ in before}
    new = {name: tuple(value for key, value in after if key == name) for name, _ in after}
    return HeaderChange(
        remove=tuple(name for name in old if name not in new),
        replace=tuple((name, values) for name, values in new.items() if old.get(name) != values),
    )


@given(before=st.lists(LINE), after=st.lists(LINE), data=st.data())
def test_it_is_what_differs(before: Lines, after: Lines, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(before))) if before else []
    for lines in (tuple(after), (*kept, *after), (*after, *kept)):
        assert header_change(tuple(before), lines) == compared(tuple(before), lines)
