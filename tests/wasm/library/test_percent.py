"""`%` of strs against CPython's."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library.builtins.percent import format_percent
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS

PLACES = st.builds(
    "%{}{}{}{}{}".format,
    st.sampled_from(["", "", "", "(a)", "(b"]),
    st.sampled_from(["", "", "-", "0", "+", " ", "#", "-0", "+ #0"]),
    st.sampled_from(["", "", "1", "9", "*"]),
    st.sampled_from(["", "", ".", ".0", ".3", ".*"]),
    st.sampled_from([*"diuoxXeEfFgGcrsa%", "q", "ld", "\xe9", ""]),
)
VALUES = st.integers(-(10**6), 10**6) | FLOATS | st.text(max_size=3) | st.none() | st.integers(-300, 300)
ARGUMENTS = st.lists(VALUES, max_size=3).map(tuple) | VALUES | st.fixed_dictionaries({"a": VALUES})


@settings(max_examples=200)
@given(st.lists(PLACES | st.text("ab)", max_size=2), max_size=2).map("".join), ARGUMENTS)
@example("%(a).*d", {"a": 0})
@example("%(a)*d", {"a": 3})
@example("%(a)d %d", {"a": 3})
@example("%s %(a)s", {"a": 3})
@example("%(a)s%(a)s", {"a": 3})
@example("%d%%", (3,))
@example("%-*d|", (-5, 3))
@example("%05d", (-3,))
@example("%d", (2.9,))
@example("%x", (2.9,))
def test_percent(template: str, values: object) -> None:
    assert outcome(format_percent, template, values) == outcome(lambda: template % values)
