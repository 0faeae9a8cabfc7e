"""A request that is decided and forgotten leaves nothing on the heap."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.host.driver import Driver, Message
from meshext_wasm.host.guest import WasmtimeGuest
from meshext_wasm.host.machine import Machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the library may have to be compiled first

POLICY = """
from meshext import Filter, Request, Respond


class Policy(Filter):
    def on_request(self, request: Request) -> Respond | None:
        if request.headers.get("x-key", "") != "right":
            return Respond(403, body="no")
        request.headers["x-user"] = "ann"
        return None
"""


@pytest.mark.parametrize("key", [b"right", b"wrong"])
def test_nothing_stays_of_a_request(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "policy.py"
    path.write_text(POLICY, encoding="utf-8")
    guest = WasmtimeGuest(build_filters([f"{path}:Policy"], user_cache()).code, Machine(configuration=b""))
    driver = Driver(guest)
    driver.configure()
    tops = []
    for _ in range(3):
        ask(driver, key)
        tops.append(guest.call("proxy_on_memory_allocate", 8))
    again = guest.call("proxy_on_memory_allocate", 8)
    assert [later - earlier for earlier, later in pairwise([*tops, again])] == [again - tops[-1]] * 3


def ask(driver: Driver, key: bytes) -> None:
    """One request."""
    lines = ((b":method", b"GET"), (b":path", b"/"), (b":authority", b"a"), (b"x-key", key))
    driver.exchange(Message(lines=lines), lambda _: Message(lines=((b":status", b"200"),)))
