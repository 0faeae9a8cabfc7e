"""How an exchange ended, by its HTTP status and, for gRPC, by the status in headers or trailers.

gRPC-Web has its status in headers or at the end of the body, where it is not looked for.

https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ says which codes are errors of a server; the others
are the caller's, as a 404 is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from meshext.http.exchange import Exchange
from meshext_filters.telemetry.cardinality import OTHER

GRPC_STATUS = "grpc-status"
GRPC = re.compile(r"application/grpc(-web(-text)?)?($|[+;\s])", re.IGNORECASE)
NO_RESPONSE = "no_response"
FIRST_ERROR = 500
ERRORS = {
    "2": "UNKNOWN",
    "4": "DEADLINE_EXCEEDED",
    "12": "UNIMPLEMENTED",
    "13": "INTERNAL",
    "14": "UNAVAILABLE",
    "15": "DATA_LOSS",
}
CODES = frozenset(str(code) for code in range(17))


@dataclass(frozen=True, slots=True)
class Ending:
    """The label values `http_response_status_code`, `rpc_grpc_status_code` and `error_type`, "" for none."""

    status: str
    grpc: str
    error: str

    @property
    def labels(self) -> tuple[str, str, str]:
        """As they are counted."""
        return self.status, self.grpc, self.error


def judge(exchange: Exchange[Any], trailing: str) -> Ending:
    """How it ended; `trailing` is the gRPC status of the trailers, "" where there was none."""
    status = exchange.status
    if status is None or exchange.response is None:
        return Ending("", "", NO_RESPONSE)
    shown = str(status)
    if status >= FIRST_ERROR:
        return Ending(shown, "", shown)
    if not GRPC.match(exchange.request.headers.get("content-type", "")):
        return Ending(shown, "", "")
    code = trailing or exchange.response.headers.get(GRPC_STATUS, "")
    if code and code not in CODES:
        code = OTHER
    return Ending(shown, code, ERRORS.get(code, ""))
