"""A Python filter is swapped for another version of itself while calls come: none fails."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from e2e.compose.load import load
from e2e.compose.project import ComposeError, Project
from e2e.compose.shop.documents import STOREFRONTS
from e2e.compose.shop.visiting import CUSTOMER, STOREFRONT, get
from e2e.compose.waiting import wait_for

PLACE = "/suite/shop/filters/release.py"
RELEASE = """
from meshext import Filter, Response

class Release(Filter):
    def on_response(self, response: Response) -> None:
        response.headers["x-release"] = "{release}"
"""
POLICY = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: release, namespace: shop}
spec: {selector: {matchLabels: {app: storefront}}, filter: "%s:Release", runtime: %s}
"""
RATE = 5.0  # calls a second
SWAPS = 3
URL = f"{STOREFRONT}/"


def releases(shop: Project) -> set[str]:
    """What answers name as the filter's release."""
    answers = shop.send(CUSTOMER, [get(URL)] * 20)
    return {
        {name.lower(): value for name, value in each["headers"].items()}.get("x-release", "")
        for each in answers
    }


def wait_for_release(shop: Project, release: str) -> None:
    """Until every answer is that release's; "" is none's."""
    wait_for(f"release {release or 'of nobody'} answers", lambda: releases(shop) == {release})


def write(shop: Project, text: str, hosts: Iterable[str]) -> None:
    """Put a file of code there, whole or not at all."""
    for each in hosts:
        shop.exec(
            each,
            "sh",
            "-c",
            f"cat >{PLACE}.new && chmod 644 {PLACE}.new && mv {PLACE}.new {PLACE}",
            text=text,
        )


def test_a_service_is_swapped_under_load(shop: Project) -> None:
    hosts = ("control-plane", *STOREFRONTS)
    write(shop, RELEASE.format(release="first"), hosts)
    with shop.changed("release.yaml", POLICY % (PLACE, "service")):
        wait_for_release(shop, "first")
        with load(shop, CUSTOMER, URL, rate=RATE) as calls:
            for number in range(SWAPS):
                write(shop, RELEASE.format(release=f"next-{number}"), hosts)
                wait_for_release(shop, f"next-{number}")
            write(shop, "this is no Python", STOREFRONTS)
            assert releases(shop) == {f"next-{SWAPS - 1}"}
    wait_for_release(shop, "")
    assert calls.sent > 0
    assert calls.failed == {}


def test_as_wasm_it_is_refused_and_told_what_to_write(shop: Project) -> None:
    """FilterPolicy does not carry compiled filters yet; what it says is what an operator gets."""
    with pytest.raises(ComposeError, match="write runtime: service"):
        shop.exec(
            "control-plane", "sh", "-c", "MESHEXT_STATE=/state/mesh meshext apply -f - --dry-run >&2",
            text=POLICY % (PLACE, "wasm"),
        )  # fmt: skip
