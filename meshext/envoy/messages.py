"""Loading Envoy's typed messages: late, once, and without noise.

`envoy_data_plane` takes half a second to import and belongs to the extra `envoy`, so nothing imports it
before a message is built.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from meshext.errors import MissingExtraError

PACKAGE = "envoy_data_plane"

_LOADED = (
    "config.bootstrap.v3",
    "config.metrics.v3",
    "extensions.access_loggers.stream.v3",
    "extensions.filters.http.ext_authz.v3",
    "extensions.filters.http.ext_proc.v3",
    "extensions.filters.http.jwt_authn.v3",
    "extensions.filters.http.lua.v3",
    "extensions.filters.http.router.v3",
    "extensions.filters.http.set_filter_state.v3",
    "extensions.filters.http.wasm.v3",
    "extensions.filters.listener.tls_inspector.v3",
    "extensions.filters.network.http_connection_manager.v3",
    "extensions.resource_monitors.downstream_connections.v3",
    "extensions.upstreams.http.v3",
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def load_messages() -> None:
    """Import the messages that this package builds; MissingExtraError where the extra is not installed."""
    if f"{PACKAGE}.envoy.{_LOADED[-1]}" in sys.modules:
        return
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingExtraError("envoy", "a configuration for Envoy")
    with warnings.catch_warnings():
        # Its classes are written for an older pydantic; a caller that treats warnings as errors would fail.
        warnings.simplefilter("ignore", DeprecationWarning)
        for name in _LOADED:
            importlib.import_module(f"{PACKAGE}.envoy.{name}")


def builds_messages(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Have `load_messages` done before the function runs."""

    @functools.wraps(function)
    def build(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        load_messages()
        return function(*args, **kwargs)

    return build
