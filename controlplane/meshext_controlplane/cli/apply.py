"""`meshext apply`: give documents to a running control plane."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_proto.meshext import admin_pb2

STDIN = "standard input"

Files = Annotated[
    list[str],
    typer.Option("--file", "-f", metavar="PATH", help="A file, a folder of them, or - for standard input."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def apply(file: Files, dry_run: DryRun = False, json: Json = False, state: State = DEFAULT_STATE) -> None:
    """Give documents to the control plane, which stores and serves them.

    All or nothing: one mistake, and nothing is changed. With --dry-run it tells which documents and which of
    Envoy's resources would change, with a diff of each. Exit code 0 done, 1 refused.

    Example: meshext apply -f reviews.yaml --dry-run
    """
    from meshext_controlplane.cli.admin import call
    from meshext_controlplane.cli.changes import print_reply
    from meshext_proto.meshext import admin_pb2

    request = admin_pb2.ApplyRequest(texts=read_texts(file), dry_run=dry_run)
    reply = call(state, "Apply", request, admin_pb2.ApplyReply)
    raise typer.Exit(print_reply(reply, json=json, dry_run=dry_run))


def read_texts(names: list[str]) -> list[admin_pb2.Text]:
    """The texts of files, folders and standard input; ConfigError where one can not be read."""
    from meshext.config import read_config
    from meshext.config.documents import decode_text
    from meshext_proto.meshext import admin_pb2

    texts = []
    for name in names:
        if name == "-":
            content = decode_text(sys.stdin.buffer.read(), STDIN)
            texts.append(admin_pb2.Text(source=STDIN, content=content))
            continue
        for path in find_files(Path(name)):
            texts.append(admin_pb2.Text(source=str(path), content=read_config(str(path)).text))
    return texts


def find_files(path: Path) -> list[Path]:
    """The file itself, or the documents in a folder."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.suffix in (".yaml", ".yml", ".json"))
