"""What the echo service answers to a request, without I/O; `meshext.envoy.echo` says it for people."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

import h11

MAX_BODY = 67_108_864  # bytes, both ways
MAX_DELAY = 60_000  # milliseconds

_OURS = {"content-length", "transfer-encoding", "connection"}  # they frame the message
_DO = re.compile(r"/(status|bytes|delay)/([0-9]{1,12})")

Pairs = list[tuple[str, str]]


class Lines(Protocol):
    """The headers of an h11 event, whose class is not public."""

    def raw_items(self) -> list[tuple[bytes, bytes]]:
        """Every line, names spelled as received."""
        ...


@dataclass(slots=True, kw_only=True)
class Answer:
    """What will be answered: a status, headers beside our own, a body, and trailers if it is chunked."""

    status: int = 200
    headers: Pairs
    body: bytes = b""
    fill: int = 0  # bytes of filling after `body`
    trailers: Pairs | None = None
    delay: float = 0.0  # seconds


def to_echo(name: str, request: h11.Request, body: bytes, trailers: Pairs) -> dict[str, object]:
    """What the service called `name` says about a request, ready for JSON."""
    target = to_text(request.target)
    path, _, query = target.partition("?")
    host = next((value for name, value in request.headers if name == b"host"), b"")
    echo: dict[str, object] = {
        "upstream": name,
        "method": to_text(request.method),
        "target": target,
        "path": path,
        "query": query,
        "host": to_text(host),
        "headers": to_pairs(request.headers),
    }
    try:
        echo["body"] = body.decode("utf-8")
    except UnicodeDecodeError:
        echo |= {"body": base64.b64encode(body).decode("ascii"), "body_base64": True}
    return echo | {"trailers": trailers}


def build_answer(target: str, echo: dict[str, object]) -> Answer:
    """The answer to that request target: the echo, changed as the paths for trying things ask."""
    path, _, query = target.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    given = pairs if path == "/headers" else []
    if illegal := [name for name, _ in given if name.lower() in _OURS]:
        body = json.dumps({"error": f"these headers are the server's own: {', '.join(illegal)}"})
        return Answer(status=400, headers=[("content-type", "application/json")], body=body.encode())
    headers = list(given)
    if not any(name.lower() == "content-type" for name, _ in given):
        headers.insert(0, ("content-type", "application/json"))
    answer = Answer(headers=headers, body=json.dumps(echo).encode() + b"\n")
    if path == "/trailers":
        answer.trailers = pairs or [("x-echo-trailer", "end")]
    if found := _DO.fullmatch(path):
        _change(answer, found[1], int(found[2]))
    return answer


def _change(answer: Answer, what: str, number: int) -> None:
    """What `/status/CODE`, `/bytes/N` and `/delay/MILLISECONDS` make of the plain echo."""
    if what == "status" and 200 <= number <= 599:
        answer.status = number
        if number == 205:  # has no content, https://www.rfc-editor.org/rfc/rfc9110#section-15.3.6
            answer.body = b""
    elif what == "bytes" and number <= MAX_BODY:
        answer.headers = [("content-type", "application/octet-stream")]
        answer.body, answer.fill = b"", number
    elif what == "delay" and number <= MAX_DELAY:
        answer.delay = number / 1000


def to_text(raw: bytes) -> str:
    """Each byte as the character of the same number, so that all survive JSON."""
    return raw.decode("latin-1")


def to_pairs(headers: Lines) -> Pairs:
    """The lines of an h11 event as text."""
    return [(to_text(name), to_text(value)) for name, value in headers.raw_items()]


def from_pairs(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    """The inverse of `to_pairs`, for h11."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
