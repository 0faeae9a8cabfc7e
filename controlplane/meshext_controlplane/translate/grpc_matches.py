"""Which calls a route is for, as gRPC's own client can tell them apart (gRFC A28).

A call of gRPC is a POST over `http` without a query, so what a match asks of those is known beforehand. The
client looks at the path and at the metadata that the application sends, and at nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from meshext_controlplane.model.http_route import HttpMatch
from meshext_controlplane.model.matching import StringMatch
from meshext_controlplane.translate.matchers import quote
from meshext_controlplane.translate.route_matches import RouteMatch, build_header, build_match

METHOD, SCHEME = "POST", "http"
MOST_SPLITS = 6
"""`withoutHeaders` with values in one match: each doubles the routes."""

_HIDDEN = frozenset({"host", "te", "user-agent", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding"})
"""Headers that are put on a call after its route is chosen."""

_SLASHES = 2
"""Of a path that the client takes for one, `/SERVICE/METHOD`; routes for others it does not look at."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that a match is for: those of any of `matches`, of none where there are none.

    With `reasons` the client can not tell them from others: then these are all that may be meant.
    """

    matches: tuple[RouteMatch, ...] = ()
    reasons: tuple[str, ...] = ()


def find_calls(match: HttpMatch | None, authority: str) -> Calls:
    """What a match means for calls to that authority (`HOST[:PORT]`, as the application writes it)."""
    if match is None:
        return Calls((build_match(None),))
    known = ((match.method, METHOD), (match.scheme, SCHEME), (match.authority, authority))
    verdicts = [(each, _holds(each, said)) for each, said in known if each is not None]
    if match.query_params or any(verdict is False for _, verdict in verdicts):
        return Calls()
    reasons = [
        f"a match of {each.regex!r}, which only RE2 reads" for each, verdict in verdicts if verdict is None
    ]
    reasons += [f"a match of {name}, which it does not see" for name in _unseen(match)]
    if len(list(_valued(match))) > MOST_SPLITS:
        reasons.append(f"more than {MOST_SPLITS} withoutHeaders with values")
    bare = build_match(_only_path(match))
    _keep_path(bare)
    if reasons:
        return Calls((bare,), tuple(reasons))
    return Calls(tuple(_split(bare, match)))


def asks_authority(matches: Iterable[HttpMatch]) -> bool:
    """Whether the name that the application writes makes a difference."""
    return any(match.authority is not None for match in matches)


def is_hidden(name: str) -> bool:
    """Whether the client does not see that header when it chooses a route or an endpoint."""
    return name.startswith(":") or name.endswith("-bin") or name.lower() in _HIDDEN


def _holds(match: StringMatch, said: str) -> bool | None:
    """Whether a text that is known beforehand matches; None where only RE2 can tell."""
    if match.regex is None:
        return said == match.exact if match.prefix is None else said.startswith(match.prefix)
    try:
        return re.fullmatch(match.regex, said) is not None
    except re.error:
        return None


def _unseen(match: HttpMatch) -> Iterator[str]:
    for name in (*match.headers, *match.without_headers):
        if is_hidden(name):
            yield name


def _only_path(match: HttpMatch) -> HttpMatch:
    return HttpMatch(uri=match.uri, ignore_uri_case=match.ignore_uri_case)


def _keep_path(built: RouteMatch) -> None:
    """A path that the client would not look at, as the expression that it does look at."""
    kind = built.WhichOneof("path_specifier")
    if kind == "safe_regex" or (text := getattr(built, kind or "")) in ("", "/"):
        return
    slashes, whole = text.count("/"), kind == "path"
    if re.match("/(?!/)", text) and slashes <= _SLASHES and not (whole and (slashes < 2 or text[-1] == "/")):
        return
    case = "(?i)" if built.HasField("case_sensitive") else ""
    built.ClearField("case_sensitive")
    built.safe_regex.regex = f"{case}{quote(text)}{'.*' if kind == 'prefix' else ''}"


def _valued(match: HttpMatch) -> Iterator[tuple[str, StringMatch]]:
    return ((name, value) for name, value in match.without_headers.items() if not value.is_empty)


def _split(bare: RouteMatch, match: HttpMatch) -> Iterator[RouteMatch]:
    """One match for each way in which the headers that shall not be there may be missing.

    The client takes a header that is not there for one that matches nothing, inverted or not.
    """
    ways: list[Sequence[tuple[str, StringMatch]]] = [
        ((name, StringMatch()), (name, value)) for name, value in _valued(match)
    ]
    absent = [(name, value) for name, value in match.without_headers.items() if value.is_empty]
    for chosen in product(*ways):
        built = RouteMatch()
        built.CopyFrom(bare)
        built.headers.extend(build_header(name.lower(), value) for name, value in match.headers.items())
        for name, value in (*absent, *chosen):
            header = build_header(name.lower(), value)
            header.invert_match = True
            built.headers.append(header)
        yield built
