"""What the command line tells those who ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Golden = Callable[[str, str], None]

VERB = '''
import typer

def greet(name: str = "you") -> None:
    """Greet somebody."""
    print(f"hello {name}")
    raise typer.Exit(3)

app = typer.Typer(help="A group.")
app.command("one")(greet)

@app.command()
def two() -> int:
    """The second."""
    return 4
'''


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_first_page(arguments: list[str], meshext: Run, golden: Golden) -> None:
    ended = meshext(*arguments)
    assert (ended.code, ended.err) == (0, "")
    golden(ended.out.rstrip("\n") + "\n", "meshext.txt")


@pytest.mark.parametrize("verb", ["new", "check", "config", "explain", "filters"])
def test_the_page_of_a_verb(verb: str, meshext: Run, golden: Golden) -> None:
    ended = meshext(verb, "--help")
    assert ended.code == 0
    golden(ended.out, f"{verb}.txt")


@pytest.mark.parametrize("verb", ["new", "run", "check", "filters", "serve", "replay", "config", "profile"])
def test_every_verb_has_an_example(verb: str, meshext: Run) -> None:
    ended = meshext(verb, "--help")
    assert ended.code == 0
    assert f"meshext {verb} " in ended.out.partition("Example")[2]


def test_the_version(meshext: Run) -> None:
    assert meshext("--version").out == f"meshext {version('meshext')}\n"


def test_a_verb_of_another_distribution(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.commands", "greet", "greeting:greet", VERB)
    assert re.search(r"^  greet +Greet somebody\.$", meshext("--help").out, re.MULTILINE)
    ended = meshext("greet", "--name", "Ann")
    assert (ended.code, ended.out) == (3, "hello Ann\n")
    assert meshext("greet", "--nam", "Ann").err.endswith("try 'meshext greet --help'\n")


def test_a_group_of_another_distribution(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.commands", "group", "greeting:app", VERB)
    assert meshext("group", "one", "--name", "Bob").out == "hello Bob\n"
    assert meshext("group", "two").code == 4


def test_ours_can_not_be_replaced(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.commands", "check", "greeting:greet", VERB)
    assert "--json" in meshext("check", "--help").out


def test_a_verb_that_does_not_load_is_named(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.commands", "greet", "greeting:greet", "import nowhere_to_be_found\n")
    assert "verb 'greet' of stranger does not load" in meshext("--help").out
    ended = meshext("greet")
    assert ended.code == 2
    assert ended.err.startswith(
        "meshext: verb 'greet' of stranger does not load: ModuleNotFoundError: No module named "
    )
    assert meshext("check", "policies.py:Hello").code == 0
