"""gRPC health of `meshext serve`: for whoever asks by hand, and for Envoy's own health checks."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from e2e.front import Change, Front, at, fronting
from e2e.stage import FILTERS, wait_for
from e2e.under_load import under_load
from e2e.watched import serving
from meshext.hosts import ext_authz, ext_proc

pytestmark = pytest.mark.slow

HOLDS, WATCHES = f"{FILTERS}/held.py:Holds", f"{FILTERS}/passing.py:Watches"
DEADLINE = 20.0  # seconds
OK, NOT_SERVING, UNKNOWN = "SERVING", "NOT_SERVING", "NOT_FOUND"


class Asker:
    """A client of the health service with one connection."""

    def __init__(self, port: int) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)])
        self._stub: Any = health_pb2_grpc.HealthStub(self.channel)

    def ask(self, name: str) -> str:
        """The status of that name; a gRPC error's code where there is none."""
        try:
            reply = self._stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=DEADLINE)
        except grpc.RpcError as error:
            return str(error.code().name)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))

    def watch(self, name: str) -> Iterator[str]:
        """Each status that the name comes to have."""
        for reply in self._stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=DEADLINE):
            yield health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        ((HOLDS,), {"": OK, "holds": OK, ext_authz.SERVICE: OK, ext_proc.SERVICE: OK}),
        (
            (HOLDS, WATCHES),  # the latter's hooks need ext_proc
            {"": OK, "holds": OK, "watches": OK, ext_authz.SERVICE: NOT_SERVING, ext_proc.SERVICE: OK},
        ),
    ],
    ids=["one filter", "two filters"],
)
def test_each_name_has_a_status(specs: tuple[str, ...], names: dict[str, str]) -> None:
    first, *others = specs
    with serving(first, *others, "--workers", "2") as served, Asker(served.port) as asker:
        assert {name: asker.ask(name) for name in names} == names
        for name in ("Holds", "hold", "envoy.service.auth.v2.Authorization", "/"):
            assert asker.ask(name) == UNKNOWN


@pytest.mark.envoy
def test_nobody_is_sent_to_who_drains(tmp_path: Path) -> None:
    """While an exchange is open, who is connected is told at once; nobody else can connect."""
    config = json.dumps({"until": f"{tmp_path}/go"})
    with (
        serving(HOLDS, "--config", config, "--drain", "5") as served,
        fronting(HOLDS, "authz", at(served.port)) as front,
        Asker(served.port) as asker,
        ThreadPoolExecutor() as pool,
    ):
        statuses = asker.watch("holds")
        assert next(statuses) == OK
        held = pool.submit(front.send, **{"x-hold": "1"})
        assert wait_for(lambda: any("holds /" in line for line in served.lines))
        served.process.send_signal(signal.SIGTERM)
        assert next(statuses) == NOT_SERVING
        for name in ("", "holds", ext_authz.SERVICE, ext_proc.SERVICE):
            assert asker.ask(name) == NOT_SERVING
        with Asker(served.port) as late:
            assert late.ask("holds") == "UNAVAILABLE"
        (tmp_path / "go").touch()
        assert held.result(DEADLINE).header("x-seen") == "yes"


def checking(name: str) -> Change:
    """Let Envoy check the service's health by that name, often."""

    def change(bootstrap: dict[str, Any]) -> None:
        (cluster,) = [each for each in bootstrap["static_resources"]["clusters"] if each["name"] == "meshext"]
        cluster["health_checks"] = [
            {
                "timeout": "2s",
                "interval": "0.1s",
                "no_traffic_interval": "0.1s",
                "unhealthy_interval": "0.1s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "grpc_health_check": {"service_name": name},
            }
        ]

    return change


@pytest.mark.envoy
def test_envoy_leaves_who_drains() -> None:
    """Two services, of which one is stopped under load: Envoy goes to the other, and no request fails."""
    with (
        serving(HOLDS, "--watch") as leaving,
        serving(HOLDS) as staying,
        fronting(HOLDS, "proc", at(leaving.port, staying.port), change=checking("holds")) as front,
    ):
        assert wait_for(lambda: healthy(front) == 2)
        with under_load(front.port, judge=lambda got: f"{got.status} {got.header('x-seen')}") as load:
            assert wait_for(lambda: load.count > 100)
            leaving.process.send_signal(signal.SIGTERM)
            assert wait_for(lambda: healthy(front) == 1)
            before = load.count
            assert wait_for(lambda: load.count > before + 100)
        assert set(load.kinds) == {"200 yes"}
        assert leaving.process.wait(DEADLINE) == 0


@pytest.mark.envoy
def test_envoy_believes_no_other_name() -> None:
    with (
        serving(HOLDS) as served,
        fronting(HOLDS, "authz", at(served.port), change=checking("other")) as front,
    ):
        assert wait_for(lambda: front.stats(r"cluster\.meshext\.health_check\.failure$") > 1)
        assert healthy(front) == 0


def healthy(front: Front) -> int:
    """How many services Envoy sends requests to."""
    return front.stats(r"cluster\.meshext\.membership_healthy$")
