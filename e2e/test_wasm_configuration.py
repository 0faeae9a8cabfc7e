"""A wrong configuration is refused by the module itself, as when another control plane sends it.

Envoy says only that it can not make the plugin; path and reason are in its log, and the filter that was there
stays in force.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meshext.envoy.bootstrap import LISTENER, Gateway
from meshext.envoy.dynamic import build_dynamic_bootstrap, write_clusters, write_listener
from meshext.envoy.emit import to_json
from meshext.envoy.logs import LogLine
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import Upstream, parse_address
from meshext.envoy.wasm_filter import Module
from meshext.plan import build_plan
from meshext.plugins import load_filter
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.cli.runtime import to_configuration
from tests.conformance.background import Background
from tests.conformance.case import Arrived, Send
from tests.conformance.client import exchange
from tests.conformance.upstream import ScriptedUpstream
from tests.conformance.waiting import wait_for

MINUTES = 10  # the run-time library is compiled first where it has changed

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

SPEC = str(Path(__file__).parents[1] / "filters/examples/05_rewrite_and_reroute/filter.py")
RULES = 1000
REJECTED, TAKEN = "listener_manager.lds.update_rejected", "listener_manager.lds.update_success"


class Delivered:
    """Envoy, to which modules are delivered one after the other; `log` is what the modules say there."""

    def __init__(self, folder: Path, spec: str, configuration: str) -> None:
        built = build_filters([spec], user_cache())
        self.module = Module(name=built.name, code=built.code)
        self.log: list[str] = []
        self._folder = folder
        self._background = Background()
        self._upstream = ScriptedUpstream("main")
        address = self._background.run(self._upstream.start())
        self._gateway = Gateway(
            upstreams=(Upstream("main", parse_address(address), grpc=False),),
            admin=folder / "admin.sock",
            plan=build_plan(built.needs, "wasm"),
            module=self.module,
        )
        self._version = 0
        self.write(configuration)
        self._envoy = self._background.run(self._start())

    def write(self, configuration: str) -> None:
        """Give Envoy this configuration."""
        self._version += 1
        module = replace(self.module, configuration=configuration)
        write_listener(replace(self._gateway, module=module), self._folder, self._version)

    def deliver(self, configuration: str) -> str:
        """Give it, and wait for what Envoy says: which of its counters went up."""
        before = self._stats()
        self.write(configuration)
        found: list[str] = []

        def answered() -> bool:
            now = self._stats()
            found[:] = [name for name in (REJECTED, TAKEN) if now.get(name, 0) > before.get(name, 0)]
            return bool(found)

        wait_for(answered)
        return found[0]

    def version(self) -> str | None:
        """What the filter in force writes."""
        self._upstream.arrived = None
        exchange(self._envoy.port(LISTENER), Send(target="/shop/find", headers=(("x-user", "ann"),)))
        arrived: Arrived | None = self._upstream.arrived
        return arrived.headers.get("x-version") if arrived else None

    def status(self, target: str) -> int:
        """How a request is answered."""
        return exchange(self._envoy.port(LISTENER), Send(target=target)).status

    def stop(self) -> None:
        self._background.run(self._envoy.stop())
        self._background.run(self._upstream.close())
        self._background.close()

    def _stats(self) -> dict[str, int]:
        return self._background.run(self._envoy.admin.stats("lds.update"))

    async def _start(self) -> EnvoyProcess:
        write_clusters([], self._folder, 1)
        return await EnvoyProcess.start(
            to_json(build_dynamic_bootstrap(self._gateway, self._folder)),
            self._folder / "envoy",
            on_log=self._on_log,
            listeners=[LISTENER],
            concurrency=2,
        )

    def _on_log(self, line: LogLine) -> None:
        self.log.append(line.message)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivered]:
    delivered = Delivered(tmp_path_factory.mktemp("envoy"), SPEC, '{"share": 0}')
    yield delivered
    delivered.stop()


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ('{"share": 130}', "share is 130; write a whole number from 0 to 100"),
        ('{"share": "3", "sale": 1}', "share: expected a whole number, got '3'"),
        ('{"share": "3", "sale": 1}', "sale: unknown key"),
        ("{}", "share: missing, expected a whole number"),
        ('{"share": }', "line 1, column 11: not JSON"),
    ],
)
def test_a_wrong_configuration_is_refused_and_the_filter_before_stays(
    envoy: Delivered, configuration: str, reason: str
) -> None:
    assert envoy.version() == "v1"
    envoy.log.clear()
    assert envoy.deliver(configuration) == REJECTED
    wait_for(lambda: any(reason in line for line in envoy.log))
    assert any("configuration refused: " in line and reason in line for line in envoy.log), envoy.log
    assert envoy.version() == "v1"


def test_after_a_refusal_the_next_one_is_taken(envoy: Delivered) -> None:
    assert envoy.deliver('{"share": 101}') == REJECTED
    assert envoy.deliver('{"share": 100}') == TAKEN
    wait_for(lambda: envoy.version() == "v2")
    assert envoy.version() == "v2"


def test_a_thousand_rules_are_taken_and_the_last_one_decides(tmp_path: Path) -> None:
    def rules(first: int) -> str:
        numbers = range(first, first + RULES)
        operations = [
            {"operation": {"methods": ["GET"], "paths": [f"/v{n}/{{*}}", f"/w{n}/*"]}} for n in numbers
        ]
        about = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
        documents = [
            {
                **about,
                "metadata": {"name": f"p{at}", "namespace": "shop"},
                "spec": {"rules": [{"to": [each]}]},
            }
            for at, each in enumerate(operations)
        ]
        path = tmp_path / "config.yaml"
        path.write_text(json.dumps({"policies": documents, "namespace": "shop"}), encoding="utf-8")
        return to_configuration([load_filter("authorization-policy")], [str(path)])

    delivered = Delivered(tmp_path, "authorization-policy", rules(0))
    try:
        assert [delivered.status(f"/v{n}/a") for n in (0, RULES - 1, RULES)] == [200, 200, 403]
        assert delivered.deliver(rules(RULES)) == TAKEN
        wait_for(lambda: delivered.status(f"/v{2 * RULES - 1}/a") == 200)
        assert delivered.status("/v0/a") == 403
    finally:
        delivered.stop()
