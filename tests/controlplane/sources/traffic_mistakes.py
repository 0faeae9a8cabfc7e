"""Mistakes in documents of traffic, by group and a word for each."""

from __future__ import annotations

NETWORKING = "networking.istio.io/v1"


def document(kind: str, spec: str, version: str = NETWORKING) -> str:
    """One document; every one in this file has the same name and namespace."""
    head = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: wrong, namespace: shop}}\n"
    return head + "spec:\n" + "".join(f"  {line}\n" for line in spec.splitlines())


def service(spec: str) -> str:
    return document("Service", spec, "v1")


def entry(spec: str, *, hosts: str = "[a.test]") -> str:
    return document(
        "ServiceEntry", f"hosts: {hosts}\nports: [{{number: 80, name: http, protocol: HTTP}}]\n{spec}"
    )


def member(spec: str) -> str:
    return document("WorkloadEntry", spec)


def rule(spec: str) -> str:
    return document("DestinationRule", f"host: web\n{spec}")


def policy(spec: str) -> str:
    return rule(f"trafficPolicy:\n  {spec}")


def virtual(spec: str, *, hosts: str = "[web]") -> str:
    return document("VirtualService", f"hosts: {hosts}\n{spec}")


def http(spec: str) -> str:
    return virtual(f"http:\n- route: [{{destination: {{host: web}}}}]\n  {spec}")


def match(spec: str) -> str:
    return http(f"match: [{spec}]")


SERVICES = {
    "port-twice": service("ports: [{port: 80, name: a}, {port: 80, name: b}]"),
    "port-names": service("ports: [{port: 80}, {port: 81}]"),
    "port-name-twice": service("ports: [{port: 80, name: a}, {port: 81, name: a}]"),
    "port-0": service("ports: [{port: 0}]"),
    "port-text": service("ports: [{port: '80'}]"),
    "udp": service("ports: [{port: 53, protocol: UDP}]"),
    "node-port": service("type: NodePort"),
    "external-without-name": service("type: ExternalName"),
    "name-without-external": service("externalName: a.test"),
    "affinity": service("sessionAffinity: ClientIP"),
    "unknown-field": service("selektor: {app: web}"),
    "load-balancer-field": service("externalTrafficPolicy: Local"),
}

ENTRIES = {
    "every-host": entry("", hosts='["*"]'),
    "host-capitals": entry("", hosts="[A.test]"),
    "no-hosts": entry("", hosts="[]"),
    "resolution": entry("resolution: STATIK"),
    "protocol": document("ServiceEntry", "hosts: [a.test]\nports: [{number: 80, name: h, protocol: UDP}]"),
    "static-without-endpoints": entry("resolution: STATIC"),
    "endpoints-and-selector": entry(
        "resolution: STATIC\nendpoints: [{address: 192.0.2.1}]\nworkloadSelector: {labels: {a: b}}"
    ),
    "none-with-endpoints": entry("endpoints: [{address: 192.0.2.1}]"),
    "static-name": entry("resolution: STATIC\nendpoints: [{address: a.test}]"),
    "two-for-round-robin": entry(
        "resolution: DNS_ROUND_ROBIN\nendpoints: [{address: a.test}, {address: b.test}]"
    ),
    "wildcard-dns": entry("resolution: DNS", hosts='["*.a.test"]'),
    "dynamic-without-wildcard": entry("resolution: DYNAMIC_DNS"),
    "dns-socket": entry("resolution: DNS\nendpoints: [{address: unix:///run/x}]"),
    "block": entry("addresses: [10.0.0.0/40]"),
    "export": entry("exportTo: [Other]"),
    "export-all-and-one": entry('exportTo: ["*", other]'),
}

MEMBERS = {
    "no-address": member("labels: {app: web}"),
    "relative-socket": member("address: unix://run/x"),
    "socket-with-ports": member("address: unix:///run/x\nports: {http: 80}"),
    "network": member("address: 192.0.2.1\nnetwork: other"),
    "weight-0": member("address: 192.0.2.1\nweight: 0"),
    "locality": member("address: 192.0.2.1\nlocality: a/b/c/d"),
}

RULES = {
    "subset-twice": rule("subsets: [{name: v1}, {name: v1}]"),
    "selector": rule("workloadSelector: {matchLabels: {a: b*}}"),
    "passthrough": policy("loadBalancer: {simple: PASSTHROUGH}"),
    "simple-and-hash": policy("loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}"),
    "nothing-hashed": policy("loadBalancer: {consistentHash: {}}"),
    "two-hashed": policy("loadBalancer: {consistentHash: {useSourceIp: true, httpHeaderName: x}}"),
    "no-prime": policy("loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 65536}}}"),
    "shares": policy("loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 70, b: 20}}]}}"),
    "failover-to-itself": policy("loadBalancer: {localityLbSetting: {failover: [{from: a, to: a}]}}"),
    "old-warmup": policy("loadBalancer: {simple: ROUND_ROBIN, warmupDurationSecs: 10s}"),
    "duration": policy("connectionPool: {tcp: {connectTimeout: 10}}"),
    "duration-unit": policy("connectionPool: {tcp: {connectTimeout: 10sec}}"),
    "negative": policy("connectionPool: {tcp: {maxConnections: -1}}"),
    "old-errors": policy("outlierDetection: {consecutiveErrors: 5}"),
    "percent": policy("outlierDetection: {maxEjectionPercent: 101}"),
    "credential": policy("tls: {mode: SIMPLE, credentialName: a}"),
    "mutual-without-pair": policy("tls: {mode: MUTUAL, clientCertificate: /a}"),
    "mesh-with-ca": policy("tls: {mode: ISTIO_MUTUAL, caCertificates: /a}"),
    "disabled-with-name": policy("tls: {mode: DISABLE, sni: a}"),
    "verify-nothing-with-ca": policy("tls: {mode: SIMPLE, insecureSkipVerify: true, caCertificates: /a}"),
    "proxy-protocol": policy("proxyProtocol: {version: 2}"),
    "proxy-protocol-unknown": policy("proxyProtocol: {version: V3}"),
    "tunnel": policy("tunnel: {targetHost: a, targetPort: 80}"),
    "port-twice": policy("portLevelSettings: [{port: {number: 80}}, {port: {number: 80}}]"),
}

HTTP_RULES = {
    "no-hosts": virtual("tcp: [{route: [{destination: {host: a}}]}]", hosts="[]"),
    "every-host": virtual("http: [{directResponse: {status: 200}}]", hosts='["*"]'),
    "host-twice": virtual("http: [{directResponse: {status: 200}}]", hosts="[a, a]"),
    "no-routes": virtual(""),
    "gateway-name": virtual("gateways: [Front]\nhttp: [{directResponse: {status: 200}}]"),
    "gateway-namespace": virtual("gateways: [a.b/front]\nhttp: [{directResponse: {status: 200}}]"),
    "every-host-in-the-mesh-too": virtual(
        "gateways: [front, mesh]\nhttp: [{directResponse: {status: 200}}]", hosts='["*"]'
    ),
    "two-actions": http("redirect: {uri: /a}"),
    "no-action": virtual("http: [{match: [{uri: {exact: /}}]}]"),
    "delegate": virtual("http: [{delegate: {name: a}}]"),
    "weights": virtual(
        "http: [{route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: 0}]}]"
    ),
    "weight-negative": virtual("http: [{route: [{destination: {host: a}, weight: -1}]}]"),
    "no-destination-host": virtual("http: [{route: [{destination: {subset: a}}]}]"),
    "redirect-with-timeout": virtual("http: [{redirect: {uri: /a}, timeout: 1s}]"),
    "redirect-nowhere": virtual("http: [{redirect: {}}]"),
    "redirect-code": virtual("http: [{redirect: {uri: /a, redirectCode: 200}}]"),
    "answer-with-rewrite": virtual("http: [{directResponse: {status: 200}, rewrite: {uri: /a}}]"),
    "answer-bytes": virtual("http: [{directResponse: {status: 200, body: {bytes: YQ==}}}]"),
    "two-uris": match("{uri: {exact: /a, prefix: /b}}"),
    "empty-uri": match("{uri: {}}"),
    "regex": match("{uri: {regex: '('}}"),
    "regex-looks-ahead": match("{uri: {regex: 'a(?!b)'}}"),
    "regex-long": match(f"{{uri: {{regex: '{'a' * 1025}'}}}}"),
    "regex-case": match("{uri: {regex: a}, ignoreUriCase: true}"),
    "header-name": match("{headers: {'x y': {exact: a}}}"),
    "unknown-match": match("{path: {exact: /a}}"),
    "retry-word": http("retries: {attempts: 1, retryOn: 5xxx}"),
    "retry-localities": http("retries: {attempts: 1, retryRemoteLocalities: true}"),
    "old-percent": http("fault: {delay: {fixedDelay: 1s, percent: 10}}"),
    "percentage": http("fault: {delay: {fixedDelay: 1s, percentage: {value: 101}}}"),
    "no-fault": http("fault: {}"),
    "two-statuses": http("fault: {abort: {httpStatus: 500, grpcStatus: UNAVAILABLE}}"),
    "grpc-status": http("fault: {abort: {grpcStatus: BROKEN}}"),
    "two-mirrors": http("mirror: {host: a}\n  mirrors: [{destination: {host: b}}]"),
    "mirror-share": http("mirrorPercentage: {value: 1}"),
    "old-mirror-share": http("mirror: {host: a}\n  mirrorPercent: 10"),
    "rewrite-group": http("rewrite: {uriRegexRewrite: {match: '^/a$', rewrite: '/\\1'}}"),
    "two-rewrites": http("rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}"),
    "header-operator": http("headers: {request: {set: {x-a: '%NOTHING%'}}}"),
    "header-percent": http("headers: {request: {set: {x-a: '100%'}}}"),
    "header-line": http('headers: {request: {set: {x-a: "a\\r\\nb: c"}}}'),
    "pseudo-header": http("headers: {request: {add: {':path': /a}}}"),
    "response-host": http("headers: {response: {set: {host: a}}}"),
    "old-origins": http('corsPolicy: {allowOrigin: ["*"]}'),
    "subnets": virtual(
        "tcp: [{match: [{destinationSubnets: [10.0.0.0/8]}], route: [{destination: {host: a}}]}]"
    ),
    "sni-elsewhere": virtual("tls: [{match: [{sniHosts: [other.test]}], route: [{destination: {host: a}}]}]"),
    "tls-without-match": virtual("tls: [{route: [{destination: {host: a}}]}]"),
}

TRAFFIC: dict[str, dict[str, str]] = {
    "traffic-service": SERVICES,
    "traffic-service-entry": ENTRIES,
    "traffic-workload-entry": MEMBERS,
    "traffic-destination-rule": RULES,
    "traffic-virtual-service": HTTP_RULES,
}
"""Documents of a mesh's folder, each with one mistake."""
