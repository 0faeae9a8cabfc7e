"""`meshext token`: what a workload joins the mesh with."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from meshext.cli.help import WIDTH, VerbCommand, keep_examples, write_params
from meshext_controlplane.cli.token_create import create
from meshext_controlplane.cli.token_list import list_tokens, revoke


class TokenGroup(TyperGroup):
    """A group whose help looks as that of a verb."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The docstring; a paragraph that begins with `Example` keeps its lines."""
        self.help = keep_examples(self.help or "")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options, then the verbs."""
        write_params(self.get_params(ctx), formatter)
        with formatter.section("Verbs"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(WIDTH)) for name in self.commands]
            )


app = typer.Typer(cls=TokenGroup, add_completion=False, rich_markup_mode=None)
app.command("create", cls=VerbCommand)(create)
app.command("list", cls=VerbCommand)(list_tokens)
app.command("revoke", cls=VerbCommand)(revoke)


@app.callback(subcommand_metavar="VERB ...", options_metavar="", invoke_without_command=True)
def token(context: typer.Context) -> None:
    """Make, list and take back the tokens that workloads join with.

    A token is for one workload and for one time. It says who the workload will be: its namespace, its
    service account, its labels, and the ports that it may serve.

    Examples:
      meshext token create --namespace shop --service-account web --labels app=web --ports 8080
      meshext token list
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
