"""What documents say of calls that gRPC makes itself: splits, limits, faults, what is refused, and edits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.mesh.dialing import Dialer, add_dialer, add_greeter, grpc_shop, virtual_service
from e2e.mesh.processes import wait_for
from e2e.mesh.world import World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TARGET = "xds:///echo.shop:50051"
SUBSETS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: shop}
spec: {host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
"""
DENY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: shop}
spec:
  selector: {matchLabels: {app: echo}}
  action: DENY
  rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/stranger]}}]}]
"""
V1, V2 = ("{destination: {host: echo, subset: v1}", "{destination: {host: echo, subset: v2}")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Dialer]]:
    documents = grpc_shop("echo") | {"subsets.yaml": SUBSETS}
    with mesh(tmp_path_factory.mktemp("grpc"), documents) as world:
        add_greeter(world, "echo-1", labels={"version": "v1"})
        add_greeter(world, "echo-2", labels={"version": "v2"})
        dialer = add_dialer(world, "caller-1")
        wait_for("both answer", lambda: dialer.reaches(TARGET) and len(dialer.tally(TARGET)) == 2)
        yield world, dialer


def test_weights_split_the_calls(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    world.write("route.yaml", virtual_service(f"[{{route: [{V1}, weight: 80}}, {V2}, weight: 20}}]}}]"))
    wait_for("most go to v1", lambda: dialer.tally(TARGET, 30)["echo-1"] > 18)
    found = dialer.tally(TARGET, 500)
    assert 60 < found["echo-2"] < 140  # of 500; three standard deviations are 27


def test_headers_and_methods_choose_the_route(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    world.write("route.yaml", virtual_service(f"[{{route: [{V2}}}]}}]"))
    wait_for(
        "v2 answers", lambda: set(dialer.tally(TARGET)) == {"echo-2"}
    )  # what a split could not do by chance
    rules = (
        f"[{{match: [{{headers: {{x-to: {{exact: v2}}}}}}], route: [{V2}}}]}},"
        f" {{match: [{{withoutHeaders: {{x-not: {{exact: v2}}}}, uri: {{prefix: /greet}}}}],"
        f" route: [{V1}}}]}},"
        f" {{route: [{V2}}}]}}]"
    )
    world.write("route.yaml", virtual_service(rules))
    wait_for("all others go to v1", lambda: set(dialer.tally(TARGET)) == {"echo-1"})
    assert answers(dialer, "x-to:v2") == "echo-2"
    assert answers(dialer, "x-not:v1") == "echo-1"
    assert answers(dialer, "x-not:v2") == "echo-2"


def answers(dialer: Dialer, *meta: str) -> str | None:
    reply = dialer.call(TARGET, *meta)["reply"]
    return reply["name"] if reply else None


def test_timeouts_and_retries(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    world.write(
        "route.yaml", virtual_service(f"[{{route: [{V1}}}], timeout: 2s, retries: {{attempts: 0}}}}]")
    )
    slow = {"method": "/greet.Greeter/Slow", "seconds": "25"}  # the application itself would wait so long
    wait_for("it ends", lambda: dialer.call(TARGET, "seconds:20", **slow)["code"] == "DEADLINE_EXCEEDED")
    wait_for("a fast one does not", lambda: dialer.call(TARGET, "seconds:0.01", **slow)["code"] == "OK")


def test_faults_strike(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    fault = "fault: {abort: {grpcStatus: DATA_LOSS, percentage: {value: 100}}}"
    world.write("route.yaml", virtual_service(f"[{{route: [{V1}}}], {fault}}}]"))
    wait_for("calls are aborted", lambda: dialer.call(TARGET)["code"] == "DATA_LOSS")


def test_what_it_can_not_do_is_refused_and_told(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    match = "match: [{uri: {prefix: /greet.Greeter/S}}]"
    rules = f"[{{{match}, route: [{V1}}}], rewrite: {{uri: /x}}}}, {{route: [{V2}}}]}}]"
    world.write("route.yaml", virtual_service(rules))
    got = wait_for("calls end", lambda: refused(dialer))
    assert "inappropriate action" in got
    assert dialer.call(TARGET, method="/greet.Greeter/Other")["reply"]["name"] == "echo-2"
    told = world.ask("describe", "caller-1.shop") or world.ask("describe", "shop/caller-1")
    assert any("as it can not do a rewrite" in line for line in told["warnings"])


def refused(dialer: Dialer) -> str:
    got = dialer.call(TARGET)
    return got["details"] if got["code"] == "UNAVAILABLE" else ""


def test_a_refusal_is_shown(town: tuple[World, Dialer]) -> None:
    """An expression that looks right to us and to nobody who compiles it."""
    world, dialer = town
    world.write("route.yaml", virtual_service(f"[{{route: [{V1}}}]}}]"))
    wait_for("v1 answers", lambda: set(dialer.tally(TARGET)) == {"echo-1"})
    bad = f"[{{match: [{{uri: {{regex: '/[[:nothing:]]/.*'}}}}], route: [{V2}}}]}}]"
    world.write("route.yaml", virtual_service(bad))
    errors = wait_for("it is told", lambda: list(nacks(world, "caller-1.shop")))
    assert "invalid character class" in errors[0]
    assert set(dialer.tally(TARGET)) == {"echo-1"}  # the last good one


def nacks(world: World, proxy: str) -> Iterator[str]:
    for each in world.ask("proxy-status"):
        for part in each["types"].values():
            if each["proxy"] == proxy and part["state"] == "NACKED":
                yield part["error"]


def test_edits_under_load_fail_no_call(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    world.write("route.yaml", virtual_service(f"[{{route: [{V1}}}]}}]"))
    wait_for("v1 answers", lambda: set(dialer.tally(TARGET)) == {"echo-1"})
    dialer.load(TARGET)
    for number in range(30):
        chosen = (V1, V2)[number % 2]
        world.write("route.yaml", virtual_service(f"[{{route: [{chosen}}}], timeout: {10 + number}s}}]"))
        before = dialer.load(TARGET)["names"].get(f"echo-{number % 2 + 1}", 0)
        wait_for(
            f"edit {number} is there",
            lambda: dialer.load(TARGET)["names"].get(f"echo-{number % 2 + 1}", 0) > before,  # noqa: B023
        )
    got = dialer.enough(TARGET)
    assert (got["kinds"], got["problems"]) == ({"OK": got["count"]}, [])


def test_a_denied_identity_is_denied(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    world.write("route.yaml", virtual_service(f"[{{route: [{V1}}}]}}]"))
    world.write("deny.yaml", DENY)
    stranger = add_dialer(world, "stranger-1")
    wait_for("the stranger is denied", lambda: denied(stranger))
    assert dialer.call(TARGET)["code"] == "OK"


def denied(dialer: Dialer) -> bool:
    try:
        return bool(dialer.call(TARGET)["code"] == "PERMISSION_DENIED")
    except OSError:
        return False
