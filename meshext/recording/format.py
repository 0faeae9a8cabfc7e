"""An exchange as one line of JSON; the keys are told in `meshext.recording`."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from typing import Any

from meshext.http.additions import Additions
from meshext.http.context import AttributeValue
from meshext.http.headers import Lines
from meshext.http.parts import HeaderChange
from meshext.recording.exchange import (
    Answered,
    Body,
    Change,
    Decision,
    HookRuns,
    Message,
    Recorded,
    Served,
)
from meshext.recording.redaction import Redacted

VERSION = 1
VERSION_KEY = "recording"
BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Plain = dict[str, Any]


def to_line(recorded: Recorded) -> bytes:
    """The exchange as one line, ASCII, with its line end."""
    return json.dumps(to_plain(recorded), separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def to_plain(recorded: Recorded) -> Plain:
    """The exchange as JSON has it."""
    peer = recorded.peer
    plain: Plain = {
        VERSION_KEY: VERSION,
        "time": recorded.time,
        "id": recorded.request_id,
        "mode": recorded.mode,
        "seconds": recorded.seconds,
        "served": served_to_plain(recorded.served),
        "peer": {"principal": peer.principal, "address": peer.address, "tls": peer.tls},
        "client_address": recorded.client_address,
        "route": recorded.route,
        "cluster": recorded.cluster,
        "request": message_to_plain(recorded.request),
    }
    if recorded.response is not None:
        plain["response"] = message_to_plain(recorded.response)
    plain["decision"] = decision_to_plain(recorded.decision)
    return plain


def served_to_plain(served: Served) -> Plain:
    """Who decided."""
    return {
        "specs": list(served.specs),
        "config": served.config,
        "filters": list(served.filters),
        "attributes": list(served.attributes),
        "metadata": list(served.metadata),
        "redacted": list(served.redacted),
    }


def message_to_plain(message: Message) -> Plain:
    """A request or a response."""
    plain: Plain = {"headers": lines_to_plain(message.lines)}
    if message.body is not None:
        plain["body"] = body_to_plain(message.body)
    if message.trailers is not None:
        plain["trailers"] = lines_to_plain(message.trailers)
    if message.attributes:
        plain["attributes"] = {name: attribute_to_plain(value) for name, value in message.attributes.items()}
    if message.metadata:
        plain["metadata"] = finite(message.metadata)
    return plain


def decision_to_plain(decision: Decision) -> Plain:
    """What the filters did; parts that say nothing are left out."""
    answer = decision.answer
    parts: Plain = {
        "filter": decision.filter,
        "request": change_to_plain(decision.request),
        "response": change_to_plain(decision.response),
        "additions": [additions_to_plain(additions) for additions in decision.additions],
        "answer": None if answer is None else answer_to_plain(answer),
        "reset": decision.reset,
        "metadata": finite(decision.metadata),
        "hooks": [hook_to_plain(runs) for runs in decision.hooks],
    }
    always = {"outcome": decision.outcome, "sent": decision.sent}
    return always | {name: part for name, part in parts.items() if part}


def change_to_plain(change: Change) -> Plain:
    """What became of a message; empty where nothing did."""
    plain: Plain = {}
    for name, headers in (("headers", change.headers), ("trailers", change.trailers)):
        if headers:
            plain[name] = header_change_to_plain(headers)
    if change.body is not None:
        plain["body"] = body_to_plain(change.body)
    return plain


def header_change_to_plain(change: HeaderChange) -> Plain:
    """Names that are gone, and the whole list of values for each name that is set."""
    replace = [[name, [bytes_to_plain(value) for value in values]] for name, values in change.replace]
    return {"remove": list(change.remove), "set": replace}


def additions_to_plain(additions: Additions) -> Plain:
    """What one filter puts on the response."""
    lines, replaced = additions
    return {"add": lines_to_plain(lines), "replace": sorted(replaced)}


def answer_to_plain(answer: Answered) -> Plain:
    """What the client got instead."""
    return {
        "status": answer.status,
        "headers": lines_to_plain(answer.lines),
        "body": body_to_plain(answer.body),
        "details": answer.details,
    }


def hook_to_plain(runs: HookRuns) -> Plain:
    """All runs of one hook."""
    plain = {"filter": runs.filter, "hook": runs.hook, "runs": runs.runs, "seconds": runs.seconds}
    return plain | ({"failed": [list(failure) for failure in runs.failed]} if runs.failed else {})


def lines_to_plain(lines: Lines) -> list[list[object]]:
    """Header lines as pairs, in order."""
    return [[name, bytes_to_plain(value)] for name, value in lines]


def body_to_plain(body: Body) -> Plain:
    """A body: its size and as much of it as was kept."""
    plain: Plain = {"size": body.size}
    text = None if BINARY.search(body.data) else to_text(body.data)
    plain |= {"base64": to_base64(body.data)} if text is None else {"text": text}
    if body.chunks is not None:
        plain["chunks"] = list(body.chunks)
    return plain | ({"more": True} if body.more else {})


def bytes_to_plain(value: bytes) -> object:
    """A header's value: text where it is UTF-8."""
    if isinstance(value, Redacted):
        return {"redacted": True}
    text = to_text(value)
    return {"base64": to_base64(value)} if text is None else text


def attribute_to_plain(value: AttributeValue) -> object:
    """An attribute's value; numbers that JSON does not have become null."""
    if isinstance(value, bytes):
        return {"bytes": to_base64(value)}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def finite(value: Any) -> Any:
    """Metadata; numbers that JSON does not have become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value


def to_text(raw: bytes) -> str | None:
    """The text of UTF-8 bytes; None for others."""
    try:
        return raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None


def to_base64(raw: bytes) -> str:
    """By RFC 4648 section 4."""
    return b64encode(raw).decode("ascii")
