"""`meshext certs`: who holds what until when, and another root for all of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from meshext.cli.help import VerbCommand
from meshext_controlplane.cli.admin import DEFAULT_STATE, State
from meshext_controlplane.cli.rotate_jwt import rotate_jwt
from meshext_controlplane.cli.rotate_root import rotate_root
from meshext_controlplane.cli.verb_group import VerbGroup

if TYPE_CHECKING:
    from datetime import datetime

    from meshext_controlplane.identity.holdings import Holding, Holdings, JwtSigner, Standing

All = Annotated[bool, typer.Option("--all", help="Also certificates that were renewed and have not expired.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; every certificate is in it.")]

AUTHORITIES = ("AUTHORITY", "UNTIL", "LEFT", "SHA-256 OF THE CERTIFICATE")
SIGNERS = ("KEY OF TOKENS", "SIGNS FROM", "UNTIL", "STATE")
CERTIFICATES = ("IDENTITY", "UNTIL", "LEFT", "STATE", "SERIAL")


app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None)
app.command("rotate-root", cls=VerbCommand)(rotate_root)
app.command("rotate-jwt", cls=VerbCommand)(rotate_jwt)


@app.callback(subcommand_metavar="[VERB ...]", invoke_without_command=True)
def certs(
    context: typer.Context, everything: All = False, as_json: Json = False, state: State = DEFAULT_STATE
) -> None:
    """List who holds which certificate until when, and the authorities.

    A certificate is renewed by its holder at half its life; one with less than that left has a holder who
    does not come.

    Examples:
      meshext certs
      meshext certs --json | jq -r '.certificates[] | select(.banned) | .identity'
      meshext certs rotate-root
      meshext certs rotate-jwt
    """
    if context.invoked_subcommand is not None:
        return
    from meshext_controlplane.identity.clock import utc_now
    from meshext_controlplane.identity.holdings import read_holdings
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        found = read_holdings(store)
    now = utc_now()
    if as_json:
        print(json.dumps(to_plain(found), indent=2))
    else:
        show(found, now, everything=everything)


def show(found: Holdings, now: datetime, *, everything: bool) -> None:
    """The tables."""
    from meshext.cli.output import format_table

    authorities = [to_authority_row(each, now) for each in found.authorities]
    shown = [each for each in found.certificates if everything or each.newest]
    print("\n".join(format_table([AUTHORITIES, *authorities])))
    print()
    if found.signers:
        print("\n".join(format_table([SIGNERS, *(to_signer_row(each, now) for each in found.signers)])))
        print()
    if shown:
        print("\n".join(format_table([CERTIFICATES, *(to_row(each, now) for each in shown)])))
    else:
        print("nobody holds a certificate")


def to_authority_row(standing: Standing, now: datetime) -> tuple[str, ...]:
    """One authority."""
    from meshext_controlplane.cli.spans import format_span

    role = standing.role if standing.ours else f"{standing.role} (its key is elsewhere)"
    left = format_span(standing.not_after - now)
    return (role, f"{standing.not_after:%Y-%m-%d}", left, standing.fingerprint)


def to_signer_row(signer: JwtSigner, now: datetime) -> tuple[str, ...]:
    """One key that signs tokens."""
    standing = "next" if now < signer.begins else "signs" if now < signer.ends else "known"
    return (signer.id, f"{signer.begins:%Y-%m-%d %H:%M}", f"{signer.ends:%Y-%m-%d %H:%M}", standing)


def to_row(holding: Holding, now: datetime) -> tuple[str, ...]:
    """One certificate."""
    from meshext_controlplane.cli.spans import format_span

    standing = "banned" if holding.banned else "in use" if holding.newest else "renewed"
    until = f"{holding.not_after:%Y-%m-%d %H:%M}"
    return (holding.identity, until, format_span(holding.not_after - now), standing, holding.serial)


def to_plain(found: Holdings) -> dict[str, object]:
    """All of it for machines."""
    return {
        "authorities": [
            {
                "role": each.role,
                "subject": each.subject,
                "sha256": each.fingerprint,
                "notAfter": each.not_after.isoformat(),
                "ours": each.ours,
            }
            for each in found.authorities
        ],
        "jwtKeys": [
            {"id": each.id, "begins": each.begins.isoformat(), "ends": each.ends.isoformat()}
            for each in found.signers
        ],
        "certificates": [
            {
                "identity": each.identity,
                "serial": each.serial,
                "token": each.token,
                "issued": each.issued.isoformat(),
                "notAfter": each.not_after.isoformat(),
                "banned": each.banned,
                "newest": each.newest,
            }
            for each in found.certificates
        ],
    }
