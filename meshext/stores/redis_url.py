"""URLs of a Redis: read, checked, and shown without what is secret in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from meshext.errors import StoreError
from meshext.stores.pipeline import PATIENCE

FORM = re.compile(
    r"(?P<scheme>rediss?)(?:\+(?P<kind>cluster|sentinel))?://(?:(?P<user>.*)@)?(?P<hosts>[^/?#@]*)"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
SOCKET = re.compile(r"unix://(?:(?P<user>.*)@)?(?P<path>/[^?#]*)(?:\?(?P<query>.*))?", re.DOTALL)
OWN_OPTION = re.compile(r"(?P<before>[?&])patience=(?P<value>[^&]*)(?P<after>&|$)")
LEAST, MOST = 0.001, 10.0  # seconds
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
FORMS = (
    "redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://... with TLS, unix:///PATH[?db=DB], "
    "redis+cluster://HOST,HOST..., redis+sentinel://HOST,HOST.../SERVICE[/DB]"
)
OPTIONS = (
    "Behind a `?`: patience=SECONDS that a call waits (0.025), ssl_ca_certs, ssl_certfile, ssl_keyfile, "
    "sentinel_username, sentinel_password, client_name, and what else a connection of the redis library takes"
)

Kind = Literal["single", "cluster", "sentinel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """A URL in its parts.

    `singles` are URLs as the redis library takes them, one for each host; `shown` names the store in logs
    and errors, without credentials and options. `patience` is how many seconds a call waits: `?patience=`,
    the one option that is ours.
    """

    kind: Kind
    singles: tuple[str, ...]
    service: str
    shown: str
    patience: float = PATIENCE


def parse_redis_url(url: str) -> RedisUrl:
    """Take a URL apart; StoreError, in one line and without secrets, where it is none."""
    patience, url = split_patience(url)
    if SOCKET.fullmatch(url):
        return RedisUrl(kind="single", singles=(url,), service="", shown=show(url), patience=patience)
    match = FORM.fullmatch(url)
    if match is None:
        raise StoreError(f"store URL {show(url)!r} has none of the forms {FORMS}")
    hosts = (match["hosts"] or "localhost").split(",")
    if not all(HOST.fullmatch(host) for host in hosts):
        raise StoreError(
            f"store URL {show(url)!r}: write hosts as HOST or HOST:PORT, and escape passwords (%40)"
        )
    kind: Kind = match["kind"] or "single"  # type: ignore[assignment]  # the expression lets nothing else in
    service, database = split_path(kind, match["path"] or "")
    if kind == "single" and len(hosts) > 1:
        raise StoreError(f"store URL {show(url)!r}: several hosts need redis+cluster:// or redis+sentinel://")
    if kind == "cluster" and database not in ("", "0"):
        raise StoreError(f"store URL {show(url)!r}: a cluster has only database 0; leave it out")
    if kind == "sentinel" and not service:
        raise StoreError(
            f"store URL {show(url)!r}: say which service, as in redis+sentinel://HOST,HOST/SERVICE"
        )
    if database and not database.isdecimal():
        raise StoreError(f"store URL {show(url)!r}: database {database!r} is not a number")
    user = f"{match['user']}@" if match["user"] is not None else ""
    query = f"?{match['query']}" if match["query"] else ""
    singles = tuple(f"{match['scheme']}://{user}{host}/{database}{query}" for host in hosts)
    return RedisUrl(kind=kind, singles=singles, service=service, shown=show(url), patience=patience)


def split_patience(url: str) -> tuple[float, str]:
    """The option `patience`, and the URL without it."""
    match = OWN_OPTION.search(url)
    if match is None:
        return PATIENCE, url
    rest = url[: match.start()] + (match["before"] if match["after"] else "") + url[match.end() :]
    try:
        patience = float(match["value"])
    except ValueError:
        patience = 0.0
    if not LEAST <= patience <= MOST:
        raise StoreError(f"store URL {show(url)!r}: write a patience of {LEAST:g} to {MOST:g} seconds")
    return patience, rest


def split_path(kind: Kind, path: str) -> tuple[str, str]:
    """Service and database out of `/service/db` or `/db`."""
    parts = path.strip("/").split("/")
    if kind == "sentinel":
        return parts[0], "/".join(parts[1:])
    return "", "/".join(parts)


def show(url: str) -> str:
    """The URL without credentials and options; what is in no known form may be a secret as a whole."""
    socket, match = SOCKET.fullmatch(url), FORM.fullmatch(url)
    if socket is not None:
        return f"unix://{socket['path']}"
    scheme = re.match(r"[a-z+]{1,20}://", url)
    if match is None:
        return (scheme[0] if scheme else "") + "..."
    known = (host if not host or HOST.fullmatch(host) else "..." for host in match["hosts"].split(","))
    return f"{scheme[0] if scheme else ''}{','.join(known)}{match['path'] or ''}"
