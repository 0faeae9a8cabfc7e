"""An explicit sidecar: a STRICT port, a PERMISSIVE one, one of TCP, and its application's HTTP proxy."""

from __future__ import annotations

import json
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from e2e.attacks import Attack, Sender, http1
from e2e.mesh.world import next_address
from e2e.raw import RawUpstream, Where, raw_upstream, send_bytes, status_of
from e2e.ways.attempts import tunnels
from e2e.ways.ground import Ground
from e2e.ways.keys import serving_keys
from e2e.ways.networks import POD, Network, connected_networks, why_none
from e2e.ways.rows import KINDS
from e2e.ways.scene import Scene, authentication, policies

MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomain: td.test}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  mtls: {mode: STRICT}
  portLevelMtls: {"8081": {mode: PERMISSIVE}, "8083": {mode: PERMISSIVE}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: shop}
spec:
  hosts: [a.test, secret.test, evil.test]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: UPSTREAM}}]
---
kind: Workload
name: web
namespace: shop
address: ADDRESS
labels: {app: web}
ports:
  - {number: 8080, protocol: http, name: http, application: "127.0.0.1:STRICT"}
  - {number: 8081, protocol: http, name: http-open, application: "127.0.0.1:OPEN"}
  - {number: 8082, protocol: tcp, name: tcp, application: "127.0.0.1:STRICT"}
  - {number: 8083, protocol: tcp, name: tcp-open, application: "127.0.0.1:OPEN"}
"""
PROXY = 15001
STRICT, OPEN = (8080, 8082), (8081, 8083)
"""Ports of HTTP and of TCP."""


def at(where: Where, data: bytes, *, plain: bool = False) -> Sender:
    """The request to somewhere else than the listener itself."""

    def send(_: Where, tls: ssl.SSLContext | None) -> int:
        return status_of(send_bytes(where, data, None if plain else tls, patience=1.0))

    return send


def at_tcp(where: Where) -> list[Attack]:
    """HTTP at a port that was told to be TCP."""
    requests = {
        "GET /admin": http1("/admin"),
        "a role": http1("/x", "x-role: banned"),
        "GET /mesh/x": http1("/mesh/x"),
        "a host": http1("/x", host="secret.test"),
    }
    return [Attack(50, name, at(where, data)) for name, data in requests.items()]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an explicit sidecar is: a network of its own, with peers in another, or this machine's."""

    address: str
    pod: Network | None = None
    outside: Network | None = None

    def enter(self, network: Network | None) -> None:
        if network is not None:
            network.enter()


def find_place(stack: ExitStack) -> Place:
    """A network of its own where this machine can have one."""
    if why_none():
        return Place(next_address())
    return Place(POD, *stack.enter_context(connected_networks()))


def open_sidecar(scene: Scene, stack: ExitStack, runtime: str) -> dict[str, Ground]:
    """Its listeners."""
    place = find_place(stack)
    inside = place.pod.inside if place.pod else lambda work: work()
    strict, free, outside = (inside(lambda: stack.enter_context(raw_upstream())) for _ in range(3))
    keys = inside(lambda: stack.enter_context(serving_keys(scene.issuers.mallory.jwks())))
    scene.issuers.attacker = keys.url
    text = MESH.replace("ADDRESS", place.address).replace("UPSTREAM", str(outside.port))
    text = text.replace(":STRICT", f":{strict.port}").replace(":OPEN", f":{free.port}")
    documents = [authentication(scene.issuers, keys.url), *policies(runtime, "inbound")]
    if runtime != "native":
        documents += policies(runtime, "outbound")
    background = place.pod.background(stack) if place.pod else None
    scene.proxy(stack, [text, *map(json.dumps, documents)], background=background)
    tokens = scene.issuers.tokens()
    inbound = (("strict", STRICT, strict, "other"), ("open", OPEN, free, ""))
    grounds = [
        Ground(
            kind=(kind := KINDS[f"inbound {name}"]),
            runtime=runtime,
            where=(place.address, ports[0]),
            upstream=upstream,
            tokens={**tokens, "ground": f"{kind.name} {runtime}"},
            contexts=scene.contexts() if kind.proves else {},
            stranger=stranger,
            own=[*tunnels(f"{place.address}:{ports[0]}"), *at_tcp((place.address, ports[1]))],
            enter=partial(place.enter, place.outside),
            keys=keys,
        )
        for name, ports, upstream, stranger in inbound
    ]
    if runtime != "native":
        grounds.append(outbound(runtime, place, outside))
    return {each.kind.name: each for each in grounds}


def outbound(runtime: str, place: Place, upstream: RawUpstream) -> Ground:
    """Its application's HTTP proxy."""
    own = [*tunnels("a.test:80"), *tunnels("secret.test:80"), *from_inside(place.address, upstream.port)]
    if place.outside is not None:
        own += from_another_machine(place.outside, place.address, (PROXY,))
    return Ground(
        kind=KINDS["outbound"],
        runtime=runtime,
        where=(place.address, PROXY),
        upstream=upstream,
        tokens={"ground": f"outbound {runtime}"},
        own=own,
        enter=partial(place.enter, place.pod),
    )


def from_inside(address: str, port: int) -> list[Attack]:
    """What an application may ask its HTTP proxy for beside the services that documents name."""
    found = []
    for row, name in ((49, f"127.0.0.1:{port}"), (51, f"localhost:{port}"), (51, f"127.1:{port}")):
        found.append(Attack(row, name, http1("/admin", host=name)))
        found.append(Attack(row, f"{name}, a role", http1("/x", "x-role: banned", host=name)))
        found.append(Attack(row, f"{name}, in the target", http1(f"http://{name}/admin", host="a.test")))
        found += [Attack(row, each.label, each.data, patience=1.0) for each in tunnels(name)]
    for name in (f"{address}:{PROXY}", f"localhost:{PROXY}", f"{address}:8080"):
        found.append(Attack(53, f"back to {name}", http1("/admin", host=name), patience=2.0))
        found += [Attack(53, each.label, each.data, patience=1.0) for each in tunnels(name)]
    return found


def from_another_machine(outside: Network, address: str, ports: tuple[int, ...]) -> list[Attack]:
    """What another machine may ask of the listeners that are for the application alone."""
    found = []
    for port in ports:
        for host in ("a.test", f"{address}:{port}", "127.0.0.1"):
            send = at((address, port), http1("/x", host=host), plain=True)
            found.append(Attack(55, f"{host} at {port}", partial(ask_there, outside, send)))
    return found


def ask_there(network: Network, send: Sender, where: Where, tls: ssl.SSLContext | None) -> int:
    """The status of what is sent in another network than the caller's; 0 where it is refused."""

    def ask() -> int:
        try:
            return send(where, tls)
        except OSError:
            return 0

    status = network.inside(ask)
    assert status == 0, "another machine was answered by a listener that is for the application alone"
    return status
