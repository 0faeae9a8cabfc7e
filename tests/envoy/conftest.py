"""The real Envoy, a bootstrap written by hand, and ways to wait without sleeping."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.envoy.binary import find_envoy
from meshext.errors import MissingExtraError

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


@pytest.fixture
def envoy() -> Path:
    try:
        return find_envoy()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A directory whose path leaves room for the name of a socket."""
    with TemporaryDirectory(prefix="mx-") as name:
        yield Path(name)


def write_bootstrap(*, port: int = 0, name: str = "main", body: str = "hello", **listener: object) -> str:
    """A bootstrap with one listener that answers every request itself."""
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": body}}}
    manager = {
        "@type": HTTP,
        "stat_prefix": "main",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listeners = [{"name": name, "address": address, "filter_chains": [chain], **listener}]
    return json.dumps({"static_resources": {"listeners": listeners}})


@pytest.fixture
def bootstrap() -> Callable[..., str]:
    return write_bootstrap


def poll(condition: Callable[[], object], *, deadline: float = 20.0) -> None:
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not so after {deadline:g} s")
        time.sleep(0.01)


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until a condition holds; fails at a deadline."""
    return poll


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether the process of that id has ended; one that nobody has reaped has."""

    def is_gone(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        return state == "Z"

    return is_gone
