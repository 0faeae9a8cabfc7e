"""Options of `meshext sidecar` for the SPIFFE Workload API: where it is, and who may use it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext.errors import ConfigError

if TYPE_CHECKING:
    from meshext_controlplane.agent.options import SidecarOptions
    from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions

PANEL = "Workload API"
OFF = "off"
SOURCE, USERS = "--workload-api", "--workload-api-user"
_MOST = 2**32 - 1  # what no user has as a number

_PATH = typer.Option(
    SOURCE,
    metavar="PATH",
    help="Socket of the SPIFFE Workload API, which the application finds by $SPIFFE_ENDPOINT_SOCKET, or"
    f" `{OFF}`. [default: workload.sock in --data; a gateway has none]",
    rich_help_panel=PANEL,
)
_USER = typer.Option(
    USERS,
    metavar="USER",
    help="Who may use it beside the sidecar's own user, by name or number. Repeat it.",
    rich_help_panel=PANEL,
)
OPTIONS = (
    Parameter("workload_api", Parameter.KEYWORD_ONLY, default="", annotation=Annotated[str, _PATH]),
    Parameter(
        "workload_api_user",
        Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, _USER],
    ),
)
"""The options as parameters of a verb."""


def read_workload_api(given: Mapping[str, Any], data: Path) -> WorkloadApiOptions | None:
    """What is asked for, with `data` as the sidecar's folder; None where there shall be none.

    ConfigError lists all that is wrong.
    """
    from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions
    from meshext_controlplane.agent.workload_api.socket_file import LONGEST, NAME

    path, users = given["workload_api"], parse_users(given["workload_api_user"] or ())
    found = Path(os.path.abspath(path or data / NAME))
    if users and (path == OFF or found.is_relative_to(os.path.abspath(data))):
        raise ConfigError(
            [f"give {SOURCE} PATH too, outside of --data, which is closed to other users"], source=USERS
        )
    if path == OFF or (given["gateway"] and not path):
        return None
    if path and len(os.fsencode(found)) > LONGEST:
        raise ConfigError([f"{path[:80]!r} is too long for a socket: at most {LONGEST} bytes"], source=SOURCE)
    return WorkloadApiOptions(path=found, users=users)


def parse_users(words: Sequence[str]) -> tuple[int, ...]:
    """Users by name or number; ConfigError names each that there is not."""
    found, problems = [], []
    for word in words:
        if word.isascii() and word.isdigit() and len(word) <= 10 and int(word) < _MOST:
            found.append(int(word))
            continue
        try:
            found.append(pwd.getpwnam(word).pw_uid)
        except (KeyError, ValueError):
            problems.append(f"{word[:40]!r} is no user here; write a name or a number, as in 1000")
    if problems:
        raise ConfigError(problems, source=USERS)
    return tuple(sorted(set(found)))


def listen_early(options: SidecarOptions, user: int) -> SidecarOptions:
    """The same with the API's socket made for that user while we are root: its folder may be closed to him.

    Nothing is made in the sidecar's own folder, which nobody holds yet.
    """
    from meshext_controlplane.agent.workload_api.socket_file import listen

    api = options.workload_api
    if api is None or api.path.is_relative_to(os.path.abspath(options.data)):
        return options
    made = listen(api.path, users=api.users, owner=user)
    return replace(options, workload_api=replace(api, listening=made))
