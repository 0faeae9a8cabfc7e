"""html.unescape, name by name and on texts nobody listed, against CPython's."""

import html as real
from html.entities import html5

from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library import html

NUMBERS = [*range(0x200), *range(0xD7F0, 0xE010), *range(0xFDC0, 0xFDF8), 0xFFFD, 0xFFFE, 0x1F600, 0x10FFFF]
PIECES = st.sampled_from(
    [
        *"&;#xX 0aé<\n", "&amp;", "&amp", "&lt", "&notin;", "&notit;", "&#65;", "&#x41", "&#X1F600;", "&#;",
        "&#128;", "&#xD800;", "&#1114112;", "&CounterClockwiseContourIntegral;", "ampersand", "amp;amp;",
    ]
)  # fmt: skip


def test_every_name() -> None:
    for name in html5:
        for text in (f"&{name}", f"&{name}x", f"a&{name} b"):
            assert html.unescape(text) == real.unescape(text)


def test_numbers() -> None:
    for number in NUMBERS:
        for text in (f"&#{number};", f"&#x{number:x}"):
            assert html.unescape(text) == real.unescape(text)


@given(st.lists(PIECES).map("".join))
@example("&" + "a" * 40 + ";")
@example("&#" + "9" * 400 + ";")
def test_texts(text: str) -> None:
    assert html.unescape(text) == real.unescape(text)
