"""`meshext delete`: take back a document that was applied."""

from __future__ import annotations

from typing import Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

Kind = Annotated[str, typer.Argument(metavar="KIND", help="Such as VirtualService.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="NAME or NAMESPACE/NAME.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def delete(
    kind: Kind, name: Name, dry_run: DryRun = False, json: Json = False, state: State = DEFAULT_STATE
) -> None:
    """Take back a document that was applied; one in the control plane's folder is removed there.

    Exit code 0 done, 1 there is none, or others still need it.

    Example: meshext delete VirtualService shop/reviews
    """
    from meshext_controlplane.cli.admin import call
    from meshext_controlplane.cli.changes import print_reply
    from meshext_proto.meshext import admin_pb2

    namespace, _, bare = name.rpartition("/")
    request = admin_pb2.DeleteRequest(kind=kind, namespace=namespace or "default", name=bare, dry_run=dry_run)
    reply = call(state, "Delete", request, admin_pb2.ApplyReply)
    raise typer.Exit(print_reply(reply, json=json, dry_run=dry_run))
