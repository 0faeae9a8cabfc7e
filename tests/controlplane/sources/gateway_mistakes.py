"""Mistakes in documents of gateways, and in the Secrets that they name, by group and a word for each."""

from __future__ import annotations

from tests.controlplane.sources.traffic_mistakes import document


def gateway(spec: str) -> str:
    return document("Gateway", spec)


def server(port: str = "number: 80, name: http, protocol: HTTP", rest: str = 'hosts: ["*"]') -> str:
    return gateway(f"selector: {{gate: front}}\nservers:\n- port: {{{port}}}\n  {rest}")


def secure(tls: str, protocol: str = "HTTPS") -> str:
    return server(f"number: 443, name: https, protocol: {protocol}", f'hosts: ["*"]\n  tls: {{{tls}}}')


def secret(body: str, kind: str = "Opaque") -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: wrong, namespace: shop}}\ntype: {kind}\n{body}\n"


def sidecar(spec: str) -> str:
    return document("Sidecar", spec)


GATEWAYS = {
    "no-servers": gateway("selector: {gate: front}"),
    "servers-empty": gateway("servers: []"),
    "selector-wildcard": gateway("selector: {gate: '*'}\nservers: []"),
    "no-port-name": server("number: 80, protocol: HTTP"),
    "port-0": server("number: 0, name: http, protocol: HTTP"),
    "protocol": server("number: 80, name: http, protocol: HTTP3"),
    "protocol-small": server("number: 80, name: http, protocol: http"),
    "mongo": server("number: 80, name: http, protocol: MONGO"),
    "target-port": server("number: 80, name: http, protocol: HTTP, targetPort: 8080"),
    "default-endpoint": server(rest='hosts: ["*"]\n  defaultEndpoint: 127.0.0.1:80'),
    "no-hosts": server(rest="name: a"),
    "host-capitals": server(rest="hosts: [A.test]"),
    "host-namespace": server(rest="hosts: [Shop/a.test]"),
    "host-twice": server(rest="hosts: [a.test, a.test]"),
    "bind-name": server(rest='hosts: ["*"]\n  bind: localhost'),
    "bind-socket": server(rest='hosts: ["*"]\n  bind: unix:///run/a'),
    "names-twice": gateway(
        "servers:\n" + '- {port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}\n' * 2
    ),
    "https-without-tls": server("number: 443, name: https, protocol: HTTPS"),
    "http-with-tls": server(rest='hosts: ["*"]\n  tls: {mode: SIMPLE, credentialName: a}'),
    "tcp-with-tls": secure("mode: SIMPLE, credentialName: a", "TCP"),
    "tcp-redirect": secure("httpsRedirect: true", "TCP"),
    "https-redirect": secure("mode: SIMPLE, credentialName: a, httpsRedirect: true"),
    "mode-missing": secure("credentialName: a"),
    "mode": secure("mode: STRICT"),
    "auto-passthrough": secure("mode: AUTO_PASSTHROUGH"),
    "simple-without-certificate": secure("mode: SIMPLE"),
    "certificate-file": secure("mode: SIMPLE, serverCertificate: /a.pem, privateKey: /a.key"),
    "ca-file": secure("mode: MUTUAL, credentialName: a, caCertificates: /a.pem"),
    "two-kinds-of-names": secure("mode: SIMPLE, credentialName: a, credentialNames: [b]"),
    "three-certificates": secure("mode: SIMPLE, credentialNames: [a, b, c]"),
    "credential-url": secure("mode: SIMPLE, credentialName: 'kubernetes://a'"),
    "passthrough-with-certificate": secure("mode: PASSTHROUGH, credentialName: a"),
    "passthrough-with-version": secure("mode: PASSTHROUGH, minProtocolVersion: TLSV1_3"),
    "mesh-with-certificate": secure("mode: ISTIO_MUTUAL, credentialName: a"),
    "simple-with-authorities": secure("mode: SIMPLE, credentialName: a, caCertCredentialName: b"),
    "simple-with-names": secure("mode: SIMPLE, credentialName: a, subjectAltNames: [b]"),
    "spki": secure("mode: MUTUAL, credentialName: a, verifyCertificateSpki: [abc]"),
    "hash": secure("mode: MUTUAL, credentialName: a, verifyCertificateHash: ['00:11']"),
    "version-old": secure("mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_0"),
    "version": secure("mode: SIMPLE, credentialName: a, minProtocolVersion: '1.2'"),
    "versions": secure(
        "mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2"
    ),
    "cipher": secure("mode: SIMPLE, credentialName: a, cipherSuites: [RC4-SHA]"),
    "cipher-twice": secure("mode: SIMPLE, credentialName: a, cipherSuites: [AES128-SHA, AES128-SHA]"),
}

PRIVATE = "do not show me"
ENCODED = "ZG8gbm90IHNob3cgbWU="

SECRETS = {
    "type": secret(f"stringData: {{password: {PRIVATE}}}", "kubernetes.io/dockerconfigjson"),
    "data-plain": secret(f"data: {{password: {PRIVATE}}}"),
    "data-number": secret("data: {password: 4711}"),
    "string-data-number": secret("stringData: {user: 4711}"),
    "data-list": secret(f"data: [{ENCODED}]"),
    "spec": secret(f"spec: {{data: {{password: {ENCODED}}}}}"),
    "tls-without-key": secret(f"data: {{tls.crt: {ENCODED}}}", "kubernetes.io/tls"),
    "tls-empty": secret("data: {}", "kubernetes.io/tls"),
    "tls-nonsense": secret(f"data: {{tls.crt: {ENCODED}, tls.key: {ENCODED}}}", "kubernetes.io/tls"),
    "shown": secret('stringData: {tls.crt: a, tls.key: "<redacted>"}', "kubernetes.io/tls"),
    "too-much": secret(f"stringData: {{a: {'x' * 1_048_577}}}"),
}

SIDECARS = {
    "no-namespace": sidecar("egress: [{hosts: [a.test]}]"),
    "host": sidecar("egress: [{hosts: ['./A.test']}]"),
    "left-out": sidecar("egress: [{hosts: ['~/a.test']}]"),
    "nobody-and-one": sidecar("egress: [{hosts: ['~/*', './*']}]"),
    "no-hosts": sidecar("egress: [{}]"),
    "port": sidecar("egress: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['./*']}]"),
    "ingress": sidecar("ingress: [{port: {number: 80, name: http, protocol: HTTP}}]"),
    "selector-empty": sidecar("workloadSelector: {labels: {}}"),
    "selector-match-labels": sidecar("workloadSelector: {matchLabels: {app: web}}"),
    "policy": sidecar("outboundTrafficPolicy: {mode: ALLOW_ALL}"),
}

GATES: dict[str, dict[str, str]] = {"gateway": GATEWAYS, "secret": SECRETS, "sidecar": SIDECARS}
"""Documents of a mesh's folder, each with one mistake."""
