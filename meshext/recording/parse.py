"""An exchange from one line of JSON, with every mistake in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast, get_args

from meshext.engine.observer import Decision as Ending
from meshext.engine.observer import Mode
from meshext.http.additions import Additions
from meshext.http.context import AttributeValue
from meshext.http.headers import Lines
from meshext.http.metadata import MAX_DEPTH, Namespaces
from meshext.http.parts import NO_CHANGE, HeaderChange
from meshext.http.peer import Peer
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
from meshext.recording.format import VERSION, VERSION_KEY
from meshext.recording.places import Mistakes, Place, shorten, shown
from meshext.recording.redaction import Redacted

T = TypeVar("T")

LARGEST_LINE = 64 << 20  # bytes; four bodies of the most that is kept, in base64, are a tenth of it

EXCHANGE = "recording time id mode seconds served peer client_address route cluster request decision"


def parse_line(line: bytes) -> Recorded | list[str]:
    """The exchange, or what is wrong with the line: `path: what is there; what to write`."""
    mistakes = Mistakes()
    try:
        plain = json.loads(line.decode("utf-8"), object_pairs_hook=collect, parse_constant=refuse_constant)
    except RecursionError:
        return ["not JSON that can be read: nested too deep"]
    except (UnicodeDecodeError, ValueError) as error:
        return [f"not JSON: {shorten(str(error))}"]
    if not isinstance(plain, dict) or VERSION_KEY not in plain:
        return [f"no recorded exchange: {VERSION_KEY!r}, the version of the format, is missing"]
    if plain[VERSION_KEY] != VERSION or isinstance(plain[VERSION_KEY], bool):
        version = shown(plain[VERSION_KEY])
        return [f"{VERSION_KEY}: version {version} is not known here; this meshext reads version {VERSION}"]
    recorded = to_recorded(Place(plain, "", mistakes))
    return mistakes.found or recorded


def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key given twice has no meaning."""
    collected = dict(pairs)
    if len(collected) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shorten(twice)!r} is given twice")
    return collected


def refuse_constant(name: str) -> NoReturn:
    """NaN and the like are not JSON."""
    raise ValueError(f"{name} is not a number")


def to_recorded(place: Place) -> Recorded:
    """The whole line."""
    at = place.fields(EXCHANGE, "response")
    return Recorded(
        time=at["time"].number(),
        request_id=at["id"].text(),
        mode=cast(Mode, at["mode"].one_of(get_args(Mode))),
        seconds=at["seconds"].number(),
        served=to_served(at["served"]),
        peer=to_peer(at["peer"]),
        client_address=at["client_address"].text(),
        route=at["route"].text(),
        cluster=at["cluster"].text(),
        request=to_message(at["request"]),
        response=to_message(at["response"]) if "response" in at else None,
        decision=to_decision(at["decision"]),
    )


def to_served(place: Place) -> Served:
    """Who decided."""
    at = place.fields("specs config filters attributes metadata redacted")
    return Served(
        specs=at["specs"].each(Place.text),
        config=at["config"].text(),
        filters=at["filters"].each(Place.text),
        attributes=at["attributes"].each(Place.text),
        metadata=at["metadata"].each(Place.text),
        redacted=at["redacted"].each(Place.text),
    )


def to_peer(place: Place) -> Peer:
    """The direct peer."""
    at = place.fields("principal address tls")
    principal = None if at["principal"].value is None else at["principal"].text("null or a text")
    return Peer(principal=principal, address=at["address"].text(), tls=at["tls"].flag())


def to_message(place: Place) -> Message:
    """A request or a response."""
    at = place.fields("headers", "body trailers attributes metadata")
    return Message(
        lines=to_lines(at["headers"]),
        body=given(at, "body", to_body, None),
        trailers=given(at, "trailers", to_lines, None),
        attributes={
            name: to_attribute(value) for name, value in given(at, "attributes", Place.mapping, {}).items()
        },
        metadata=given(at, "metadata", to_namespaces, {}),
    )


def to_decision(place: Place) -> Decision:
    """What the filters did."""
    at = place.fields("outcome sent", "filter request response additions answer reset metadata hooks")
    return Decision(
        outcome=cast(Ending, at["outcome"].one_of(get_args(Ending))),
        sent=at["sent"].flag(),
        filter=given(at, "filter", Place.text, ""),
        request=given(at, "request", to_change, Change()),
        response=given(at, "response", to_change, Change()),
        additions=given(at, "additions", lambda found: found.each(to_additions), ()),
        answer=given(at, "answer", to_answer, None),
        reset=given(at, "reset", Place.text, ""),
        metadata=given(at, "metadata", to_namespaces, {}),
        hooks=given(at, "hooks", lambda found: found.each(to_hook), ()),
    )


def given(at: dict[str, Place], key: str, read: Callable[[Place], T], otherwise: Any) -> T:
    """A part that may be left out."""
    return read(at[key]) if key in at else cast(T, otherwise)


def to_change(place: Place) -> Change:
    """What became of a message."""
    at = place.fields("", "headers body trailers")
    return Change(
        headers=given(at, "headers", to_header_change, NO_CHANGE),
        body=given(at, "body", to_body, None),
        trailers=given(at, "trailers", to_header_change, NO_CHANGE),
    )


def to_header_change(place: Place) -> HeaderChange:
    """Names that are gone, and values that are set."""
    at = place.fields("remove set")
    return HeaderChange(at["remove"].each(Place.text), at["set"].each(to_setting))


def to_setting(place: Place) -> tuple[str, tuple[bytes, ...]]:
    """A name with all its values."""
    pair = place.items("a pair of a name and its values", 2)
    if not pair:
        return "", ()
    name = pair[0].text()
    return name, pair[1].each(lambda value: to_value(value, name), "a list of values")


def to_additions(place: Place) -> Additions:
    """What one filter puts on the response."""
    at = place.fields("add replace")
    return to_lines(at["add"]), frozenset(at["replace"].each(Place.text))


def to_answer(place: Place) -> Answered:
    """What the client got instead."""
    at = place.fields("status headers body details")
    return Answered(
        status=at["status"].whole(100, 599),
        lines=to_lines(at["headers"]),
        body=to_body(at["body"]),
        details=at["details"].text(),
    )


def to_hook(place: Place) -> HookRuns:
    """All runs of one hook."""
    at = place.fields("filter hook runs seconds", "failed")
    return HookRuns(
        filter=at["filter"].text(),
        hook=at["hook"].text(),
        runs=at["runs"].whole(),
        seconds=at["seconds"].number(),
        failed=given(at, "failed", lambda found: found.each(to_failure), ()),
    )


def to_failure(place: Place) -> tuple[str, str]:
    """Kind and text."""
    pair = place.items("a pair of a kind and a text", 2)
    return (pair[0].text(), pair[1].text()) if pair else ("", "")


def to_lines(place: Place) -> Lines:
    """Header lines."""
    return place.each(to_header, "a list of pairs of a name and a value")


def to_header(place: Place) -> tuple[str, bytes]:
    """One line."""
    pair = place.items("a pair of a name and a value", 2)
    if not pair:
        return "", b""
    name = pair[0].text()
    if not name or name != name.lower():
        pair[0].refuse("a name in lower case")
    return name, to_value(pair[1], name)


def to_value(place: Place, name: str) -> bytes:
    """A header's value."""
    if isinstance(place.value, str):
        try:
            return place.value.encode()
        except UnicodeEncodeError:
            place.refuse('text that is Unicode; bytes are {"base64": ...}')
            return b""
    if not isinstance(place.value, dict):
        place.refuse('a text, {"base64": ...} or {"redacted": true}')
        return b""
    if "redacted" in place.value:
        if place.fields("redacted")["redacted"].value is not True:
            place.refuse('{"redacted": true}')
        return Redacted(name)
    return place.fields("base64")["base64"].base64()


def to_body(place: Place) -> Body:
    """A body."""
    at = place.fields("size", "text base64 chunks more")
    data = at["base64"].base64() if "base64" in at else b""
    if ("text" in at) == ("base64" in at):
        place.refuse("a body with either text or base64")
    elif "text" in at:
        data = to_value(Place(at["text"].text(), at["text"].path, place.mistakes), "")
    size = at["size"].whole(len(data))
    chunks = at["chunks"].each(Place.whole) if "chunks" in at else None
    if chunks is not None and sum(chunks) != size:
        at["chunks"].refuse(f"a list of sizes that are {size} together")
    return Body(data=data, size=size, chunks=chunks, more="more" in at and at["more"].flag())


def to_attribute(place: Place) -> AttributeValue:
    """An attribute's value."""
    value = place.value
    if isinstance(value, dict):
        return place.fields("bytes")["bytes"].base64()
    if isinstance(value, list):
        place.refuse('a text, a number, true, false, null or {"bytes": ...}')
        return None
    return cast(AttributeValue, value)


def to_namespaces(place: Place) -> Namespaces:
    """Metadata by namespace."""
    return {
        name: {key: item.json(MAX_DEPTH) for key, item in values.mapping().items()}
        for name, values in place.mapping().items()
    }
