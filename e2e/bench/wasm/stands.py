"""An Envoy for each way, seen to decide as the policy says before anything is measured."""

from __future__ import annotations

import http.client
import json
from contextlib import AsyncExitStack
from pathlib import Path

from e2e.bench.cases import METRICS, Variant
from e2e.bench.gateways import ANSWER, build_gateway, find_manager, start_envoy
from e2e.bench.load import LoadError
from e2e.bench.rounds import Stand
from e2e.bench.services import Service, serve
from e2e.bench.wasm.modules import SPEC
from e2e.bench.wasm.policy.policy import REFUSED
from e2e.bench.wasm.ways import KEY, NAME, Way
from meshext.envoy.bootstrap import LISTENER
from meshext.loading import load_needs
from meshext.needs import Needs
from meshext.plan import Plan, build_plan

TOLD = "/told"
"""The path that answers with what the upstream would have got of x-user, in x-told."""


async def raise_stand(way: Way, folder: Path, stack: AsyncExitStack) -> Stand:
    """Start what the way needs; LoadError where it decides otherwise than the policy."""
    service = None
    if way.mode is not None:
        service = await Service.start(serve(SPEC, METRICS))
        stack.push_async_callback(service.stop)
    bootstrap = build_bootstrap(way, folder, service)
    envoy = await start_envoy(bootstrap, folder, listeners=(LISTENER,))
    stack.push_async_callback(envoy.stop)
    stand = Stand(variant=Variant(name=way.name), service=service, envoy=envoy)
    check_decisions(way, envoy.port(LISTENER))
    return stand


def build_bootstrap(way: Way, folder: Path, service: Service | None) -> str:
    """The gateway of the other benchmarks, with the way's filters and a route that tells."""
    address = service.address if service else None
    data = json.loads(build_gateway(folder, plan_of(way), address, None, module=way.module))
    manager = find_manager(data)
    manager["http_filters"][-1:-1] = way.filters
    told = {"header": {"key": "x-told", "value": "%REQ(x-user)%"}}
    route = {"match": {"path": TOLD}, "direct_response": ANSWER, "response_headers_to_add": [told]}
    manager["route_config"]["virtual_hosts"][0]["routes"].insert(0, route)
    return json.dumps(data)


def plan_of(way: Way) -> Plan | None:
    """What the generated configuration follows; none where there is nothing of ours in it."""
    if way.module is not None:
        return build_plan([Needs(name="policy", hooks=frozenset())], "wasm")
    return build_plan(load_needs([SPEC]), way.mode) if way.mode else None


def check_decisions(way: Way, port: int) -> None:
    """A known key, an unknown one and none; what a client says of its own name is never believed."""
    name = NAME if way.decides else "mallory"
    expect(way, port, {"x-key": KEY, "x-user": "mallory"}, (200, name))
    for headers in ({"x-key": "guessed"}, {}):
        expect(way, port, headers, (403, None) if way.decides else (200, None))


def expect(way: Way, port: int, headers: dict[str, str], wanted: tuple[int, str | None]) -> None:
    """One request and its status and x-told."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    link.request("GET", TOLD, headers=headers)
    answer = link.getresponse()
    body = answer.read().decode()
    link.close()
    found = (answer.status, answer.headers.get("x-told"))
    if found != wanted or (answer.status == 403 and not way.filters and body != REFUSED):
        raise LoadError(f"{way.name}: a request with {headers} gave {found} {body!r}, not {wanted}")
