"""The four policies that ship with us in one service, in the real Envoy, in both modes, as the example is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from e2e.prometheus import total
from e2e.stage import wait_for
from meshext.config import parse_document, read_config
from meshext.plan import Mode
from meshext.sandbox import Options, Proxy, build_setup
from meshext.sandbox.calls import Example, find_example, try_call

pytestmark = pytest.mark.envoy

FOLDER = Path(__file__).parents[1] / "filters" / "examples" / "13_together"
CHAIN = ("telemetry", "authorization-policy", "rate-limit", "ab-routing")
EXAMPLE: Example = find_example(CHAIN[0], str(FOLDER / "config.yaml"))


def config_for(mode: Mode) -> str:
    """The example's; ext_authz sees no end of an exchange, so telemetry counts requests alone there."""
    config: Any = parse_document(read_config(str(FOLDER / "config.yaml")))
    if mode == "authz":
        config["telemetry"]["metrics"] = ["requests"]
    return json.dumps(config)


class Together:
    """A proxy in front of the four, after the example's calls."""

    def __init__(self, mode: Mode) -> None:
        options = Options(
            specs=CHAIN,
            config=(config_for(mode),),
            mode=mode,
            upstream=tuple(f"{name}=echo" for name in EXAMPLE.echoes),
            routes=EXAMPLE.routes,
            jwt=EXAMPLE.jwt,
            workers=2,
            metrics="127.0.0.1:0",
        )
        self.mode = mode
        self.proxy = Proxy.start(build_setup(options))
        self.metrics_url = self.proxy.wait_for_log("metrics are at http").rpartition(" ")[2]
        self.results = [try_call(call, self.proxy.url) for call in EXAMPLE.calls]

    def total(self, name: str, **labels: str) -> float:
        return total(urlsplit(self.metrics_url).port or 0, name, **labels)

    def comes_to(self, number: float, name: str, **labels: str) -> bool:
        return wait_for(lambda: self.total(name, **labels) == number)


@pytest.fixture(scope="module", params=["authz", "proc"])
def together(request: pytest.FixtureRequest) -> Iterator[Together]:
    found = Together(request.param)
    yield found
    found.proxy.stop()


def test_every_call_ends_as_the_example_says(together: Together) -> None:
    assert {each.call.name: each.problems for each in together.results if each.problems} == {}


def test_each_counts_what_came_to_it(together: Together) -> None:
    """Nine calls; two are refused by authorization, one by the limit, six meet the experiment."""
    assert together.comes_to(9, "http_server_requests_total")
    assert together.comes_to(6, "http_server_requests_total", tenant="acme")
    assert together.comes_to(7, "authorization_decisions_total", verdict="allowed")
    assert together.comes_to(2, "authorization_decisions_total", verdict="denied")
    assert together.comes_to(6, "rate_limit_requests_total", rule="per-user", outcome="passed")
    assert together.comes_to(1, "rate_limit_requests_total", rule="per-user", outcome="refused")
    assert together.comes_to(6, "ab_routing_exposures_total", experiment="checkout", how="split")


def test_telemetry_sees_what_others_answered(together: Together) -> None:
    if together.mode == "authz":
        assert together.total("http_server_request_duration_seconds_count") == 0
        return
    for status, number in (("200", 6), ("403", 2), ("429", 1)):
        assert together.comes_to(
            number, "http_server_request_duration_seconds_count", http_response_status_code=status
        )


def metadata_of(line: str) -> dict[str, dict[str, Any]]:
    """What filters wrote, by the access log."""
    found: dict[str, dict[str, Any]] = json.loads(line[line.index("{") : line.rindex("}") + 1])
    return found


@pytest.mark.parametrize(
    ("call", "dry_run", "more"),
    [
        ("GET /orders/7 -> 403", "denied", {}),
        ("GET /orders/7 -> 200", "allowed", {"meshext.ab-routing": {"checkout": "v1"}}),
        ("POST /orders -> 200", "denied", {"meshext.ab-routing": {"checkout": "v1"}}),
        ("POST /orders -> 429", "denied", {"meshext.rate-limit": {"refused": ["per-user"]}}),
    ],
)
def test_the_access_log_has_what_each_wrote(
    call: str, dry_run: str, more: dict[str, Any], together: Together
) -> None:
    metadata = metadata_of(together.proxy.wait_for_log(f"access .*{call}"))
    assert metadata.pop("meshext.telemetry")["route"] == call.split()[1].replace("7", "{id}")
    assert metadata.pop("meshext.authorization-policy")["dry_run"] == dry_run
    metadata.pop("meshext", None)  # details of a denied answer, where ext_authz has no place for them
    assert metadata == more


def test_a_tenant_out_of_the_token_chose_the_version(together: Together) -> None:
    for line in (line for line in together.proxy.logs if " access " in line and '"checkout"' in line):
        metadata = metadata_of(line)
        version = {"acme": "v1", "bolt": "v2"}[metadata["meshext.telemetry"]["tenant"]]
        assert metadata["meshext.ab-routing"] == {"checkout": version}
        assert f"upstream {version}" in line
