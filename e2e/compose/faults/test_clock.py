"""The clock of one host, its Envoy's too, set an hour off while it serves, and set right again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.compose.faults.breaking import kill_program
from e2e.compose.faults.guest import joined
from e2e.compose.faults.measuring import measured
from e2e.compose.faults.places import GUEST, ORDERS, PROXIES
from e2e.compose.faults.standing import all_synced, gets_requests, says
from e2e.compose.project import Project
from e2e.compose.waiting import seconds_until, wait_for

HOUR = 3600
SET = "import struct, sys; open('/tmp/offset', 'r+b').write(struct.pack('<q', int(sys.argv[1])))"
PREPARE = """\
head -c 8 /dev/zero >/tmp/offset
tcc -shared -nostdlib -o /tmp/clock.so /suite/clock.c
export LD_PRELOAD=/tmp/clock.so"""


@pytest.fixture
def host(shop: Project) -> Iterator[Project]:
    """The shop with one more checkout, on a host whose clock can be set."""
    with joined(shop, GUEST, prepare=PREPARE):
        yield shop
    wait_for("all have their configuration", lambda: all_synced(shop, PROXIES))


@contextmanager
def clock(project: Project, ahead: int) -> Iterator[None]:
    """The host's clock set, seconds ahead."""
    command = ("env", "-u", "LD_PRELOAD", "python3", "-I", "-S", "-c", SET)
    project.exec(GUEST.name, *command, str(ahead))
    try:
        yield
    finally:
        project.exec(GUEST.name, *command, "0")


@pytest.mark.parametrize(
    ("ahead", "side"),
    [pytest.param(HOUR, "ahead of", id="ahead"), pytest.param(-HOUR, "behind", id="behind")],
)
def test_a_clock_an_hour_off(host: Project, ahead: int, side: str) -> None:
    with measured(host, f"clock an hour {side.removesuffix(' of')}", ORDERS) as fault:
        wait_for("it is asked", lambda: gets_requests(host, GUEST.name))
        fault.breaks()
        with clock(host, ahead):
            # A new Envoy has new connections to make, by certificates that are judged now.
            kill_program(host, GUEST.name, "envoy")
            asked = seconds_until("it is asked", lambda: gets_requests(host, GUEST.name), patience=20)
            fault.also_took(asked)
            told = f"this machine's clock is 3600 s {side} the control plane's"
            wait_for("it is told", lambda: says(host, GUEST.name, told))
            fault.mends()
        fault.also_took(seconds_until("it is asked again", lambda: gets_requests(host, GUEST.name)))
