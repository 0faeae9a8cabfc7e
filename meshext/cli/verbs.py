"""The verbs of the command line: ours as a table, those of other distributions by entry point.

A verb is a function that typer can make a command of, or a `typer.Typer` app. Another distribution adds one
by the entry point group `meshext.commands`, name and object. It is loaded for `meshext --help` too, since
that shows the first line of its docstring: what is heavy belongs inside the function.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from meshext.cli.help import VerbCommand
from meshext.errors import MeshextError

GROUP = "meshext.commands"

AnyCommand = TyperCommand | TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """One of our verbs: where its function is (`module:function`), and what it does in one line."""

    name: str
    target: str
    help: str


VERBS = (
    Verb("new", "meshext.cli.new:new", "Make a project of your own: a filter, its tests, a README."),
    Verb("run", "meshext.cli.run:run", "Start the real Envoy with filters in front of an upstream."),
    Verb(
        "check",
        "meshext.cli.check:check",
        "Say which runtimes carry filters; check a running mesh.",
    ),
    Verb("filters", "meshext.cli.filters:app", "List the filters that are installed, describe one."),
    Verb("serve", "meshext.cli.serve:serve", "Serve filters to an Envoy that is already there."),
    Verb(
        "replay", "meshext.cli.replay:replay", "Send recorded exchanges through filters, compare decisions."
    ),
    Verb("config", "meshext.cli.config:config", "Print the configuration that Envoy needs for filters."),
    Verb("explain", "meshext.cli.explain:explain", "Say why policies allow or deny a request."),
    Verb("profile", "meshext.cli.profile:profile", "Write a flame graph of a running service."),
)
"""In the order in which a person meets them."""


def find_plugin_verbs() -> dict[str, EntryPoint]:
    """Verbs of other distributions by name; one of ours is never replaced."""
    ours = {verb.name for verb in VERBS}
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return {point.name: point for point in found if point.name not in ours}


def load_verb(name: str, plugins: Mapping[str, EntryPoint]) -> AnyCommand | None:
    """The command of that name, None where there is none; MeshextError where a plugin's does not load."""
    for verb in VERBS:
        if verb.name == name:
            module, _, function = verb.target.partition(":")
            return to_command(name, getattr(importlib.import_module(module), function))
    if name not in plugins:
        return None
    try:
        return to_command(name, plugins[name].load())
    except MeshextError:
        raise
    except Exception as error:
        raise broken_plugin(f"verb {name!r}", plugins[name], error) from error


def broken_plugin(what: str, point: EntryPoint, error: Exception) -> MeshextError:
    """The error for an entry point that does not load, naming the distribution it came from."""
    owner = point.dist.name if point.dist else "an unknown distribution"
    reason = f"{type(error).__name__}: {error}"
    return MeshextError(
        f"{what} of {owner} does not load: {reason}; python3 -m pip install --upgrade {owner}, or remove it"
    )


def to_command(name: str, given: object) -> AnyCommand:
    """A command from what an entry point may name: a function, a `typer.Typer` app, or a command."""
    if isinstance(given, TyperCommand | TyperGroup):
        return given
    if isinstance(given, Typer):
        return cast(AnyCommand, get_command(given))
    if not callable(given):
        raise TypeError(f"{given!r} is not a function and not a typer.Typer app")
    app = Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=VerbCommand)(cast("Callable[..., Any]", given))
    return cast(AnyCommand, get_command(app))
