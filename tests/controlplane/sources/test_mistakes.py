"""Every mistake is refused with file, line, path, what was expected and a hint; the rest is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from meshext_controlplane.model.kinds import KINDS, PROGRAMS
from meshext_controlplane.sources.configuration import Configuration, merge
from meshext_controlplane.sources.places import Origin, Problem
from meshext_controlplane.sources.reading import Reading, read_bytes
from tests.controlplane.sources.documents import peer, read
from tests.controlplane.sources.gateway_mistakes import ENCODED, GATES, PRIVATE
from tests.controlplane.sources.mistakes import DOCUMENTS, TEXTS, WORKLOADS
from tests.controlplane.sources.traffic_mistakes import TRAFFIC

LONGEST = 300  # characters of an input that a golden file shows
ORIGIN = Origin("wrong.yaml", "", (0, "wrong.yaml", 0.0))
NEIGHBOUR = ("PeerAuthentication", "shop", "neighbour")

IN_FOLDER = {**DOCUMENTS, **TRAFFIC, **GATES}
GROUPS: dict[str, Mapping[str, str | bytes]] = {"texts": TEXTS, **IN_FOLDER, "workloads": WORKLOADS}
ONE_BY_ONE = [(group, name) for group, cases in GROUPS.items() for name in cases]


def to_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def read_case(group: str, name: str) -> Reading:
    """The text of a case in a file of its own."""
    kinds = PROGRAMS if group == "workloads" else KINDS
    return read_bytes(
        to_bytes(GROUPS[group][name]), Origin("wrong.yaml", "", (0, "wrong.yaml", 0.0)), kinds=kinds
    )


def settle(group: str, name: str) -> Configuration:
    """The case in a mesh with a good neighbour."""
    return merge([read_case(group, name), read("good.yaml", peer("neighbour"))])


def shown(group: str, name: str, problems: tuple[Problem, ...]) -> str:
    text = to_bytes(GROUPS[group][name]).decode("utf-8", "backslashreplace")
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}...\n"
    lines = "".join(f"    {line}".rstrip() + "\n" for line in short.splitlines() if line.isprintable())
    return f"{name}\n{lines}" + "".join(f"{problem}\n" for problem in problems)


@pytest.mark.parametrize("group", GROUPS)
def test_mistakes(group: str, golden: Callable[[str, str], None]) -> None:
    told = [shown(group, name, settle(group, name).problems) for name in GROUPS[group]]
    golden("\n".join(told), f"{group}.txt")


@pytest.mark.parametrize(("group", "name"), ONE_BY_ONE)
def test_a_mistake_says_where_and_what_to_write_and_leaves_the_rest_alone(group: str, name: str) -> None:
    found = settle(group, name)
    assert list(found.good) == [NEIGHBOUR]
    assert found.problems
    for problem in found.problems:
        assert problem.source == "wrong.yaml"
        assert problem.line > 0 or name == "huge"
        assert problem.hint
        assert str(problem).isprintable()
        assert len(str(problem)) < 800


@pytest.mark.parametrize(("group", "name"), [(g, n) for g, n in ONE_BY_ONE if g in IN_FOLDER])
def test_other_documents_of_the_same_text_are_taken(group: str, name: str) -> None:
    text = f"{peer('neighbour')}---\n{GROUPS[group][name]!s}"
    assert NEIGHBOUR in merge([read_bytes(text.encode(), ORIGIN)]).good


@pytest.mark.parametrize("name", GATES["secret"])
def test_what_a_secret_holds_is_never_told(name: str) -> None:
    told = "".join(map(str, settle("secret", name).problems))
    assert PRIVATE not in told
    assert ENCODED not in told
    assert "4711" not in told


def test_there_are_as_many_as_promised() -> None:
    assert len(ONE_BY_ONE) >= 60
