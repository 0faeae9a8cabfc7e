"""One listener with the policy before it: what a try comes to there, and what of it reached the upstream."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from e2e.attacks import TUNNEL, Attack, http1
from e2e.raw import RawUpstream, Seen, Where, send_bytes, send_http2, status_of
from e2e.stage import wait_for
from e2e.ways.attempts import TRIES, USED_UP
from e2e.ways.callers import FOUND, FOUND_AT_STRANGERS, IDENTITIES
from e2e.ways.guards import HEADER
from e2e.ways.keys import KeyServer
from e2e.ways.policy import HERE, let_through, let_through_leniently, tunnel_let_through
from e2e.ways.rows import Kind, Side

AMONG = 24  # tries at once
PATIENCE = 60.0  # seconds until a filter that has died serves again, on a busy machine
SETTLED = "/settled"
FROM = "x-from"
"""The header by which a request says who sent it, where tries name somebody."""

LENIENT = (2, 3, 45, 46)
"""Rows whose requests no forgiving server may misread either."""

HEAVY = ((31, 39), (33, 34), (38,), (41,))
"""Rows that are tried after the others: each of them is a burden to whoever else is there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row's tries."""

    statuses: tuple[int, ...]
    through: tuple[str, ...] = ()


@dataclass(slots=True)
class Ground:
    """A listener of a kind in a runtime.

    `contexts` are TLS by caller, none on plain connections; `stranger` is who comes where a try names nobody.
    `enter` brings a thread into the network that clients are in. `own` are tries of this listener alone.
    """

    kind: Kind
    runtime: str
    where: Where
    upstream: RawUpstream
    tokens: Mapping[str, str]
    contexts: Mapping[str, ssl.SSLContext] = field(default_factory=dict)
    stranger: str = ""
    own: Sequence[Attack] = ()
    enter: Callable[[], None] = lambda: None
    keys: KeyServer | None = None
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(AMONG, initializer=self.enter)

    def close(self) -> None:
        """End its threads."""
        self.pool.shutdown()

    def attempt(self, attack: Attack) -> int:
        """The status, 0 where the connection ended without one."""
        return self.pool.submit(self._attempt, attack).result()

    def _attempt(self, attack: Attack) -> int:
        tls = self.contexts[attack.caller or self.stranger] if self.contexts else None
        try:
            if callable(attack.data):
                return attack.data(self.where, tls)
            if isinstance(attack.data, list):
                return send_http2(self.where, attack.data, b"", tls).status
            data = self._fill_in(attack.data, attack.caller)
            return status_of(send_bytes(self.where, data, tls, patience=attack.patience))
        except OSError:  # refused, by TLS or before it
            return 0

    def _fill_in(self, data: bytes, caller: str) -> bytes:
        if caller:
            data = data.replace(b"\r\n\r\n", f"\r\n{FROM}: {caller}\r\n\r\n".encode(), 1)
        for name, token in self.tokens.items():
            data = data.replace(f"{{{name}}}".encode(), token.encode())
        return data

    def _denies(self, seen: Seen, caller: str) -> bool:
        """Whether the policy denies what the upstream received from a caller."""
        if self.kind.side is Side.OUTBOUND and (tunnels := seen.values(TUNNEL)):
            return any(tunnel_let_through(each.decode()) for each in tunnels)
        found = FOUND_AT_STRANGERS if self.kind.name == "gateway https" else FOUND
        proved = found if self.runtime == "native" else IDENTITIES
        principal = proved.get(caller) if self.contexts else None
        return bool(seen.values(HEADER)) or let_through(seen, principal, self._client(seen))

    def _client(self, seen: Seen) -> str:
        """Who is the client of a request: at a gateway the peer, at a sidecar whom its peer, a proxy, names.

        So `remoteIpBlocks` is meant (Istio); `ipBlocks` is about the peer itself.
        """
        return HERE if self.kind.side is Side.GATEWAY else last_forwarded(seen) or HERE

    def settle(self) -> list[Seen]:
        """All that has reached the upstream, once a request sent now has."""
        before = len(self.upstream.seen)
        # A filter that has just died is started again, and until then nobody passes.
        assert wait_for(lambda: self.attempt(Attack(0, "", http1(SETTLED))) == 200, limit=PATIENCE)
        assert wait_for(lambda: any(each.target == SETTLED for each in self.upstream.seen[before:]))
        return self.upstream.seen

    def reached(self, tries: Sequence[Attack]) -> tuple[list[int], list[Seen]]:
        """Statuses of these tries, all at once, and what of them came to the upstream."""
        start = len(self.settle())
        statuses = list(self.pool.map(self._attempt, tries))
        return statuses, [each for each in self.settle()[start:] if each.target != SETTLED]

    def tries(self, row: int) -> list[Attack]:
        """The tries of a row at this listener; who can show no certificate there does not come."""
        found = (each for each in (*TRIES, *self.own) if each.row == row)
        return [each for each in found if self.contexts or not each.caller]

    def go(self, rows: Sequence[int]) -> dict[int, Outcome]:
        """Try these rows, all at once; each for itself where something was let through."""
        tries = [(row, each) for row in rows for each in self.tries(row)]
        statuses, seen = self.reached([each for _, each in tries])
        by_row: dict[int, list[int]] = {row: [] for row in rows}
        for (row, _), status in zip(tries, statuses, strict=True):
            by_row[row].append(status)
        through = tuple(self._judge(rows, seen))
        if through and len(rows) > 1:
            alone = {row: self.go([row])[row] for row in rows}
            if any(each.through for each in alone.values()):
                return alone
        return {row: Outcome(tuple(found), through) for row, found in by_row.items()}

    def _judge(self, rows: Sequence[int], reached: Sequence[Seen]) -> Iterator[str]:
        """What of it should not be there."""
        lenient = set(rows) <= set(LENIENT)
        for seen in reached:
            caller = (seen.values(FROM) or [self.stranger.encode()])[0].decode()
            if self._denies(seen, caller) or (lenient and let_through_leniently(seen)):
                yield f"{caller or 'anybody'}: {seen.head.decode('latin-1')[:200]!r}"
        if self.keys is not None and "attacker" in self.keys.asked:
            yield "keys were fetched from where a token, or a redirect, says"
        hits = [seen for seen in reached if is_used_up(seen)]
        if len(hits) > 1:
            yield f"{len(hits)} hits of a caller who has one: {[seen.head for seen in hits]}"


def last_forwarded(seen: Seen) -> str:
    """Whom the last proxy has had for its client; "" where nobody says."""
    said = b",".join(seen.values("x-forwarded-for"))
    return said.rpartition(b",")[2].strip().decode("latin-1")


def is_used_up(seen: Seen) -> bool:
    """Whether the caller with one hit is whom the upstream finds in a request under a limit."""
    return seen.path.startswith("/limited/") and USED_UP.encode() in seen.values("x-caller")
