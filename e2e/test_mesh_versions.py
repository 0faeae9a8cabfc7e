"""Envoy 1.40 and 1.38 in one mesh, each with both protocols: everything that we write, taken by all four."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import Member, World, mesh
from tests.older_envoy import OLDER, find_older

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(300)]

DOCUMENTS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop}
spec:
  hosts: [checkout]
  http:
    - match: [{uri: {exact: /teapot}}]
      directResponse: {status: 418}
    - match: [{uri: {prefix: /broken}}]
      fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
      route: [{destination: {host: checkout}}]
    - match: [{uri: {regex: "/v[0-9]+/.*"}, headers: {user-agent: {prefix: Python}}}, {uri: {prefix: /old}}]
      rewrite: {uri: /new}
      headers: {request: {set: {x-route: rewritten}}}
      retries: {attempts: 2, perTryTimeout: 2s, retryOn: "5xx,reset"}
      timeout: 10s
      mirror: {host: checkout, subset: first}
      route: [{destination: {host: checkout, subset: first}}]
    - route:
        - {destination: {host: checkout, subset: first}, weight: 50}
        - {destination: {host: checkout, subset: second}, weight: 50}
      corsPolicy: {allowOrigins: [{exact: "https://shop.test"}], allowMethods: [GET]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: checkout, namespace: shop}
spec:
  host: checkout
  trafficPolicy:
    loadBalancer: {simple: LEAST_REQUEST, localityLbSetting: {failoverPriority: [version]}}
    connectionPool: {tcp: {maxConnections: 100, connectTimeout: 3s}, http: {http2MaxRequests: 100}}
    outlierDetection: {consecutive5xxErrors: 50, interval: 10s}
  subsets: [{name: first, labels: {version: v1}}, {name: second, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: shop}
spec:
  hosts: [outside.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}, {number: 443, protocol: TLS, name: tls}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  action: DENY
  rules: [{to: [{operation: {paths: [/admin*, "/files/{**}"]}}], from: [{source: {namespaces: [shop]}}]}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  jwtRules: [{issuer: "https://issuer.test", jwks: '{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: all, namespace: shop}
spec:
  accessLogging: [{providers: [{name: envoy}], filter: {expression: "response.code >= 500"}}]
  metrics: [{overrides: [{tagOverrides: {host: {value: request.host}}}]}]
---
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: stamp, namespace: shop}
spec: {selector: {matchLabels: {app: checkout}}, filter: "FOLDER/stamp.py:Stamp"}
---
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: mark, namespace: shop}
spec: {selector: {matchLabels: {app: checkout}}, filter: "FOLDER/stamp.py:Mark"}
"""
FILTERS = """\
from meshext import Filter, Request, Response


class Stamp(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-stamp"] = "authz"


class Mark(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-mark"] = "proc"

    def on_response(self, response: Response) -> None:
        response.headers["x-marked"] = "proc"
"""
KINDS = list(product((OLDER, "1.40.0"), ("delta", "sotw")))


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """For each version and protocol one that calls and one that is called."""
    older = str(find_older(request.config))
    (tmp_path / "stamp.py").write_text(FILTERS)
    documents = DOCUMENTS.replace("FOLDER", str(tmp_path))
    with mesh(tmp_path, shop("checkout") | {"all.yaml": documents}) as made:
        for number, (version, protocol) in enumerate(KINDS):
            options = ["--sotw"] if protocol == "sotw" else []
            environment = {"MESHEXT_ENVOY": older} if version == OLDER else {}
            labels = {"version": f"v{number % 2 + 1}"}
            made.add(f"checkout-{number}", *options, labels=labels, environment=environment)
            made.add(f"storefront-{number}", *options, environment=environment)
        yield made


def found(world: World) -> list[tuple[str, str]]:
    return sorted((each["envoy"], each["protocol"]) for each in world.ask("proxy-status") or [])


def refused(world: World) -> list[str]:
    """What an Envoy has said no to."""
    types = [each for proxy in world.ask("proxy-status") for each in proxy["types"].values()]
    return [each["error"] for each in types if each["state"] == "NACKED"]


def status(member: Member, path: str) -> int:
    return int(member.call(f"http://checkout{path}")["status"])


def is_edited(member: Member) -> bool:
    return status(member, "/teapot") == 419


def test_four_kinds_of_envoys_in_one_mesh(world: World) -> None:
    callers, checkouts = world.members[1::2], world.members[::2]
    for each in callers:
        wait_for(f"{each.name} is answered", partial(each.reaches, "checkout"), patience=120)
    wait_for("all are synced", world.synced, patience=120)
    assert found(world) == sorted(KINDS * 2)
    assert refused(world) == []
    for each in callers:
        assert [status(each, path) for path in ("/teapot", "/broken", "/admin", "/files/a")] == [
            418,
            555,
            403,
            403,
        ]
        answer = each.call("http://checkout/old/one")
        assert all(text in answer["body"] for text in ('"path": "/new', "rewritten", '"authz"', '"proc"'))
        assert answer["headers"]["x-marked"] == "proc"
    names = {each.call("http://checkout/")["body"].partition('"name": "')[2][:10] for each in callers * 8}
    assert names == {each.name for each in checkouts}

    world.write("all.yaml", (world.documents / "all.yaml").read_text().replace("status: 418", "status: 419"))
    for each in callers:
        wait_for(f"{each.name} has the edit", partial(is_edited, each))
    wait_for("all are synced", world.synced)
    assert refused(world) == []
