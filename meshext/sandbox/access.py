"""A line of our access log, for a person."""

from __future__ import annotations

import json
from typing import Any

from meshext.plan import DETAILS_NAMESPACE
from meshext.printable import format_log


def format_access(line: str, moment: float) -> str:
    """`12:00:00.123 info    access [request id] GET /path -> 200 (3 ms, upstream v1)`; other lines as text.

    `moment` is when the line was read, in seconds since 1970.
    """
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "status" not in entry:
        return format_log(moment, "info", "envoy", line)
    request = f"{entry.get('method') or '-'} {entry.get('path') or '-'}"
    text = f"{request} -> {entry['status']} ({notes(entry)})"
    return format_log(moment, "info", "access", text, request_id=str(entry.get("request_id") or ""))


def notes(entry: dict[str, Any]) -> str:
    """What is worth knowing beside the status."""
    found = [f"{entry.get('duration_ms')} ms"]
    metadata = {name: value for name, value in (entry.get("metadata") or {}).items() if value}
    # ext_authz has one word for every answer of a filter; the filter's own travel as metadata.
    own = metadata.pop(DETAILS_NAMESPACE, None) or {}
    details = str(own.get("details") or entry.get("details") or "")
    # The cluster is chosen before the filter; where the filter answered, nobody went there.
    if entry.get("upstream") and "upstream" in details:
        found.append(f"upstream {entry['upstream']}")
    if details not in ("", "via_upstream"):
        found.append(details)
    if metadata:
        found.append(json.dumps(metadata, separators=(",", ":")))
    return ", ".join(found)
