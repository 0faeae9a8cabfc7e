"""Each document of a text on its own, as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.config import Document, Plain, parse_document, parse_documents
from meshext_controlplane.server import slicing
from meshext_controlplane.server.slicing import Slicer

TWO = """\
# the first
kind: A  # beside it
---
---
# the second
kind: B
list: [1,
  2]
...
---
"""


def test_documents_keep_their_comments() -> None:
    first, second = parse_documents(Document(TWO))
    assert Slicer().slice(TWO, (0,), first) == "# the first\nkind: A  # beside it\n"
    assert Slicer().slice(TWO, (1,), second) == "# the second\nkind: B\nlist: [1,\n  2]\n"


@pytest.mark.parametrize("text", ['{"kind": "A"}', "\n\n{kind: A}", "--- {kind: A}", "---\nkind: A\n...\n"])
def test_one_document_is_the_whole_text(text: str) -> None:
    (value,) = parse_documents(Document(text))
    assert parse_document(Document(Slicer().slice(text, (0,), value))) == {"kind": "A"}


def test_one_of_a_list_is_written_as_json() -> None:
    value: Plain = {"kind": "A", "name": "ö"}
    assert json.loads(Slicer().slice("kind: List", (0, "items", 0), value)) == value


PLAIN = st.dictionaries(st.text("abc", min_size=1), st.integers() | st.text("ab: #-\n'\"{"), max_size=4)


@given(st.lists(PLAIN, min_size=1, max_size=4))
def test_what_is_cut_out_means_the_same(documents: list[dict[str, object]]) -> None:
    text = "\n---\n".join(json.dumps(each) for each in documents)
    values = parse_documents(Document(text))
    for number, value in enumerate(values):
        assert parse_document(Document(Slicer().slice(text, (number,), value))) == value


def test_a_text_is_parsed_once_however_many_documents_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def pieces(text: str) -> Iterator[str]:
        parsed.append(text)
        return cut(text)

    cut = slicing._pieces
    monkeypatch.setattr(slicing, "_pieces", pieces)
    text = "---\n".join(f"kind: A{number}\n" for number in range(500))
    slicer = Slicer()
    assert [slicer.slice(text, (number,), {}) for number in (0, 7, 499)] == [
        "kind: A0\n",
        "kind: A7\n",
        "kind: A499\n",
    ]
    assert parsed == [text]
