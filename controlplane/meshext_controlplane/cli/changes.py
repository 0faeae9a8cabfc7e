"""What an edit changes, as a person or a program reads it."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from meshext.cli.output import heading, print_problem, print_warning
from meshext.printable import printable
from meshext_proto.meshext import admin_pb2

SIGNS = {"CREATED": "+", "CHANGED": "~", "REMOVED": "-", "UNCHANGED": "="}
MOST_PROXIES = 3  # named in one line


def print_reply(reply: admin_pb2.ApplyReply, *, json: bool, dry_run: bool) -> int:
    """Print it; the exit code: 1 where there are mistakes."""
    if json:
        print(json_text.dumps(to_json(reply, dry_run=dry_run), indent=2))
        return 1 if reply.problems else 0
    for problem in reply.problems:
        print_problem(problem)
    for warning in reply.warnings:
        print_warning(warning)
    if reply.problems:
        print("nothing was changed", file=sys.stderr)
        return 1
    for line in change_lines(reply):
        print(line)
    if dry_run:
        print("dry run: nothing was changed", file=sys.stderr)
    return 0


def change_lines(reply: admin_pb2.ApplyReply) -> Iterator[str]:
    """Documents, then what that means for proxies."""
    yield from told(reply.documents)
    if reply.resources:
        yield ""
        yield heading("Envoy's resources")
        yield from told(reply.resources)


def told(changes: Iterable[admin_pb2.Change]) -> Iterator[str]:
    """One line for each change, its diff under it."""
    for change in changes:
        kind = admin_pb2.Change.Kind.Name(change.kind)
        yield printable(f"{SIGNS[kind]} {change.what} {kind.lower()}{audience(change)}")
        yield from (f"    {printable(line)}" for line in change.diff.splitlines())


def audience(change: admin_pb2.Change) -> str:
    """For whom a change is."""
    if not change.proxies:
        return ""
    named = ", ".join(change.proxies[:MOST_PROXIES])
    more = len(change.proxies) - MOST_PROXIES
    return f" for {named}" + (f" and {more} more" if more > 0 else "")


def to_json(reply: admin_pb2.ApplyReply, *, dry_run: bool) -> dict[str, Any]:
    """The whole answer."""
    return {
        "dry_run": dry_run,
        "changed": not dry_run and not reply.problems,
        "documents": [to_plain(change) for change in reply.documents],
        "resources": [to_plain(change) for change in reply.resources],
        "problems": list(reply.problems),
        "warnings": list(reply.warnings),
    }


def to_plain(change: admin_pb2.Change) -> dict[str, Any]:
    """One change."""
    return {
        "change": admin_pb2.Change.Kind.Name(change.kind).lower(),
        "what": change.what,
        "diff": change.diff,
        "proxies": list(change.proxies),
    }
