"""`meshext filters`: the verbs about filters that are installed."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from meshext.cli.filters_describe import describe
from meshext.cli.filters_list import list_filters
from meshext.cli.help import WIDTH, VerbCommand, keep_examples, write_params


class FiltersGroup(TyperGroup):
    """A group whose help looks as that of a verb."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The docstring; a paragraph that begins with `Example` keeps its lines."""
        self.help = keep_examples(self.help or "")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options, then the verbs."""
        write_params(self.get_params(ctx), formatter)
        with formatter.section("Verbs"):
            rows = [(name, self.commands[name].get_short_help_str(WIDTH)) for name in self.commands]
            formatter.write_dl(rows)


app = typer.Typer(cls=FiltersGroup, add_completion=False, rich_markup_mode=None)
app.command("list", cls=VerbCommand)(list_filters)
app.command("describe", cls=VerbCommand)(describe)


@app.callback(subcommand_metavar="VERB ...", options_metavar="", invoke_without_command=True)
def filters(context: typer.Context) -> None:
    """List the filters that are installed, describe one.

    Filters are found by the entry points `meshext.filters` of every installed distribution. The name of one
    can stand wherever a SPEC can.

    Examples:
      meshext filters list
      meshext filters describe ab-routing
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
