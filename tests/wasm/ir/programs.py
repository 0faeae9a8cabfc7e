"""Small programs as source text: nested loops, tries and ways out, each of which ends."""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

NAMES = ("a", "b", "n")
numbers = st.integers(-3, 9).map(str)
atoms = st.one_of(numbers, st.sampled_from(NAMES))
values = st.one_of(
    atoms,
    st.builds("({} {} {})".format, atoms, st.sampled_from(["+", "-", "//", "%"]), atoms),
    st.builds("({} * {})".format, atoms, numbers),
    st.builds("({} if {} < {} else {})".format, atoms, atoms, atoms, atoms),
    st.builds("({} - ({} := {}))".format, atoms, st.sampled_from(NAMES), atoms),
)
tests = st.one_of(
    st.builds("{} {} {}".format, values, st.sampled_from(["<", "==", ">=", "!="]), atoms),
    st.builds("{} < {} {} not {}".format, atoms, atoms, st.sampled_from(["and", "or"]), atoms),
)
simple = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(NAMES), values),
    st.builds("log({})".format, values),
    st.builds("return {}".format, values),
    st.just("raise KeyError()"),
)
inside_loops = st.sampled_from(["break", "continue"])


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


@st.composite
def blocks(draw: st.DrawFn, depth: int, loops: int) -> str:
    """A few statements; `loops`: how many loops are around."""
    return "\n".join(draw(statements(depth, loops)) for _ in range(draw(st.integers(1, 3))))


@st.composite
def statements(draw: st.DrawFn, depth: int, loops: int) -> str:
    kinds = ["simple", "simple"] + (["leave"] if loops else []) + (["if", "while", "try"] if depth else [])
    match draw(st.sampled_from(kinds)):
        case "leave":
            return draw(inside_loops)
        case "if":
            text = f"if {draw(tests)}:\n{indented(draw(blocks(depth - 1, loops)))}"
            if draw(st.booleans()):
                text += f"\nelse:\n{indented(draw(blocks(depth - 1, loops)))}"
            return text
        case "while":
            return draw(loop(depth, loops))
        case "try":
            return draw(attempt(depth, loops))
    return draw(simple)


@st.composite
def loop(draw: st.DrawFn, depth: int, loops: int) -> str:
    """A loop that ends after a few rounds whatever its body does."""
    counter = f"i{depth}"
    inside = f"{counter} += 1\n{draw(blocks(depth - 1, loops + 1))}"
    text = (
        f"{counter} = 0\nwhile {counter} < {draw(st.integers(1, 4))} and ({draw(tests)}):\n{indented(inside)}"
    )
    if draw(st.booleans()):
        text += f"\nelse:\n{indented(draw(blocks(depth - 1, loops)))}"
    return text


@st.composite
def attempt(draw: st.DrawFn, depth: int, loops: int) -> str:
    """`try` with handlers, `else` and `finally`, at least one of the first and the last."""
    text = f"try:\n{indented(draw(blocks(depth - 1, loops)))}"
    handled, final = draw(st.sampled_from([(0, True), (1, False), (1, True), (2, True)]))
    for name in ("ZeroDivisionError", "Exception")[:handled]:
        text += f"\nexcept {name}:\n{indented(draw(blocks(depth - 1, loops)))}"
    if handled and draw(st.booleans()):
        text += f"\nelse:\n{indented(draw(blocks(depth - 1, loops)))}"
    if final:
        text += f"\nfinally:\n{indented(draw(blocks(depth - 1, loops)))}"
    return text


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A function `f(n)`; `a` and `b` are local and may be unbound."""
    return f"def f(n):\n    if n == 3:\n        a = 1\n        b = 2\n{indented(draw(blocks(3, 0)))}\n"
