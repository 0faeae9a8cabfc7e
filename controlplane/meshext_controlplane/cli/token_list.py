"""`meshext token list` and `meshext token revoke`: what has been given out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from datetime import datetime

    from meshext_controlplane.state.tokens import TokenRecord

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `meshext token list` shows it.")]

HEADINGS = ("ID", "STATE", "IDENTITY", "LABELS", "PORTS")


def list_tokens(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """List tokens that may be used, and those whose workloads have certificates. Secrets are not kept.

    Example: meshext token list
    """
    from meshext.cli.output import format_table
    from meshext_controlplane.identity.facts import read_facts
    from meshext_controlplane.identity.tokens import Tokens
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        facts = read_facts(store)
        found = Tokens(facts, store).all()
    now = facts.clock()
    if as_json:
        print(json.dumps([to_plain(each, now) for each in found], indent=2))
    elif not found:
        print("no tokens; `meshext token create` makes one")
    else:
        print("\n".join(format_table([HEADINGS, *(to_row(each, now) for each in found)])))


def revoke(token_id: Id, state: State = DEFAULT_STATE) -> None:
    """Take a token back that was not used. One that was has become certificates: see `meshext ban`.

    Example: meshext token revoke 0123456789abcdef
    """
    from meshext_controlplane.identity.errors import TokenError
    from meshext_controlplane.identity.facts import read_facts
    from meshext_controlplane.identity.tokens import Tokens
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        gone = Tokens(read_facts(store), store).revoke(token_id)
    if not gone:
        raise TokenError(f"{token_id!r} is no token that could still be used; `meshext token list` has all")


def to_row(record: TokenRecord, now: datetime) -> tuple[str, ...]:
    """One line of the table."""
    from meshext.cli.output import to_line
    from meshext_controlplane.identity.limits import format_ports, from_json

    limits = from_json(record.limits)
    labels = ",".join(f"{name}={value}" for name, value in sorted(limits.labels.items())) or "none"
    standing = describe(record, now)
    return (record.id, standing, record.identity, to_line(labels), format_ports(limits.ports))


def describe(record: TokenRecord, now: datetime) -> str:
    """Whether it can still be used."""
    from meshext_controlplane.cli.spans import format_span
    from meshext_controlplane.identity.clock import from_seconds

    if record.used is not None:
        return f"used {format_span(now - from_seconds(record.used))} ago"
    left = from_seconds(record.expires) - now
    return f"good for {format_span(left)}" if left.total_seconds() > 0 else "expired"


def to_plain(record: TokenRecord, now: datetime) -> dict[str, object]:
    """One token for machines."""
    from meshext_controlplane.identity.clock import from_seconds
    from meshext_controlplane.identity.limits import format_ports, from_json

    limits = from_json(record.limits)
    return {
        "id": record.id,
        "identity": record.identity,
        "labels": dict(limits.labels),
        "ports": format_ports(limits.ports),
        "created": from_seconds(record.created).isoformat(),
        "expires": from_seconds(record.expires).isoformat(),
        "used": from_seconds(record.used).isoformat() if record.used is not None else None,
        "usable": record.used is None and from_seconds(record.expires) > now,
    }
