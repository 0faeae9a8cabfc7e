"""The examples compiled into the real Envoy: the same calls, the same expectations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "filters" / "examples"
COMPILED = (
    "01_hello",
    "02_api_key",
    "03_signed_token",
    "04_body_inspection",
    "05_rewrite_and_reroute",
    "06_response_headers",
    "07_jwt_claims",
    "08_async_store",
)
SHIPPED = (("ab-routing", "11_ab_routing"), ("rate-limit", "10_rate_limit"))
MINUTES = 10  # the run-time library is compiled first where it has changed

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


@pytest.mark.parametrize("example", COMPILED)
def test_example(example: str) -> None:
    try_calls(str(EXAMPLES / example / "filter.py"))


def test_claims_of_all_kinds() -> None:
    try_calls(str(Path(__file__).parent / "filters" / "claiming" / "claiming.py"))


@pytest.mark.parametrize(("name", "example"), SHIPPED)
def test_filter_that_ships(name: str, example: str) -> None:
    try_calls(name, "--config", str(EXAMPLES / example / "config.yaml"))


def try_calls(*given: str) -> None:
    """All calls beside the filter or its configuration, through `meshext run`."""
    found = subprocess.run(
        [sys.executable, "-m", "meshext", "run", *given, "--mode", "wasm", "--try"],
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "all as expected" in found.stdout
