"""The policy that is tried at every listener, and what it says of a request as the upstream received it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from e2e.raw import Seen
from meshext.config import Document
from meshext.http.headers import Headers
from meshext.policy.decide import Decider
from meshext.policy.facts import Facts
from meshext.policy.settings import Settings

TRUSTED_ISSUERS = tuple(
    f"https://{name}.test"
    for name in ("b", "rsa", "cookie", "broken", "empty", "garbage", "moved", "silent", "short", "away")
)
"""Whose Ann may read `/token/*`; the keys of most of them are nowhere to be had."""

CONFIG = """\
namespace: shop
labels: {app: web}
trust_domain: td.test
policies:
- apiVersion: security.istio.io/v1
  kind: AuthorizationPolicy
  metadata: {name: deny, namespace: shop}
  spec:
    action: DENY
    rules:
    - to: [{operation: {paths: [/admin, "/admin/*", "/admin;*", /exact, "/tpl/{*}/x", "/long/{**}/y"]}}]
    - to: [{operation: {hosts: [secret.test, "secret.test:*", "secret.test.*"]}}]
    - when: [{key: "request.headers[x-role]", values: [banned]}]
- apiVersion: security.istio.io/v1
  kind: AuthorizationPolicy
  metadata: {name: allow, namespace: shop}
  spec:
    rules:
    - to: [{operation: {notPaths: [/internal/*, /mesh/*, /suffix/*, /dotted/*, /token/*, /nothing*]}}]
    - from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]
      to: [{operation: {paths: ["/internal/*"]}}]
    - from: [{source: {principals: [td.test/ns/shop/sa/web]}}]
      to: [{operation: {paths: ["/mesh/*"]}}]
    - from: [{source: {principals: ["*/ns/shop/sa/web"], trustDomains: [td.test]}}]
      to: [{operation: {paths: ["/suffix/*"]}}]
    - from: [{source: {serviceAccounts: [s.hop/we.b]}}]
      to: [{operation: {paths: ["/dotted/*"]}}]
    - from: [{source: {requestPrincipals: [TRUSTED]}}]
      to: [{operation: {paths: ["/token/*"]}}]
- apiVersion: security.istio.io/v1
  kind: AuthorizationPolicy
  metadata: {name: log, namespace: shop}
  spec: {action: AUDIT, rules: [{}]}
""".replace("TRUSTED", json.dumps([f"{each}/ann" for each in TRUSTED_ISSUERS])[1:-1])
SETTINGS = Settings.from_document(Document(CONFIG, "config.yaml"))
DECIDER = Decider(SETTINGS.policies, SETTINGS.workload.trust)
HERE = "127.0.0.1"


def read_seen(seen: Seen, principal: str | None, client: str = HERE) -> Facts:
    """The request as the upstream got it, and as whoever sent it is known to us; nobody here has a token."""
    lines = [line.partition(b":") for line in seen.head.split(b"\r\n")[1:]]
    return Facts(
        method=seen.head.split(b" ", 1)[0].decode("latin-1"),
        target=seen.target,
        host=(seen.values("host") or [b""])[0].decode("utf-8", "surrogateescape"),
        headers=Headers.from_lines(
            tuple((name.lower().decode(), value.strip(b" \t")) for name, _, value in lines)
        ),
        principal=principal,
        peer_address=HERE,
        client_address=client,
    )


def let_through(seen: Seen, principal: str | None, client: str = HERE) -> bool:
    """Whether the policy, read on what the upstream received, denies it."""
    return not DECIDER.decide(read_seen(seen, principal, client)).allowed


def tunnel_let_through(authority: str) -> bool:
    """Whether it denies a tunnel to there: what that carries is no request to anybody on the way."""
    facts = Facts(method="CONNECT", target="", host=authority, peer_address=HERE, client_address=HERE)
    return not DECIDER.decide(facts).allowed


def let_through_leniently(seen: Seen) -> bool:
    """Whether it denies it as a forgiving server reads it: slashes, dots and letters written otherwise.

    A Host is compared without port and dot.
    """
    line, _, rest = seen.head.partition(b"\r\n")
    plain = re.sub(rb"%[0-9A-Fa-f]{2}", make_plain, line)
    read = plain + b"\r\n" + rest
    named = any(as_name(value) == b"secret.test" for value in seen.values("host"))
    return named or let_through(replace(seen, head=read), None)


def make_plain(escaped: re.Match[bytes]) -> bytes:
    """A character of a path that need not be escaped (RFC 3986 section 2.3), slashes of both kinds as one."""
    found = bytes.fromhex(escaped[0][1:].decode())
    return found.replace(b"\\", b"/") if re.fullmatch(rb"[A-Za-z0-9._~/\\-]", found) else escaped[0]


def as_name(host: bytes) -> bytes:
    """A Host without port and dot."""
    return host.lower().partition(b":")[0].rstrip(b".")
