"""`meshext certs rotate-jwt`: the next key for tokens, before its time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

Secret = Annotated[
    Path | None, typer.Option("--secret-file", metavar="FILE", help="As the control plane has it.")
]
Revoke = Annotated[
    bool, typer.Option("--revoke", help="Make new keys and forget all others: their tokens are refused.")
]


def rotate_jwt(revoke: Revoke = False, secret_file: Secret = None, state: State = DEFAULT_STATE) -> None:
    """Let the next key sign JWT-SVIDs from now on; this happens by itself once a day.

    Every sidecar knows the next key already, and the last one for an hour more: no token is refused.

    After a theft of a key use --revoke: sidecars refuse all tokens of before within seconds, and applications
    that ask for another get one of a new key.

    Examples:
      meshext certs rotate-jwt
      meshext certs rotate-jwt --revoke
    """
    from meshext_controlplane.cli.controlplane import read_secret
    from meshext_controlplane.identity.facts import read_facts
    from meshext_controlplane.identity.jwt_authority import open_jwt_authority
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        secret = read_secret(secret_file) if secret_file else None
        open_jwt_authority(store, read_facts(store), secret=secret).rotate(revoke=revoke)
    print("there are new keys, and no others" if revoke else "the next key signs")
