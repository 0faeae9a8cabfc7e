"""Each document of a text on its own, as it was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.config import Document, Plain, parse_document, parse_documents
from meshext_controlplane.server.slicing import slice_document

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
    assert slice_document(TWO, (0,), first) == "# the first\nkind: A  # beside it\n"
    assert slice_document(TWO, (1,), second) == "# the second\nkind: B\nlist: [1,\n  2]\n"


@pytest.mark.parametrize("text", ['{"kind": "A"}', "\n\n{kind: A}", "--- {kind: A}", "---\nkind: A\n...\n"])
def test_one_document_is_the_whole_text(text: str) -> None:
    (value,) = parse_documents(Document(text))
    assert parse_document(Document(slice_document(text, (0,), value))) == {"kind": "A"}


def test_one_of_a_list_is_written_as_json() -> None:
    value: Plain = {"kind": "A", "name": "ö"}
    assert json.loads(slice_document("kind: List", (0, "items", 0), value)) == value


PLAIN = st.dictionaries(st.text("abc", min_size=1), st.integers() | st.text("ab: #-\n'\"{"), max_size=4)


@given(st.lists(PLAIN, min_size=1, max_size=4))
def test_what_is_cut_out_means_the_same(documents: list[dict[str, object]]) -> None:
    text = "\n---\n".join(json.dumps(each) for each in documents)
    values = parse_documents(Document(text))
    for number, value in enumerate(values):
        assert parse_document(Document(slice_document(text, (number,), value))) == value
