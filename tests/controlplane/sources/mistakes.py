"""Documents with mistakes that people make, by group and a word for each."""

from __future__ import annotations

JWKS = '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'


def document(kind: str, version: str, spec: str, name: str = "wrong") -> str:
    """One document; every one in this file has the same name and namespace."""
    head = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\n"
    return head + ("spec:\n" + "".join(f"  {line}\n" for line in spec.splitlines()) if spec else "")


def peer(spec: str) -> str:
    return document("PeerAuthentication", "security.istio.io/v1", spec)


def jwt(rule: str) -> str:
    return document("RequestAuthentication", "security.istio.io/v1", f"jwtRules:\n- {rule}")


def policy(spec: str) -> str:
    return document("AuthorizationPolicy", "security.istio.io/v1", spec)


def telemetry(spec: str) -> str:
    return document("Telemetry", "telemetry.istio.io/v1", spec)


def filter_policy(spec: str) -> str:
    return document("FilterPolicy", "meshext.dev/v1", spec)


def config(spec: str) -> str:
    return document("MeshConfig", "meshext.dev/v1", spec)


def provider(kind: str) -> str:
    return config(f"extensionProviders:\n- name: p\n  {kind}")


GOOD = peer("mtls: {mode: STRICT}")

TEXTS: dict[str, str | bytes] = {
    "not-utf-8": b"kind: PeerAuthentication\nmetadata: {name: caf\xe9}\n",
    "utf-16": GOOD.encode("utf-16"),
    "binary": bytes(range(256)),
    "huge": "a: " + "x" * 4_194_304,
    "deep": "a: " + "[" * 500 + "]" * 500,
    "deep-block": "\n".join(" " * level + "a:" for level in range(200)),
    "unclosed": "kind: PeerAuthentication\nmetadata: {name: a\n",
    "tab": "kind: PeerAuthentication\nmetadata:\n\tname: a\n",
    "key-twice": GOOD + "spec: {}\n",
    "alias": "kind: &kind PeerAuthentication\napiVersion: *kind\n",
    "cycle": "a: &a [*a]\n",
    "bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "merge-key": "base: &base {a: 1}\nuse:\n  <<: *base\n",
    "tag": "kind: !!python/object:os.system PeerAuthentication\n",
    "number-as-key": peer("portLevelMtls: {8080: {mode: STRICT}}"),
    "unprintable": "kind: Peer\x07Authentication\n",
    "two-json": '{"kind": "PeerAuthentication"} {"kind": "PeerAuthentication"}',
}
"""Texts that can not be read as a whole."""

HEADS = {
    "text": "hello\n",
    "number": "42\n",
    "list": "- kind: PeerAuthentication\n",
    "no-kind": "apiVersion: security.istio.io/v1\nmetadata: {name: a}\n",
    "kind-number": "kind: 7\n",
    "kind-unknown": "apiVersion: v1\nkind: Servise\nmetadata: {name: a}\n",
    "kind-lower-case": "apiVersion: security.istio.io/v1\nkind: peerAuthentication\nmetadata: {name: a}\n",
    "kind-not-yet": "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: a}\n",
    "kind-of-kubernetes": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
    "kind-of-up": document("Workload", "meshext.dev/v1", "command: [a]"),
    "no-version": "kind: PeerAuthentication\nmetadata: {name: a}\n",
    "version-old": GOOD.replace("security.istio.io/v1", "authentication.istio.io/v1alpha1"),
    "version-of-other": GOOD.replace("security.istio.io/v1", "networking.istio.io/v1"),
    "no-metadata": "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n",
    "no-name": "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {namespace: shop}\n",
    "name-empty": GOOD.replace("name: wrong", 'name: ""'),
    "name-number": GOOD.replace("name: wrong", "name: 7"),
    "name-upper-case": GOOD.replace("name: wrong", "name: Wrong"),
    "name-long": GOOD.replace("name: wrong", f"name: {'a' * 254}"),
    "namespace-dots": GOOD.replace("namespace: shop", "namespace: shop.test"),
    "namespace-null": GOOD.replace("namespace: shop", "namespace: null"),
    "labels-number": GOOD.replace("namespace: shop", "namespace: shop, labels: {version: 2}"),
    "top-key": GOOD + "sepc: {}\n",
    "spec-text": document("PeerAuthentication", "security.istio.io/v1", "").rstrip() + "\nspec: STRICT\n",
    "spec-null": document("PeerAuthentication", "security.istio.io/v1", "").rstrip() + "\nspec: null\n",
}

PEERS = {
    "mode-lower-case": peer("mtls: {mode: strict}"),
    "mode-unknown": peer("mtls: {mode: MUTUAL}"),
    "mode-boolean": peer("mtls: {mode: true}"),
    "mode-bare": peer("mtls: STRICT"),
    "mode-misplaced": peer("mode: STRICT"),
    "field-misspelt": peer("mtsl: {mode: STRICT}"),
    "ports-without-selector": peer('portLevelMtls: {"8080": {mode: DISABLE}}'),
    "ports-empty": peer("selector: {matchLabels: {a: b}}\nportLevelMtls: {}"),
    "port-name": peer("selector: {matchLabels: {a: b}}\nportLevelMtls: {http: {mode: DISABLE}}"),
    "port-too-large": peer('selector: {matchLabels: {a: b}}\nportLevelMtls: {"65536": {mode: DISABLE}}'),
    "selector-flat": peer("selector: {app: web}"),
    "selector-wildcard": peer("selector: {matchLabels: {app: 'w*'}}"),
    "selector-list": peer("selector: {matchLabels: [app]}"),
    "selector-expressions": peer("selector: {matchExpressions: []}"),
}

JWTS = {
    "no-issuer": jwt(f"jwks: '{JWKS}'"),
    "issuer-empty": jwt(f"{{issuer: '', jwks: '{JWKS}'}}"),
    "no-keys": jwt("issuer: https://issuer.test"),
    "both-keys": jwt(f"{{issuer: a, jwks: '{JWKS}', jwksUri: 'https://issuer.test/keys'}}"),
    "keys-no-json": jwt("{issuer: a, jwks: 'none'}"),
    "keys-as-mapping": jwt("{issuer: a, jwks: {keys: []}}"),
    "keys-empty": jwt("{issuer: a, jwks: '{\"keys\": []}'}"),
    "uri-scheme": jwt("{issuer: a, jwksUri: 'file:///etc/passwd'}"),
    "uri-path": jwt("{issuer: a, jwksUri: /keys.json}"),
    "uri-user": jwt("{issuer: a, jwksUri: 'https://ann:pw@issuer.test/keys'}"),
    "uri-port": jwt("{issuer: a, jwksUri: 'https://issuer.test:99999/keys'}"),
    "audiences-text": jwt(f"{{issuer: a, jwks: '{JWKS}', audiences: shop}}"),
    "header-name": jwt(f"{{issuer: a, jwks: '{JWKS}', fromHeaders: [{{name: 'x token'}}]}}"),
    "header-text": jwt(f"{{issuer: a, jwks: '{JWKS}', fromHeaders: [x-token]}}"),
    "timeout-number": jwt(f"{{issuer: a, jwks: '{JWKS}', timeout: 5}}"),
    "timeout-unit": jwt(f"{{issuer: a, jwks: '{JWKS}', timeout: 5 seconds}}"),
    "claims-text": jwt(f"{{issuer: a, jwks: '{JWKS}', spaceDelimitedClaims: roles}}"),
    "rules-mapping": document("RequestAuthentication", "security.istio.io/v1", "jwtRules: {issuer: a}"),
    "target": document("RequestAuthentication", "security.istio.io/v1", "targetRefs: [{kind: Service}]"),
}

POLICIES = {
    "action": policy("action: BLOCK\nrules: [{}]"),
    "rule-misspelt": policy("rules: [{form: []}]"),
    "deny-without-rules": policy("action: DENY"),
    "custom-without-provider": policy("action: CUSTOM\nrules: [{}]"),
    "custom-principals": policy(
        "action: CUSTOM\nprovider: {name: p}\nrules: [{from: [{source: {principals: [a]}}]}]"
    ),
    "address": policy("rules: [{from: [{source: {ipBlocks: [10.0.0.0/33]}}]}]"),
    "port-number": policy("rules: [{to: [{operation: {ports: [8080]}}]}]"),
    "template": policy("rules: [{to: [{operation: {paths: ['/a/{**}/{**}']}}]}]"),
    "condition-key": policy("rules: [{when: [{key: source.labels, values: [a]}]}]"),
}

TELEMETRIES = {
    "provider-text": telemetry("accessLogging: [{providers: [log]}]"),
    "sampling-text": telemetry('tracing: [{randomSamplingPercentage: "10"}]'),
    "sampling-too-much": telemetry("tracing: [{randomSamplingPercentage: 101}]"),
    "sampling-nan": telemetry("tracing: [{randomSamplingPercentage: .nan}]"),
    "two-tracing-providers": telemetry("tracing: [{providers: [{name: a}, {name: b}]}]"),
    "tag-without-source": telemetry("tracing: [{customTags: {a: {}}}]"),
    "tag-with-two": telemetry("tracing: [{customTags: {a: {literal: {value: b}, header: {name: c}}}}]"),
    "metric-unknown": telemetry("metrics: [{overrides: [{match: {metric: REQUESTS}}]}]"),
    "remove-with-value": telemetry(
        "metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE, value: b}}}]}]"
    ),
    "mode": telemetry("accessLogging: [{match: {mode: BOTH}}]"),
    "filter-empty": telemetry("accessLogging: [{filter: {expression: ''}}]"),
    "filter-no-cel": telemetry("accessLogging: [{filter: {expression: response.code = 401}}]"),
    "filter-function": telemetry("accessLogging: [{filter: {expression: 'request.path.startWith(\"/a\")'}}]"),
    "tag-no-cel": telemetry("metrics: [{overrides: [{tagOverrides: {a: {value: request.path +}}}]}]"),
    "provider-unknown": telemetry("accessLogging: [{providers: [{name: nowhere}]}]"),
    "tracing-mapping": telemetry("tracing: {randomSamplingPercentage: 10}"),
}

FILTERS = {
    "no-filter": filter_policy("config: {}"),
    "filter-empty": filter_policy("filter: ' '"),
    "runtime-wasm": filter_policy("filter: rate-limit\nruntime: wasm"),
    "direction": filter_policy("filter: rate-limit\ndirection: egress"),
    "mode-long": filter_policy("filter: rate-limit\nmode: ext_proc"),
    "priority-text": filter_policy("filter: rate-limit\npriority: '10'"),
    "priority-float": filter_policy("filter: rate-limit\npriority: 1.5"),
    "priority-huge": filter_policy("filter: rate-limit\npriority: 99999999999"),
    "service-text": filter_policy("filter: rate-limit\nservice: policies:9000"),
    "service-host": filter_policy("filter: rate-limit\nservice: {host: 'http://policies', port: 9000}"),
    "service-port": filter_policy("filter: rate-limit\nservice: {host: policies.shop, port: 0}"),
    "phase": filter_policy("filter: rate-limit\nphase: auth"),
}

CONFIGS = {
    "trust-domain": config("trustDomain: Shop.example"),
    "trust-domain-uri": config("trustDomain: spiffe://shop.example"),
    "alias": config("trustDomainAliases: [old/example]"),
    "normalization": config("pathNormalization: {normalization: FULL}"),
    "proxies-negative": config("numTrustedProxies: -1"),
    "default-config": config("defaultConfig: {tracing: {sampling: 10}}"),
    "not-yet": config("enableAutoMtls: true"),
    "unknown": config("accessLogFiles: /dev/stdout"),
    "provider-twice": config("extensionProviders:\n- {name: p, prometheus: {}}\n- {name: p, prometheus: {}}"),
    "provider-of-no-kind": config("extensionProviders: [{name: p}]"),
    "provider-of-two-kinds": config(
        "extensionProviders: [{name: p, prometheus: {}, envoyFileAccessLog: {}}]"
    ),
    "provider-not-yet": provider("skywalking: {service: a.test, port: 1}"),
    "provider-port": provider("envoyExtAuthzGrpc: {service: a.test, port: '9000'}"),
    "provider-service": provider("envoyExtAuthzGrpc: {service: 'grpc://a.test', port: 9000}"),
    "provider-wildcard": provider("envoyExtAuthzGrpc: {service: '*.test', port: 9000}"),
    "provider-status": provider("envoyExtAuthzGrpc: {service: a.test, port: 9000, statusOnError: '200'}"),
    "provider-body": provider(
        "envoyExtAuthzGrpc: {service: a.test, port: 9000, includeRequestBodyInCheck: {}}"
    ),
    "provider-headers": provider(
        "envoyExtAuthzHttp: {service: a.test, port: 80, includeRequestHeadersInCheck: ['x*y']}"
    ),
    "log-format-cel": provider("envoyFileAccessLog: {logFormat: {text: '%CEL(request.path ==)%'}}"),
    "log-format": provider("envoyFileAccessLog: {logFormat: {text: a, labels: {b: c}}}"),
    "log-operator": provider("envoyFileAccessLog: {logFormat: {text: 'a %NOPE% b'}}"),
    "log-operator-near": provider("envoyFileAccessLog: {logFormat: {labels: {code: '%RESPONSE_COD%'}}}"),
    "log-operator-lower-case": provider("envoyFileAccessLog: {logFormat: {text: '%start_time%'}}"),
    "log-percent": provider("envoyFileAccessLog: {logFormat: {text: '100% sure'}}"),
    "log-argument-missing": provider("envoyOtelAls: {service: a.test, port: 1, logFormat: {text: '%REQ%'}}"),
    "log-argument-wrong": provider(
        "envoyOtelAls: {service: a.test, port: 1, logFormat: {labels: {a: '%GRPC_STATUS(name)%'}}}"
    ),
    "log-argument-too-much": config("accessLogFormat: '%DURATION(ms)%'"),
    "log-length": config("accessLogFormat: '%GRPC_STATUS:5%'"),
    "log-json": config("accessLogEncoding: JSON\naccessLogFormat: '%DURATION%'"),
    "log-json-operator": config(
        'accessLogEncoding: JSON\naccessLogFormat: \'{"a": {"b": ["%REQ_WITHOUT_QUERY(:path)%"]}}\''
    ),
    "log-json-null": config("accessLogEncoding: JSON\naccessLogFormat: '{\"a\": null}'"),
    "default-unknown": config("defaultProviders: {tracing: [nowhere]}"),
    "sampling": config("tracing: {sampling: 200}"),
}


def service(spec: str) -> str:
    return document("Service", "v1", spec)


def routes(http: str) -> str:
    return document("VirtualService", "networking.istio.io/v1", f"hosts: [web]\nhttp:\n- {http}")


def rule(spec: str) -> str:
    return document("DestinationRule", "networking.istio.io/v1", f"host: web\n{spec}")


def entry(spec: str) -> str:
    return document("ServiceEntry", "networking.istio.io/v1", spec)


TO = "route: [{destination: {host: web}}]"

SERVICES = {
    "port-text": service('ports: [{port: "80"}]'),
    "port-zero": service("ports: [{port: 0}]"),
    "port-too-large": service("ports: [{port: 65536}]"),
    "ports-without-names": service("ports: [{port: 80}, {port: 81}]"),
    "port-names-twice": service("ports: [{name: http, port: 80}, {name: http, port: 81}]"),
    "port-numbers-twice": service("ports: [{name: a, port: 80}, {name: b, port: 80}]"),
    "port-name-number": service("ports: [{name: 80, port: 80}]"),
    "protocol-udp": service("ports: [{port: 53, protocol: UDP}]"),
    "selector-list": service("selector: [app]\nports: [{port: 80}]"),
    "selector-number": service("selector: {version: 1}\nports: [{port: 80}]"),
    "type-load-balancer": service("type: LoadBalancer\nports: [{port: 80}]"),
    "external-without-name": service("type: ExternalName\nports: [{port: 80}]"),
    "external-name-without-type": service("externalName: a.test\nports: [{port: 80}]"),
    "external-name-to-itself": service(
        "type: ExternalName\nexternalName: wrong.shop.svc.cluster.local\nports: [{port: 80}]"
    ),
    "affinity": service("sessionAffinity: ClientIP\nports: [{port: 80}]"),
    "node-port": service("ports: [{port: 80, nodePort: 30080}]"),
    "spec-missing": document("Service", "v1", ""),
}

ROUTES = {
    "no-hosts": document("VirtualService", "networking.istio.io/v1", f"tcp: [{{{TO}}}]"),
    "delegate-delegates": document(
        "VirtualService", "networking.istio.io/v1", "http: [{delegate: {name: other}}]"
    ),
    "hosts-text": document("VirtualService", "networking.istio.io/v1", f"hosts: web\nhttp: [{{{TO}}}]"),
    "hosts-upper-case": document(
        "VirtualService", "networking.istio.io/v1", f"hosts: [Web]\nhttp: [{{{TO}}}]"
    ),
    "hosts-url": document(
        "VirtualService", "networking.istio.io/v1", f"hosts: ['http://web']\nhttp: [{{{TO}}}]"
    ),
    "hosts-twice": document(
        "VirtualService", "networking.istio.io/v1", f"hosts: [web, web]\nhttp: [{{{TO}}}]"
    ),
    "no-routes": document("VirtualService", "networking.istio.io/v1", "hosts: [web]"),
    "route-and-redirect": routes(f"{{{TO}, redirect: {{uri: /a}}}}"),
    "no-action": routes("{match: [{uri: {prefix: /a}}]}"),
    "rewrite-and-redirect": routes("{redirect: {uri: /a}, rewrite: {uri: /b}}"),
    "match-mapping": routes(f"{{match: {{uri: {{prefix: /a}}}}, {TO}}}"),
    "uri-text": routes(f"{{match: [{{uri: /a}}], {TO}}}"),
    "uri-two-ways": routes(f"{{match: [{{uri: {{prefix: /a, exact: /a}}}}], {TO}}}"),
    "regex-broken": routes(f"{{match: [{{uri: {{regex: '/a(b'}}}}], {TO}}}"),
    "regex-look-ahead": routes(f"{{match: [{{uri: {{regex: '/(?=a)'}}}}], {TO}}}"),
    "regex-back-reference": routes(f"{{match: [{{uri: {{regex: '/(a)\\1'}}}}], {TO}}}"),
    "regex-huge": routes(f"{{match: [{{uri: {{regex: '{'a' * 1025}'}}}}], {TO}}}"),
    "destination-text": routes("route: [{destination: web}]"),
    "destination-without-host": routes("route: [{destination: {subset: v1}}]"),
    "destination-port-number": routes("route: [{destination: {host: web, port: 80}}]"),
    "subset-nowhere": routes("route: [{destination: {host: web, subset: v9}}]"),
    "weights-zero": routes("route: [{destination: {host: a}}, {destination: {host: b}, weight: 0}]"),
    "weight-negative": routes("route: [{destination: {host: a}, weight: -1}]"),
    "weight-percent": routes('route: [{destination: {host: a}, weight: "90%"}]'),
    "weight-float": routes("route: [{destination: {host: a}, weight: 33.3}]"),
    "weights-too-large": routes(
        "route: [" + ", ".join(["{destination: {host: a}, weight: 2147483647}"] * 3) + "]"
    ),
    "timeout-number": routes(f"{{{TO}, timeout: 5}}"),
    "timeout-unit": routes(f"{{{TO}, timeout: 5sec}}"),
    "retries-number": routes(f"{{{TO}, retries: 3}}"),
    "retry-condition": routes(f"{{{TO}, retries: {{retryOn: 5xx-errors}}}}"),
    "fault-percent": routes(f"{{{TO}, fault: {{abort: {{httpStatus: 500, percent: 10}}}}}}"),
    "fault-percentage": routes(
        f"{{{TO}, fault: {{abort: {{httpStatus: 500, percentage: {{value: 101}}}}}}}}"
    ),
    "fault-empty": routes(f"{{{TO}, fault: {{}}}}"),
    "redirect-code": routes("redirect: {uri: /a, redirectCode: 200}"),
    "redirect-nowhere": routes("redirect: {}"),
    "response-status": routes("directResponse: {status: 99}"),
    "mirror-percentage": routes(f"{{{TO}, mirrorPercentage: {{value: 10}}}}"),
    "delegate-nowhere": routes("delegate: {name: other}"),
    "delegate-and-route": routes(f"{{delegate: {{name: other}}, {TO}}}"),
    "delegate-name": routes("delegate: {name: Other}"),
    "delegate-namespace": routes("delegate: {name: other, namespace: a.b}"),
    "cors-origin": routes(f"{{{TO}, corsPolicy: {{allowOrigin: ['*']}}}}"),
    "header-operations": routes(f"{{{TO}, headers: {{request: {{set: [x-a]}}}}}}"),
    "misspelt": routes(f"{{{TO}, retires: {{attempts: 3}}}}"),
}

RULES = {
    "no-host": document("DestinationRule", "networking.istio.io/v1", "subsets: []"),
    "subset-twice": rule("subsets: [{name: v1}, {name: v1}]"),
    "subset-without-name": rule("subsets: [{labels: {version: v1}}]"),
    "subset-labels-number": rule("subsets: [{name: v1, labels: {version: 1}}]"),
    "balancer-unknown": rule("trafficPolicy: {loadBalancer: {simple: LEAST_CONN}}"),
    "balancer-two-ways": rule(
        "trafficPolicy: {loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}}"
    ),
    "maglev-size": rule(
        "trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 100}}}}"
    ),
    "tls-mode": rule("trafficPolicy: {tls: {mode: MTLS}}"),
    "tls-mutual-without-key": rule("trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: a.pem}}"),
    "outlier-interval": rule("trafficPolicy: {outlierDetection: {interval: 10}}"),
    "outlier-percent": rule("trafficPolicy: {outlierDetection: {maxEjectionPercent: 200}}"),
    "pool-negative": rule("trafficPolicy: {connectionPool: {tcp: {maxConnections: -1}}}"),
    "port-twice": rule("trafficPolicy: {portLevelSettings: [{port: {number: 80}}, {port: {number: 80}}]}"),
    "workload-selector": rule("workloadSelector: {labels: {app: web}}"),
    "distribute-sum": rule(
        "trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 50}}]}}}"
    ),
}

ENTRIES = {
    "host-star": entry("hosts: ['*']\nports: [{number: 80, name: http, protocol: HTTP}]"),
    "no-ports": entry("hosts: [a.test]"),
    "port-without-name": entry("hosts: [a.test]\nports: [{number: 80, protocol: HTTP}]"),
    "protocol-lower-case": entry("hosts: [a.test]\nports: [{number: 80, name: http, protocol: http}]"),
    "static-without-endpoints": entry(
        "hosts: [a.test]\nresolution: STATIC\nports: [{number: 80, name: http, protocol: HTTP}]"
    ),
    "dns-wildcard": entry(
        "hosts: ['*.test']\nresolution: DNS\nports: [{number: 80, name: http, protocol: HTTP}]"
    ),
    "address": entry(
        "hosts: [a.test]\naddresses: [local]\nports: [{number: 80, name: http, protocol: HTTP}]"
    ),
    "workload-entry-without-address": document(
        "WorkloadEntry", "networking.istio.io/v1", "labels: {app: web}"
    ),
    "workload-entry-port": document(
        "WorkloadEntry", "networking.istio.io/v1", "address: 10.0.0.1\nports: {http: '80'}"
    ),
}

WORKLOADS = {
    name: document("Workload", "meshext.dev/v1", spec)
    for name, spec in {
        "no-command": "ports: [{port: 80}]",
        "command-text": "command: python3 web.py",
        "command-empty": "command: []",
        "gateway-with-command": "gateway: true\ncommand: [a]",
        "gateway-with-environment": "gateway: true\nenv: {A: b}",
        "gateway-with-application": "gateway: true\nports: [{port: 80, applicationPort: 81}]",
        "gateway-with-readiness": "gateway: true\nports: [{port: 80}]\nreadiness: {tcpSocket: {}}",
        "port-zero": "command: [a]\nports: [{port: 0}]",
        "ports-numbers": "command: [a]\nports: [8080]",
        "port-twice": "command: [a]\nports: [{port: 80}, {port: 80}]",
        "protocol": "command: [a]\nports: [{port: 80, protocol: HTTP}]",
        "env-number": "command: [a]\nenv: {PORT: 80}",
        "env-list": "command: [a]\nenv: [{name: A, value: b}]",
        "replicas": "command: [a]\nreplicas: -1",
        "probe-of-no-kind": "command: [a]\nports: [{port: 80}]\nreadiness: {}",
        "probe-without-port": "command: [a]\nreadiness: {tcpSocket: {}}",
        "probe-of-other-port": "command: [a]\nports: [{port: 80}]\nreadiness: {tcpSocket: {port: 81}}",
        "account": "command: [a]\nserviceAccount: Web",
    }.items()
}

DOCUMENTS: dict[str, dict[str, str]] = {
    "heads": HEADS,
    "service": SERVICES,
    "virtual-service": ROUTES,
    "destination-rule": RULES,
    "service-entry": ENTRIES,
    "peer-authentication": PEERS,
    "request-authentication": JWTS,
    "authorization-policy": POLICIES,
    "telemetry": TELEMETRIES,
    "filter-policy": FILTERS,
    "mesh-config": CONFIGS,
}
"""Documents of a mesh's folder, each with one mistake."""
