"""The query: decoded for reading, raw wherever nobody wrote."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from meshext import Query
from meshext.http.query import decode_pair


class Owner:
    def __init__(self, target: str) -> None:
        self.target = target

    def read_target(self) -> str:
        return self.target

    def write_target(self, target: str) -> None:
        self.target = target


PIECES = st.text("ab=%+2&0/?.", max_size=5)
TARGETS = st.lists(PIECES, max_size=5).map(lambda pieces: "/p" + ("?" + "&".join(pieces) if pieces else ""))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.just("caf\udce9")


def pieces(owner: Owner) -> list[str]:
    return owner.target.partition("?")[2].split("&")


@given(TARGETS)
def test_reads_as_forms_are_read(target: str) -> None:
    query = target.partition("?")[2]
    expected = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    assert Query(Owner(target)).items() == expected


@given(TARGETS, TEXTS, TEXTS)
def test_set_writes_through_and_keeps_other_bytes(target: str, name: str, value: str) -> None:
    owner = Owner(target)
    before = pieces(owner)
    Query(owner)[name] = value
    assert Query(owner)[name] == value
    assert Query(owner).get_all(name) == [value]
    others = [piece for piece in before if decode_pair(piece)[0] != name]
    after = [piece for piece in pieces(owner) if decode_pair(piece)[0] != name]
    assert [piece for piece in after if piece] == [piece for piece in others if piece]


@given(TARGETS, TEXTS, TEXTS)
def test_add_appends(target: str, name: str, value: str) -> None:
    owner = Owner(target)
    before = Query(owner).items()
    Query(owner).add(name, value)
    assert Query(owner).items() == [*before, (name, value)]
    assert owner.target.startswith(target)


@given(TARGETS)
def test_removing_all_leaves_the_path(target: str) -> None:
    owner = Owner(target)
    query = Query(owner)
    for name in list(query):
        del query[name]
    assert query.items() == []
    assert len(query) == 0
    assert owner.target.partition("?")[0] == "/p"


def test_order_and_places() -> None:
    owner = Owner("/p?a=1&b=%20&a=2&c")
    query = Query(owner)
    query["a"] = "x y"
    assert owner.target == "/p?a=x%20y&b=%20&c"
    query["new"] = "\u20ac&="
    assert owner.target == "/p?a=x%20y&b=%20&c&new=%E2%82%AC%26%3D"
    del query["none"]
    assert list(query) == ["a", "b", "c", "new"]
