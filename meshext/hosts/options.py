"""What a service is asked to do, as plain data: from the command line through the supervisor to a worker."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from meshext.errors import OptionError

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
MOST_WORKERS = 256
DRAIN = 30.0  # seconds; what a container runtime waits by default after SIGTERM
MAX_IN_FLIGHT = 10_000  # open exchanges for each worker
LOAD_LIMIT = 60.0  # seconds
CONNECTION_AGE = 10.0  # seconds; a new connection costs next to nothing beside that
WATCHED_AGE = 1.0  # seconds; with --watch, since a change is seen only on new connections


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of the service's own port; with `client_ca` a client without a certificate is refused."""

    cert: str
    key: str
    client_ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """Everything a service is started with. All fields are plain data; `to_json` and `from_json` keep them.

    `address` is `HOST:PORT` or `unix:PATH`. `drain` is in seconds: how long open exchanges may go on after
    SIGTERM. `max_in_flight` counts exchanges open at once in one worker; what comes on top is refused.
    `store` is a URL (`redis://...`), "" for the supervisor's memory. `metrics` is the address of the port
    for Prometheus, "" for none. `record` is the file that exchanges are written to, "" for none, without the
    values of the headers in `redact`. `load_limit` is in seconds: to load the filters, and again to begin to
    serve. `connection_age` is in seconds: how long a connection lives until Envoy is asked to make a new one,
    which spreads connections over workers and is how those leave that end.
    """

    specs: tuple[str, ...]
    configs: tuple[str, ...] = ()
    address: str = "127.0.0.1:9000"
    log_level: str = "info"
    log_format: str = "text"
    workers: int = 1
    drain: float = DRAIN
    max_in_flight: int = MAX_IN_FLIGHT
    tls: TlsFiles | None = None
    store: str = ""
    metrics: str = ""
    watch: bool = False
    otel: bool = False
    record: str = ""
    redact: tuple[str, ...] = ()
    load_limit: float = LOAD_LIMIT
    connection_age: float = CONNECTION_AGE

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise OptionError(problem)

    @property
    def shares_memory(self) -> bool:
        """Whether the store is the supervisor's memory: where more than one worker serves at a time."""
        return not self.store and (self.workers > 1 or self.watch)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From that line."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Self:
        """From a dict as JSON has it."""
        tls = given.get("tls")
        lists = {name: tuple(given.get(name, ())) for name in ("specs", "configs", "redact")}
        return cls(**{**given, **lists, "tls": TlsFiles(**tls) if tls else None})

    def _problems(self) -> Iterator[str]:
        for name, fits, wanted in RULES:
            value = getattr(self, name)
            if not fits(value):
                yield f"--{name.replace('_', '-')} {value!r}: write {wanted}"


RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("log_level", lambda given: given.lower() in LEVELS, "debug, info, warning or error"),
    ("log_format", lambda given: given in FORMATS, "text or json"),
    ("workers", lambda given: 1 <= given <= MOST_WORKERS, f"a number from 1 to {MOST_WORKERS}"),
    ("drain", lambda given: math.isfinite(given) and given >= 0, "seconds, 0 or more"),
    ("max_in_flight", lambda given: given >= 1, "a number of exchanges, at least 1"),
    ("connection_age", lambda given: math.isfinite(given) and given > 0, "seconds, more than 0"),
    ("load_limit", lambda given: math.isfinite(given) and given > 0, "seconds, more than 0"),
)
"""What each option may be, and the words for one that is not."""
