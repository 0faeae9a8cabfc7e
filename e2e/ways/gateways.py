"""Gateways: a server of HTTP, one of HTTPS that asks for a certificate, and one for workloads of the mesh."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from e2e.attacks import Attack, http1
from e2e.raw import raw_upstream
from e2e.ways.attempts import tunnels
from e2e.ways.ground import Ground
from e2e.ways.keys import serving_keys
from e2e.ways.rows import KINDS
from e2e.ways.scene import Scene, authentication, policies
from tests.ports import free_ports

MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomain: td.test, numTrustedProxies: TRUSTED}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  selector: {app: web}
  servers:
    - {port: {number: PORT-HTTP, name: http, protocol: HTTP}, hosts: ["*"]}
    - port: {number: PORT-HTTPS, name: https, protocol: HTTPS}
      hosts: ["*"]
      tls: {mode: OPTIONAL_MUTUAL, credentialName: front}
    - port: {number: PORT-MESH, name: mesh, protocol: HTTPS}
      hosts: ["*"]
      tls: {mode: ISTIO_MUTUAL}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [front]
  http:
    - {match: [{port: PORT-HTTP}], route: [{destination: {host: raw.test, port: {number: 81}}}]}
    - {match: [{port: PORT-HTTPS}], route: [{destination: {host: raw.test, port: {number: 82}}}]}
    - {match: [{port: PORT-MESH}], route: [{destination: {host: raw.test, port: {number: 83}}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: raw, namespace: shop}
spec:
  hosts: [raw.test]
  ports:
    - {number: 81, name: http-1, protocol: HTTP}
    - {number: 82, name: http-2, protocol: HTTP}
    - {number: 83, name: http-3, protocol: HTTP}
  resolution: STATIC
  endpoints:
    - address: 127.0.0.1
      ports: {http-1: UPSTREAM-HTTP, http-2: UPSTREAM-HTTPS, http-3: UPSTREAM-MESH}
---
kind: Workload
name: front
namespace: shop
address: 127.0.0.1
gateway: true
labels: {app: web}
"""
STRANGERS = {"gateway http": "", "gateway https": "", "gateway mesh": "other"}
"""Who comes where a try names nobody."""


def secret(scene: Scene) -> dict[str, Any]:
    """The certificate of the gateway, and whose clients it believes."""
    pair = scene.server("front")
    entries = {
        "tls.crt": pair.certificate.read_text(),
        "tls.key": pair.key.read_text(),
        "ca.crt": scene.authority.file.read_text(),
    }
    head = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
    return {**head, "metadata": {"name": "front", "namespace": "shop"}, "stringData": entries}


def open_gateway(scene: Scene, stack: ExitStack, runtime: str, trusted: int = 0) -> dict[str, Ground]:
    """The listeners of a gateway behind so many proxies."""
    keys = stack.enter_context(serving_keys(scene.issuers.mallory.jwks()))
    scene.issuers.attacker = keys.url
    ports = dict(zip(STRANGERS, free_ports(len(STRANGERS)), strict=True))
    upstreams = {name: stack.enter_context(raw_upstream()) for name in STRANGERS}
    text = MESH.replace("TRUSTED", str(trusted))
    for name, port in ports.items():
        word = name.partition(" ")[2].upper()
        for end in (",", "}"):
            text = text.replace(f"UPSTREAM-{word}{end}", f"{upstreams[name].port}{end}")
            text = text.replace(f"PORT-{word}{end}", f"{port}{end}")
    documents = (authentication(scene.issuers, keys.url), secret(scene), *policies(runtime, "gateway"))
    scene.proxy(stack, [text, *map(json.dumps, documents)])
    tokens = scene.issuers.tokens()
    return {
        name: Ground(
            kind=KINDS[name],
            runtime=runtime,
            where=port,
            upstream=upstreams[name],
            tokens={**tokens, "ground": f"{name} {runtime}"},
            contexts=scene.contexts() if KINDS[name].proves else {},
            stranger=STRANGERS[name],
            own=(*tunnels("a.test:80"), *elsewhere(upstreams[name].port)),
            keys=keys,
        )
        for name, port in ports.items()
    }


def elsewhere(port: int) -> list[Attack]:
    """Hosts that no document names, and the gateway itself: it is no open proxy."""
    names = (f"127.0.0.1:{port}", "localhost", "raw.test", f"raw.test:{port}", "169.254.169.254")
    found = []
    for name in names:
        found.append(Attack(51, name, http1("/admin", host=name)))
        found.append(Attack(51, f"{name}, in the target", http1(f"http://{name}/admin", host="a.test")))
    return [
        *found,
        *(Attack(53, f"back to {name}", http1(f"http://{name}/admin", host=name)) for name in names),
    ]
