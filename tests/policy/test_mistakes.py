"""Every mistake has a message with file, line, path, the value, and what to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshext.config import Document
from meshext.errors import ConfigError
from meshext.policy.settings import Settings
from tests.policy.mistakes import HEAD, SPECS, WHOLE

CASES = {
    **{
        name: f"{HEAD}spec:\n" + "".join(f"  {line}\n" for line in spec.splitlines())
        for name, spec in SPECS.items()
    },
    **WHOLE,
}
LONGEST = 400  # characters of an input that a golden file shows


@pytest.mark.parametrize("name", CASES)
def test_mistake(name: str, golden: Callable[[str, str], None]) -> None:
    text = CASES[name]
    with pytest.raises(ConfigError) as refused:
        Settings.from_document(Document(text, "policy.yaml"))
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    told = "".join(f"# {line}\n" for line in str(refused.value).splitlines())
    golden(f"{shown.rstrip()}\n\n{told}", f"{name}.txt")


def test_there_are_as_many_as_promised() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_a_message_says_where_and_what_to_write(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_document(Document(CASES[name], "policy.yaml"))
    for problem in refused.value.problems:
        assert len(problem) < 700
        assert problem.isprintable()
        assert ";" in problem or ":" in problem


def test_all_mistakes_are_told_in_one_go_and_by_line() -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_document(Document(CASES["several"], "policy.yaml"))
    lines = [int(problem.split()[1].rstrip(":")) for problem in refused.value.problems]
    assert lines == sorted(lines)
    assert len(lines) == 4


def test_at_most_a_hundred_mistakes_are_told() -> None:
    text = f"{HEAD}spec: {{rules: [{'{a: b}, ' * 300}]}}"
    with pytest.raises(ConfigError) as refused:
        Settings.from_document(Document(text, "policy.yaml"))
    assert len(refused.value.problems) == 101
    assert refused.value.problems[-1] == "and 200 more mistakes"
