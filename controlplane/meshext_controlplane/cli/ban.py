"""`meshext ban`: an identity or one certificate gets nothing any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.identity.bans import Bans
    from meshext_controlplane.state.bans import BanRecord

Who = Annotated[
    list[str] | None,
    typer.Argument(metavar="WHO", help="spiffe://... or a serial number; without any, bans are listed."),
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="For those who look at the list later.")]
Lift = Annotated[bool, typer.Option("--lift", help="Take the ban back.")]
Json = Annotated[bool, typer.Option("--json", help="Print the list as JSON.")]

MISSING = 1
HEADINGS = ("WHO", "SINCE", "REASON")


def ban(
    who: Who = None,
    reason: Reason = "",
    lift: Lift = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Ban an identity or a certificate: its peers refuse it.

    It gets no configuration and no renewal any more. A running control plane acts on it within a second;
    sidecars then refuse new connections of the banned one, and answer 403 to an identity on open ones.

    A ban of an identity is for all its workloads and every certificate that they hold; one of a serial
    number is for that certificate, and whoever has no newer one has to join again.

    Ends with 1 where --lift finds no such ban.

    Examples:
      meshext ban spiffe://cluster.local/ns/shop/sa/web --reason "key in a public repository"
      meshext ban
      meshext ban --lift spiffe://cluster.local/ns/shop/sa/web
    """
    from meshext.cli.faults import UsageError
    from meshext_controlplane.identity.bans import Bans
    from meshext_controlplane.identity.facts import read_facts
    from meshext_controlplane.state.store import StateStore

    if lift and not who:
        raise UsageError("--lift needs to know whose ban; `meshext ban` lists them")
    with StateStore(state, create=False) as store:
        bans = Bans(store, read_facts(store))
        missing = [each for each in who or [] if not change(bans, each, reason, lift=lift)]
        found = bans.all()
    if missing:
        from meshext.cli.output import print_problem

        print_problem(f"not banned: {', '.join(missing)}")
        raise typer.Exit(MISSING)
    if not who or as_json:
        show(found, as_json=as_json)


def change(bans: Bans, who: str, reason: str, *, lift: bool) -> bool:
    """Set or lift one ban; False where there was none to lift."""
    if lift:
        return bans.lift(who)
    bans.add(who, reason=reason)
    return True


def show(found: list[BanRecord], *, as_json: bool) -> None:
    """All bans, the oldest first."""
    from meshext.cli.output import format_table, to_line
    from meshext_controlplane.identity.clock import from_seconds

    moments = [from_seconds(each.since) for each in found]
    if as_json:
        plain = [
            {"kind": each.kind, "value": each.value, "reason": each.reason, "since": moment.isoformat()}
            for each, moment in zip(found, moments, strict=True)
        ]
        print(json.dumps(plain, indent=2))
    elif not found:
        print("nobody is banned")
    else:
        rows = [
            (each.value, f"{moment:%Y-%m-%d %H:%M} UTC", to_line(each.reason))
            for each, moment in zip(found, moments, strict=True)
        ]
        print("\n".join(format_table([HEADINGS, *rows])))
