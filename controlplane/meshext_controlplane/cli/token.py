"""`meshext token`: what a workload joins the mesh with."""

from __future__ import annotations

import typer

from meshext.cli.help import VerbCommand
from meshext_controlplane.cli.token_create import create
from meshext_controlplane.cli.token_list import list_tokens, revoke
from meshext_controlplane.cli.verb_group import VerbGroup

app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None)
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
