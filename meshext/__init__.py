"""Envoy policy in Python: what a filter author imports.

from meshext import Filter, Request, Respond

class Hello(Filter):
    def on_request(self, request: Request) -> Respond | None:
        return Respond(403) if request.path == "/secret" else None
"""

from meshext.actions import Respond
from meshext.crypto import verify_signature
from meshext.errors import (
    ConfigError,
    HeaderError,
    MeshextError,
    SpecError,
    StoreError,
    StoreUnavailable,
    UndeclaredError,
    UnsupportedError,
)
from meshext.filter import Filter
from meshext.http import Cookies, Exchange, Headers, Metadata, Peer, Query, Request, Response
from meshext.limits import Limit, Outcome
from meshext.metrics import Counter, Gauge, Histogram
from meshext.needs import Needs
from meshext.store import Store

__all__ = [
    "ConfigError",
    "Cookies",
    "Counter",
    "Exchange",
    "Filter",
    "Gauge",
    "HeaderError",
    "Headers",
    "Histogram",
    "Limit",
    "MeshextError",
    "Metadata",
    "Needs",
    "Outcome",
    "Peer",
    "Query",
    "Request",
    "Respond",
    "Response",
    "SpecError",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "UndeclaredError",
    "UnsupportedError",
    "verify_signature",
]
