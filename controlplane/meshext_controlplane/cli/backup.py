"""`meshext backup` and `meshext restore`: a copy of the state, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.state.backup import Contents

Target = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="What `meshext backup` has written.")]
Check = Annotated[bool, typer.Option("--check", help="Only say whether the file is whole and what it holds.")]
Force = Annotated[
    bool, typer.Option("--force", help="Also where there is a state; it stays beside the new one.")
]


def backup(file: Target, state: State = DEFAULT_STATE) -> None:
    """Copy the control plane's state to a file, also while it runs.

    The copy is that of one moment, checked, and readable for you alone. It holds the authority's private
    keys, encrypted where the control plane has a --secret-file; else keep it as you would keep those
    keys.

    Example: meshext backup /backups/mesh-monday.db
    """
    from meshext_controlplane.state.backup import back_up
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        contents = back_up(store, file)
    print(f"{file}: {describe(contents)}")


def restore(file: Source, check: Check = False, force: Force = False, state: State = DEFAULT_STATE) -> None:
    """Put a backup into the place of the state. The control plane must not run meanwhile.

    Sidecars go on with what they have, and come back to the control plane by themselves. What happened after
    the backup is not known any more: a workload that joined since has to join again before it can register,
    and bans have to be set again.

    Examples:
      meshext restore /backups/mesh-monday.db --check
      meshext restore /backups/mesh-monday.db --state /var/lib/meshext
    """
    from meshext_controlplane.state.backup import check_backup, restore

    contents = check_backup(file) if check else restore(file, state, replace=force)
    print(f"{file if check else state}: {describe(contents)}")


def describe(contents: Contents) -> str:
    """How much there is of what, in one line."""
    return ", ".join(f"{number} {table}" for table, number in contents.rows.items())
