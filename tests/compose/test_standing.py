"""What `meshext proxy-status --json` says, read."""

from __future__ import annotations

import json

from e2e.compose.faults.standing import parse_status


def said(**states: str) -> str:
    types = {
        kind: {"state": state, "refused": ["r"] if state == "NACKED" else [], "error": "why"}
        for kind, state in states.items()
    }
    return json.dumps([{"proxy": "web-1.shop", "types": types}])


def test_who_has_everything_is_synced() -> None:
    assert parse_status(said(LDS="SYNCED", ECDS="NOT SENT"))["web-1.shop"].is_synced
    for bad in ("STALE", "NACKED"):
        assert not parse_status(said(LDS="SYNCED", RDS=bad))["web-1.shop"].is_synced
    assert not parse_status(said(LDS="NOT SENT"))["web-1.shop"].is_synced  # it has just come


def test_who_refuses_says_what_and_why() -> None:
    assert parse_status(said(LDS="SYNCED", RDS="NACKED"))["web-1.shop"].refusals == {"RDS": (("r",), "why")}


def test_nobody_is_connected() -> None:
    assert parse_status("[]") == {}
