"""`meshext demo --check`: every claim of the demo holds, and in time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from meshext_controlplane.demo.claims.catalogue import CLAIMS

PROMISED = 90.0  # seconds

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_every_claim_holds() -> None:
    command = [sys.executable, "-m", "meshext", "demo", "--check", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    claims = [event for event in events if event["event"] == "claim"]
    assert [claim["seen"] for claim in claims if not claim["holds"]] == [], done.stderr
    assert [claim["claim"] for claim in claims] == [claim.text for claim in CLAIMS]
    (summary,) = [event for event in events if event["event"] == "done"]
    assert (summary["failed"], done.returncode) == (0, 0)
    assert summary["seconds"] < PROMISED
