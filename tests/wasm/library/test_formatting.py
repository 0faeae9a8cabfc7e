"""Format specifications of ints, floats and strs, against CPython's."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library.builtins.formatting import format_float, format_int, format_text
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS

SPECS = st.builds(
    "{}{}{}{}{}{}{}{}{}{}".format,
    st.sampled_from(["", "", "", "*", "0", "<", "\xe9", "{"]),
    st.sampled_from(["", "", "<", ">", "^", "="]),
    st.sampled_from(["", "", "", "+", "-", " "]),
    st.sampled_from(["", "", "", "z"]),
    st.sampled_from(["", "", "#"]),
    st.sampled_from(["", "", "0"]),
    st.sampled_from(["", "", "1", "8", "13", "30", "\u0663", "9" * 30]),
    st.sampled_from(["", "", "", ",", "_", ",_", "_,"]),
    st.sampled_from(["", "", ".", ".0", ".1", ".3", ".17"]),
    st.sampled_from([*"bcdeEfFgGnosxX%", "", "", "", "q", "\xe9", "dd", "\x01"]),
)
INTEGERS = st.integers(-(2**70), 2**70) | st.integers(0, 300) | st.booleans()


@settings(max_examples=100)
@given(
    st.integers(-(10**7), 10**7) | st.integers(0, 300) | st.integers(-(2**70), 2**70) | st.booleans(), SPECS
)
@example(1234567, "010,")
@example(-5, "=+#012_b")
@example(1 << 2000, ".3e")
@example(10**19, "c")
@example(-(10**19), "c")
def test_int(number: int, spec: str) -> None:
    assert outcome(format_int, number, spec) == outcome(format, number, spec)


@settings(max_examples=100)
@given(FLOATS, SPECS)
@example(0.0, "#")
@example(1e16, "#")
@example(1e22, ",")
@example(-0.0001, "z.2f")
def test_float(number: float, spec: str) -> None:
    assert outcome(format_float, number, spec) == outcome(format, number, spec)


@settings(max_examples=100)
@given(st.text(max_size=12), SPECS)
def test_text(text: str, spec: str) -> None:
    assert outcome(format_text, text, spec) == outcome(format, text, spec)
