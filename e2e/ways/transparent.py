"""A transparent sidecar in a network of its own, with its rules; peers come from another one."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from e2e.attacks import Attack, http1
from e2e.raw import RawUpstream, raw_upstream
from e2e.ways.attempts import tunnels
from e2e.ways.ground import Ground
from e2e.ways.keys import KeyServer, serving_keys
from e2e.ways.networks import OUTSIDE, OUTSIDE6, POD, POD6, Network, connected_networks
from e2e.ways.rows import KINDS
from e2e.ways.scene import Scene, authentication, policies
from e2e.ways.sidecars import at, at_tcp, from_another_machine
from meshext.envoy.binary import find_envoy
from meshext_controlplane.agent.interception.settings import USER
from meshext_controlplane.model.proxy import Transparent

MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomain: td.test, outboundTrafficPolicy: {mode: MODE}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  mtls: {mode: STRICT}
  portLevelMtls: {"8081": {mode: PERMISSIVE}, "8083": {mode: PERMISSIVE}, "7001": {mode: PERMISSIVE}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: shop}
spec:
  hosts: [a.test, secret.test, evil.test]
  addresses: [198.18.7.1]
  ports:
    - {number: 80, name: http, protocol: HTTP}
    - {number: 90, name: tcp, protocol: TCP}
  resolution: STATIC
  endpoints: [{address: 198.18.7.1}]
---
kind: Workload
name: web
namespace: shop
address: 198.18.7.2
labels: {app: web}
ports:
  - {number: 8080, protocol: http, name: http, application: "127.0.0.1:8080"}
  - {number: 8081, protocol: http, name: http-open, application: "127.0.0.1:8081"}
  - {number: 8082, protocol: tcp, name: tcp, application: "127.0.0.1:8082"}
  - {number: 8083, protocol: tcp, name: tcp-open, application: "127.0.0.1:8083"}
"""
RULES = (
    "from meshext_controlplane.agent.interception.applying import intercept;"
    "from meshext_controlplane.agent.interception.settings import Interception;"
    "intercept(Interception())"
)
OWN_PORTS = (15001, 15006, 15053)
STRICT, OPEN = (8080, 8082, 7000), (8081, 8083, 7001)
"""Ports of HTTP, of TCP, and of which nobody has told."""

ELSEWHERE = 8000
"""A port outside that no document names."""

WORLD = (80, 90, ELSEWHERE)


CAPABILITIES = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override", "--pdeathsig", "KILL")
AS_SIDECAR = ("setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", *CAPABILITIES)
"""As the sidecar's user, who may read everything: where no agent starts Envoy, its files are root's."""


def write_start(folder: Path) -> Path:
    """A program that starts Envoy as that user."""
    script = folder / "start-envoy"
    script.write_text(f'#!/bin/sh\nexec {" ".join(AS_SIDECAR)} {find_envoy()} "$@"\n')
    script.chmod(0o700)
    return script


def upstream_in(stack: ExitStack, network: Network, address: str, *ports: int) -> RawUpstream:
    """An application at these ports of a network."""

    def begin() -> RawUpstream:
        made = stack.enter_context(raw_upstream(address, ports[0]))
        for port in ports[1:]:
            made.listen(address, port)
        for port in ports:
            made.listen("::", port)
        return made

    return network.inside(begin)


def start(scene: Scene, stack: ExitStack, runtime: str, pod: Network, mode: str) -> KeyServer:
    """The sidecar's rules and its Envoy in the pod, and the keys that it fetches there."""
    keys = pod.inside(lambda: stack.enter_context(serving_keys(scene.issuers.mallory.jwks())))
    scene.issuers.attacker = keys.url
    documents = [authentication(scene.issuers, keys.url), *policies(runtime, "inbound")]
    if runtime != "native":
        documents += policies(runtime, "outbound")
    pod.run(sys.executable, "-c", RULES)
    texts = [MESH.replace("MODE", mode), *map(json.dumps, documents)]
    background = pod.background(stack)
    scene.proxy(stack, texts, transparent=Transparent(), background=background, envoy=write_start)
    return keys


def open_transparent(scene: Scene, stack: ExitStack, runtime: str) -> dict[str, Ground]:
    """Its listeners, where what no document names is passed on."""
    pod, outside = stack.enter_context(connected_networks())
    strict, free = (upstream_in(stack, pod, "0.0.0.0", *ports) for ports in (STRICT, OPEN))
    world = upstream_in(stack, outside, OUTSIDE, *WORLD)
    keys = start(scene, stack, runtime, pod, "ALLOW_ANY")
    tokens = scene.issuers.tokens()
    inbound = (("strict", STRICT, strict, "other"), ("open", OPEN, free, ""))
    grounds = [
        Ground(
            kind=(kind := KINDS[f"transparent inbound {name}"]),
            runtime=runtime,
            where=(POD, ports[0]),
            upstream=upstream,
            tokens={**tokens, "ground": f"{kind.name} {runtime}"},
            contexts=scene.contexts() if kind.proves else {},
            stranger=stranger,
            own=from_outside(*ports),
            enter=outside.enter,
            keys=keys,
        )
        for name, ports, upstream, stranger in inbound
    ]
    if runtime != "native":
        grounds.append(outbound("transparent outbound", runtime, pod, outside, world))
    return {each.kind.name: each for each in grounds}


def open_registry(scene: Scene, stack: ExitStack, runtime: str) -> dict[str, Ground]:
    """Its outbound listener where what no document names is refused."""
    pod, outside = stack.enter_context(connected_networks())
    world = upstream_in(stack, outside, OUTSIDE, *WORLD)
    start(scene, stack, runtime, pod, "REGISTRY_ONLY")
    name = "transparent outbound registry"
    return {name: outbound(name, runtime, pod, outside, world)}


def outbound(name: str, runtime: str, pod: Network, outside: Network, world: RawUpstream) -> Ground:
    """What an application's connections come to."""
    return Ground(
        kind=KINDS[name],
        runtime=runtime,
        where=(OUTSIDE, 80),
        upstream=world,
        tokens={"ground": f"{name} {runtime}"},
        own=[*from_inside(), *from_another_machine(outside, POD, OWN_PORTS)],
        enter=pod.enter,
    )


def from_outside(port: int, tcp: int, untold: int) -> list[Attack]:
    """What a peer may try at another's network."""
    found = [*tunnels(f"{POD}:{port}"), *at_tcp((POD, tcp))]
    denied = {
        "GET /admin": http1("/admin"),
        "a role": http1("/x", "x-role: banned"),
        "a name": http1("/mesh/x"),
    }
    for name, data in denied.items():
        found.append(Attack(51, f"{name} at a port that nobody has told of", at((POD, untold), data)))
        for own in OWN_PORTS:
            for plain in (True, False):
                where = f"{name} at {own}{', plain' if plain else ''}"
                found.append(Attack(48, where, at((POD, own), data, plain=plain)))
        asked = f"PROXY TCP4 {OUTSIDE} 127.0.0.1 1 {port}\r\n".encode()
        found.append(Attack(48, f"{name} behind PROXY", at((POD, 15006), asked + data, plain=True)))
        for name6 in (POD6,):
            found.append(Attack(54, f"{name} at {name6}", at((name6, port), data, plain=True)))
            found.append(Attack(54, f"{name} at {name6}, TLS", at((name6, port), data)))
    for host in (f"{POD}:15001", f"{POD}:15006", f"127.0.0.1:{untold}", f"127.0.0.6:{port}"):
        found.append(Attack(53, host, at((POD, port), http1("/admin", host=host))))
        found.append(Attack(53, f"{host}, in the target", at((POD, port), http1(f"http://{host}/admin"))))
    return found


HIDDEN = {
    "an empty line first": b"\r\n" + http1("/admin"),
    "two empty lines first": b"\r\n\r\n" + http1("/admin"),
    "a bare line feed first": b"\n" + http1("/admin"),
    "a blank first": b" " + http1("/admin"),
    "two blanks": http1("/admin").replace(b" /admin ", b"  /admin  "),
    "a tab": http1("/admin").replace(b" /admin ", b"\t/admin "),
    "a method in lower case": http1("/admin", method="get"),
    "a method of its own": http1("/admin", method="LOOK"),
    "a very long method": http1("/admin", method="G" * 300),
    "HTTP/1.2": http1("/admin").replace(b"HTTP/1.1", b"HTTP/1.2"),
    "HTTP/2.0 in words": http1("/admin").replace(b"HTTP/1.1", b"HTTP/2.0"),
    "http/1.1": http1("/admin").replace(b"HTTP/1.1", b"http/1.1"),
    "no version": b"GET /admin\r\n\r\n",
    "bare line feeds": http1("/admin").replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "an unusual target": http1("/admin").replace(b" /admin", b" admin"),
    "an 8-bit method": b"\xc7" + http1("/admin"),
}
"""Requests that a look at the first bytes may not take for HTTP, and a forgiving server does."""


def from_inside() -> list[Attack]:
    """What an application may try to get past its own sidecar. What it says to itself is nobody's matter."""
    found = [Attack(50, name, data, patience=1.0) for name, data in HIDDEN.items()]
    found += [
        Attack(50, f"{name}, at TCP", at((OUTSIDE, 90), data)) for name, data in {"GET": http1("/x")}.items()
    ]
    found += tunnels("a.test:80")
    denied = {"GET /admin": http1("/admin"), "a role": http1("/x", "x-role: banned")}
    for name, data in denied.items():
        found.append(Attack(49, name, data.replace(b"a.test", OUTSIDE.encode())))
        found.append(Attack(49, f"{name}, with its port", data.replace(b"a.test", f"{OUTSIDE}:80".encode())))
        found.append(Attack(49, f"{name}, another name", data.replace(b"a.test", b"nobody.test")))
        for port in OWN_PORTS:
            for host in ("127.0.0.1", POD, OUTSIDE):
                found.append(Attack(48, f"{name} at {host}:{port}", at((host, port), data)))
        found.append(Attack(54, name, at((OUTSIDE6, 80), data)))
        found.append(Attack(53, f"{name} to itself", at((POD, 80), data)))
        found.append(Attack(51, f"{name} at a port of nobody's", at((OUTSIDE, ELSEWHERE), data)))
    return found
