"""Certificates and the root of the mesh change under load, and no handshake is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from e2e.compose.holders import holdings, newest
from e2e.compose.load import load
from e2e.compose.project import Project
from e2e.compose.shop.documents import routed, to
from e2e.compose.shop.visiting import CUSTOMER, RECOMMENDATIONS, settled
from e2e.compose.waiting import wait_for

RATE = 5.0  # calls a second
SHORT = 60  # seconds that certificates live meanwhile
HOUR = timedelta(hours=1)
HOLDERS = 10
ROTATION = 150.0  # seconds: two steps that long-lived certificates follow within half a minute
EACH_ITS_HANDSHAKE = "{connectionPool: {http: {maxRequestsPerConnection: 1}}}"


def roots(shop: Project) -> set[str]:
    """Fingerprints of the roots."""
    return {each["sha256"] for each in holdings(shop)["authorities"] if each["role"] == "root"}


def life(certificate: Mapping[str, str]) -> timedelta:
    """How long it was made for."""
    begun, end = (datetime.fromisoformat(certificate[name]) for name in ("issued", "notAfter"))
    return end - begun


@contextmanager
def short_lives(shop: Project) -> Iterator[None]:
    """A control plane that issues certificates for a minute; all holders have long ones again at the end."""
    issue(shop, f"echo {SHORT} >/state/svid-life")
    try:
        yield
    finally:
        issue(shop, "rm -f /state/svid-life")
        wait_for("lives are long again", lambda: all(life(each) > HOUR for each in newest(shop).values()))


def issue(shop: Project, script: str) -> None:
    """Change the lives, by a restart."""
    shop.exec("control-plane", "sh", "-c", script)
    shop.docker("restart", "control-plane", "--time", "5")
    shop.wait_healthy("control-plane")


def test_the_root_and_every_certificate_change_under_load(shop: Project) -> None:
    old = roots(shop)
    fresh = {"route": [to()], "retries": {"attempts": 0}}
    with (
        routed(shop, fresh, policy=EACH_ITS_HANDSHAKE),
        load(shop, CUSTOMER, RECOMMENDATIONS, rate=RATE) as calls,
        short_lives(shop),
    ):
        words = ("certs", "rotate-root", "--json", "--timeout", f"{ROTATION:g}")
        said = shop.meshext(*words, limit=2 * ROTATION)
        assert json.loads(said.splitlines()[-1])["stage"] == "none"
        # Those of the root before are good for nothing: somebody who starts later gets another.
        shop.exec("tokens", "sh", "-c", "rm -f /tokens/*")
        assert len(roots(shop)) == 1
        assert not roots(shop) & old
        before = newest(shop)
        assert len(before) == HOLDERS
        assert max(map(life, before.values())) < HOUR

        def all_renewed() -> bool:
            now = newest(shop)
            return all(now[each]["serial"] != before[each]["serial"] for each in before)

        wait_for("everybody has renewed", all_renewed)
    assert calls.sent > 0
    assert calls.failed == {}
    assert settled(shop)
