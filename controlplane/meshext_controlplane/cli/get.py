"""`meshext get`: the documents that a control plane serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_proto.meshext import admin_pb2

Kind = Annotated[
    str, typer.Argument(metavar="[KIND]", help="Such as VirtualService; all without.", show_default=False)
]
Name = Annotated[
    str, typer.Argument(metavar="[NAME]", help="NAME or NAMESPACE/NAME: its text.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def get(kind: Kind = "", name: Name = "", json: Json = False, state: State = DEFAULT_STATE) -> None:
    """List the documents that the control plane serves, or print one as it was written.

    Kinds are found whatever their case, with or without an s. Exit code 1 where there is none.

    Example: meshext get virtualservices
    """
    from meshext_controlplane.cli.admin import AdminError, call
    from meshext_proto.meshext import admin_pb2

    look = call(state, "Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
    found = [each for each in look.documents if is_asked(each, kind, name)]
    if not found and (kind or name):
        asked = " ".join(part for part in (kind, name) if part)
        raise AdminError(f"{asked}: the control plane serves no such document; `meshext get` lists all")
    print_documents(found, json=json, whole=bool(name))


def is_asked(served: admin_pb2.LookReply.Served, kind: str, name: str) -> bool:
    """Whether a document is what was asked for."""
    kinds = {served.kind.lower(), f"{served.kind.lower()}s", f"{served.kind.lower().removesuffix('y')}ies"}
    names = {served.name, f"{served.namespace}/{served.name}"}
    return (not kind or kind.lower() in kinds) and (not name or name in names)


def print_documents(found: list[admin_pb2.LookReply.Served], *, json: bool, whole: bool) -> None:
    """A table, the texts themselves, or JSON."""
    from json import dumps

    from meshext.cli.output import format_table
    from meshext.printable import printable

    if json:
        print(dumps([to_plain(each) for each in found], indent=2))
    elif whole:
        print("\n---\n".join(each.text.content.rstrip("\n") for each in found))
    else:
        rows = [("KIND", "NAMESPACE", "NAME", "FROM")]
        rows += [(each.kind, each.namespace, each.name, printable(each.text.source)) for each in found]
        print("\n".join(format_table(rows)))


def to_plain(served: admin_pb2.LookReply.Served) -> dict[str, object]:
    """One document for machines."""
    return {
        "kind": served.kind,
        "namespace": served.namespace,
        "name": served.name,
        "source": served.text.source,
        "applied": served.applied,
        "text": served.text.content,
    }
