"""The group of verbs: names are known at once, a verb is loaded only when it is used."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from meshext.cli.faults import UsageError
from meshext.cli.help import WIDTH, write_params
from meshext.cli.verbs import VERBS, AnyCommand, find_plugin_verbs, load_verb
from meshext.errors import MeshextError

EPILOG = """\b
Begin with a filter of your own:
  meshext new my-filter
  cd my-filter
  meshext run my_filter.py --try

'meshext VERB --help' has an example of each. With MESHEXT_DEBUG=1 errors come with their traceback."""


class VerbGroup(TyperGroup):
    """Typer's group over the table of verbs and the entry points."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        """Ours first, then those of other distributions."""
        return [*(verb.name for verb in VERBS), *self.plugins()]

    def get_command(self, ctx: Any, cmd_name: str) -> AnyCommand | None:  # noqa: ARG002  # typer's signature
        """The verb, loaded."""
        return load_verb(cmd_name, self.plugins())

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, AnyCommand | None, list[str]]:
        """The verb on the command line; UsageError names the nearest one."""
        command = self.get_command(ctx, args[0])
        if command is None:
            raise unknown_verb(args[0], self.list_commands(ctx))
        return args[0], command, args[1:]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options as verbs have them, then the verbs."""
        write_params(self.get_params(ctx), formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # typer's signature
        """The verbs with a line of help each; ours are not loaded for it."""
        rows = [(verb.name, verb.help) for verb in VERBS]
        rows += [(name, self.plugin_help(name)) for name in self.plugins()]
        with formatter.section("Verbs"):
            formatter.write_dl(rows)

    def plugins(self) -> dict[str, EntryPoint]:
        """Verbs of other distributions."""
        return find_plugin_verbs()

    def plugin_help(self, name: str) -> str:
        """A line of help for a verb of another distribution; why, where it does not load."""
        try:
            command = load_verb(name, self.plugins())
        except MeshextError as error:
            return f"({error})"
        return command.get_short_help_str(WIDTH) if command else ""


def build_verb_group() -> TyperGroup:
    """The command `meshext`."""
    app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None)
    app.callback(
        invoke_without_command=True,
        subcommand_metavar="VERB ...",
        options_metavar="",
        epilog=EPILOG,
        context_settings={"max_content_width": WIDTH, "help_option_names": ["-h", "--help"]},
    )(meshext)
    return cast(TyperGroup, get_command(app))


def meshext(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    """Envoy policy in Python: one filter class in a test, beside Envoy and in front of your service."""
    if version:
        from importlib.metadata import version as version_of

        print(f"meshext {version_of('meshext')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def unknown_verb(name: str, known: list[str]) -> UsageError:
    """The error for a word that is no verb."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the verbs are {', '.join(known)}"
    return UsageError(f"{name!r} is not a verb; {hint}")
