"""Documents that analyzers have something to say about, by code, with what is right beside it."""

from __future__ import annotations

JWKS = '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'


def document(kind: str, version: str, name: str, spec: str, namespace: str = "shop") -> str:
    return (
        f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {spec}\n"
    )


def policy(name: str, spec: str, namespace: str = "shop") -> str:
    return document("AuthorizationPolicy", "security.istio.io/v1", name, spec, namespace)


def peer(name: str, spec: str) -> str:
    return document("PeerAuthentication", "security.istio.io/v1", name, spec)


def jwt(name: str, spec: str) -> str:
    return document("RequestAuthentication", "security.istio.io/v1", name, spec)


def config(spec: str) -> str:
    return document("MeshConfig", "meshext.dev/v1", "mesh", spec)


def service(name: str, ports: str, labels: str) -> str:
    return document("Service", "v1", name, f"{{selector: {{{labels}}}, ports: [{ports}]}}")


def paths(action: str, *values: str) -> str:
    listed = ", ".join(f'"{value}"' for value in values)
    return f"{{action: {action}, rules: [{{to: [{{operation: {{paths: [{listed}]}}}}]}}]}}"


TOKENS = f"jwtRules: [{{issuer: a, jwks: '{JWKS}'}}]"
GET = "rules: [{to: [{operation: {methods: [GET]}}]}]"
LOGS = "{accessLogging: [{}]}"


def on(labels: str) -> str:
    return f"selector: {{matchLabels: {{{labels}}}}}"


WEB = service("web", "{name: http, port: 80, targetPort: 8080}", "app: web")
DB = service("db", "{name: tcp, port: 5432}", "app: db")
ASK = "rules: [{to: [{operation: {paths: [/a]}}]}]"
AUTHZ = "{name: a, envoyExtAuthzGrpc: {service: authz.shop.svc.cluster.local, port: 9000}}"
AUTHZ_HTTP = "{name: h, envoyExtAuthzHttp: {service: authz.shop.svc.cluster.local, port: 9000}}"
OF_DB = "selector: {matchLabels: {app: db}}"
CALLER = "rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]"
SERVED = service("authz", "{name: grpc, port: 9000}", "app: authz")


def routes(name: str, spec: str) -> str:
    return document("VirtualService", "networking.istio.io/v1", name, spec)


def rule(name: str, spec: str) -> str:
    return document("DestinationRule", "networking.istio.io/v1", name, spec)


def gateway(name: str, servers: str) -> str:
    spec = f"{{selector: {{gate: front}}, servers: [{servers}]}}"
    return document("Gateway", "networking.istio.io/v1", name, spec)


def sidecar(name: str, spec: str) -> str:
    return document("Sidecar", "networking.istio.io/v1", name, spec)


TO_WEB = "route: [{destination: {host: web}}]"
ENTRY = document(
    "ServiceEntry",
    "networking.istio.io/v1",
    "out",
    "{hosts: ['*.example.com'], ports: [{number: 443, name: tls, protocol: TLS}]}",
)

LOCAL = "{loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}}"
RANDOM = "{host: web, trafficPolicy: {loadBalancer: {simple: RANDOM}}}"
PREFIX = "match: [{uri: {prefix: /foo}}]"

HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
FRONT_ROUTES = routes("web", f"{{hosts: [a.test], gateways: [front], http: [{{{TO_WEB}}}]}}")


def secure(name: str, mode: str, credential: str) -> str:
    port = f"{{number: 443, name: {name}, protocol: HTTPS}}"
    return f"{{port: {port}, hosts: [{name}.test], tls: {{mode: {mode}, credentialName: {credential}}}}}"


CASES: dict[str, list[str]] = {
    "MX101": [
        policy("bare", "{rules: [{to: [{operation: {hosts: [shop.test]}}]}]}"),
        policy("both", "{rules: [{to: [{operation: {hosts: [shop.test, 'shop.test:*']}}]}]}"),
    ],
    "MX102": [
        WEB,
        DB,
        policy("deny", paths("DENY", "/admin")),
        policy(
            "allow", "{selector: {matchLabels: {app: db}}, rules: [{to: [{operation: {methods: [GET]}}]}]}"
        ),
        gateway("front", "{port: {number: 7000, name: tcp, protocol: TCP}, hosts: ['*']}"),
        policy("by-port", "{action: DENY, rules: [{to: [{operation: {paths: [/admin], ports: ['8080']}}]}]}"),
        policy(
            "web-only",
            "{selector: {matchLabels: {app: web}}, rules: [{to: [{operation: {methods: [GET]}}]}]}",
        ),
    ],
    "MX103": [
        jwt(
            "alone", f"{{selector: {{matchLabels: {{app: web}}}}, jwtRules: [{{issuer: a, jwks: '{JWKS}'}}]}}"
        ),
        jwt(
            "asked", f"{{selector: {{matchLabels: {{app: api}}}}, jwtRules: [{{issuer: a, jwks: '{JWKS}'}}]}}"
        ),
        policy(
            "ask",
            "{selector: {matchLabels: {app: api}}, rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}",
        ),
    ],
    "MX104": [
        policy("leaking", paths("DENY", "/admin/{**}")),
        policy("tight", paths("DENY", "/admin", "/admin/{**}")),
    ],
    "MX105": [policy("long", paths("ALLOW", "/foo*", "/bar/*"))],
    "MX106": [
        config("{extensionProviders: [{name: log, envoyFileAccessLog: {}}, " + AUTHZ + "]}"),
        policy("unknown", f"{{action: CUSTOM, provider: {{name: nobody}}, {ASK}}}"),
        policy("no-authz", f"{{action: CUSTOM, provider: {{name: log}}, {ASK}}}"),
        policy("no-service", f"{{action: CUSTOM, provider: {{name: a}}, {ASK}}}"),
    ],
    "MX107": [
        SERVED,
        config("{extensionProviders: [" + AUTHZ + ", " + AUTHZ.replace("name: a,", "name: a-b,") + "]}"),
        policy(
            "one", f"{{selector: {{matchLabels: {{a: b}}}}, action: CUSTOM, provider: {{name: a}}, {ASK}}}"
        ),
        policy(
            "two", f"{{selector: {{matchLabels: {{a: c}}}}, action: CUSTOM, provider: {{name: a-b}}, {ASK}}}"
        ),
    ],
    "MX108": [
        SERVED,
        config("{extensionProviders: [" + AUTHZ + ", " + AUTHZ.replace("name: a,", "name: z,") + "]}"),
        policy("one", f"{{action: CUSTOM, provider: {{name: a}}, {ASK}}}"),
        policy("two", f"{{action: CUSTOM, provider: {{name: z}}, {ASK}}}"),
    ],
    "MX109": [peer("one", "{mtls: {mode: STRICT}}"), peer("two", "{mtls: {mode: DISABLE}}")],
    "MX110": [
        WEB,
        peer("ports", '{selector: {matchLabels: {app: web}}, portLevelMtls: {"80": {mode: DISABLE}}}'),
    ],
    "MX111": [WEB, peer("lost", "{selector: {matchLabels: {app: wep}}, mtls: {mode: STRICT}}")],
    "MX112": [
        policy("star", "{rules: [{from: [{source: {principals: ['spiffe://cluster.local/ns/a/sa/b']}}]}]}"),
        policy("method", "{rules: [{to: [{operation: {methods: [get], paths: [admin, '/a?b']}}]}]}"),
    ],
    "MX113": [
        peer("off", "{mtls: {mode: DISABLE}}"),
        policy("who", "{rules: [{from: [{source: {namespaces: [shop]}}]}]}"),
    ],
    "MX114": [
        policy("try", "{action: DENY, rules: [{}]}").replace(
            "namespace: shop", 'namespace: shop, annotations: {istio.io/dry-run: "true"}'
        )
    ],
    "MX115": [config("{pathNormalization: {normalization: BASE}}"), policy("admin", paths("DENY", "/admin"))],
    "MX116": [
        jwt("plain", "{jwtRules: [{issuer: a, jwksUri: 'http://issuer.test/keys'}]}"),
        policy("ask", "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"),
    ],
    "MX117": [
        document(
            "FilterPolicy",
            "meshext.dev/v1",
            "shared",
            "{filter: rate-limit, service: {host: nowhere.shop.svc.cluster.local, port: 9000}}",
        )
    ],
    "MX118": [
        config("{extensionProviders: [{name: spans, opentelemetry: {service: otel.test, port: 4317}}]}")
    ],
    "MX119": [
        document("Telemetry", "telemetry.istio.io/v1", name, "{accessLogging: [{}]}")
        for name in ("one", "two")
    ],
    "MX120": [
        SERVED,
        DB,
        config("{extensionProviders: [" + AUTHZ + ", " + AUTHZ_HTTP + "]}"),
        policy("asked", f"{{{OF_DB}, action: CUSTOM, provider: {{name: a}}, {CALLER}}}"),
        policy("unasked", f"{{{OF_DB}, action: CUSTOM, provider: {{name: h}}, {CALLER}}}"),
        policy(
            "elsewhere",
            f"{{{OF_DB}, action: CUSTOM, provider: {{name: h}}, "
            "rules: [{to: [{operation: {ports: ['8080']}}]}]}",
        ),
    ],
    "MX121": [
        WEB,
        DB,
        document(
            "FilterPolicy", "meshext.dev/v1", "guards", f"{{{OF_DB}, filter: rate-limit, phase: AUTHZ}}"
        ),
        document("FilterPolicy", "meshext.dev/v1", "counts", f"{{{OF_DB}, filter: telemetry, phase: STATS}}"),
        document(
            "FilterPolicy",
            "meshext.dev/v1",
            "calls",
            f"{{{OF_DB}, direction: outbound, filter: rate-limit}}",
        ),
    ],
    "MX301": [WEB, routes("lost", f"{{hosts: [wep, web], http: [{{{TO_WEB}}}]}}")],
    "MX302": [
        WEB,
        ENTRY,
        routes(
            "web",
            "{hosts: [web], http: [{route: [{destination: {host: wep}}], mirror: {host: a.example.com}}]}",
        ),
    ],
    "MX303": [
        WEB,
        routes("web", "{hosts: [web], http: [{route: [{destination: {host: web, port: {number: 8080}}}]}]}"),
    ],
    "MX304": [
        WEB,
        routes(
            "web",
            f"{{hosts: [web], http: [{{match: [{{uri: {{prefix: /a/}}}}], {TO_WEB}}}, "
            f"{{name: late, match: [{{uri: {{exact: /a/b}}}}], {TO_WEB}}}, "
            f"{{match: [{{uri: {{exact: /a/b}}, headers: {{x: {{}}}}}}], {TO_WEB}}}, "
            f"{{name: rest, {TO_WEB}}}, {{name: never, match: [{{uri: {{exact: /c}}}}], {TO_WEB}}}]}}",
        ),
    ],
    "MX305": [
        WEB,
        routes(
            "web",
            "{hosts: [web], http: [{route: [{destination: {host: web}, weight: 9}, "
            "{destination: {host: web}, weight: 90}]}]}",
        ),
    ],
    "MX306": [
        WEB,
        routes("web", f"{{hosts: [web], http: [{{fault: {{abort: {{httpStatus: 500}}}}, {TO_WEB}}}]}}"),
    ],
    "MX307": [
        WEB,
        routes("one", f"{{hosts: [web], http: [{{{TO_WEB}}}]}}"),
        routes("two", f"{{hosts: [web.shop.svc.cluster.local], http: [{{{TO_WEB}}}]}}"),
    ],
    "MX308": [ENTRY, rule("lost", "{host: wep}"), rule("found", "{host: a.example.com}")],
    "MX310": [
        WEB,
        rule(
            "web",
            "{host: web, trafficPolicy: {loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}}}",
        ),
    ],
    "MX311": [
        WEB,
        routes(
            "web", f"{{hosts: [web], http: [{{match: [{{uri: {{prefix: /foo}}}}], {TO_WEB}}}, {{{TO_WEB}}}]}}"
        ),
    ],
    "MX313": [
        WEB,
        *(
            rule(name, "{host: web, trafficPolicy: {loadBalancer: {simple: RANDOM}}}")
            for name in ("one", "two")
        ),
    ],
    "MX314": [DB, routes("db", "{hosts: [db], http: [{route: [{destination: {host: db}}]}]}")],
    "MX401": [
        WEB,
        gateway("front", f"{secure('a', 'SIMPLE', 'gone')}, {secure('b', 'MUTUAL', 'odd')}"),
        FRONT_ROUTES,
        "apiVersion: v1\nkind: Secret\nmetadata: {name: odd, namespace: shop}\n"
        "stringData: {cert: a, key: b}\n",
    ],
    "MX402": [WEB, FRONT_ROUTES],
    "MX403": [
        WEB,
        gateway("front", HTTP.replace("'*'", "other.test, bank/a.test")),
        FRONT_ROUTES,
    ],
    "MX404": [
        WEB,
        gateway(
            "front",
            f"{HTTP}, {{port: {{number: 7000, name: tcp, protocol: TCP}}, hosts: ['*']}}, "
            "{port: {number: 81, name: old, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}",
        ),
        FRONT_ROUTES,
    ],
    "MX405": [
        WEB,
        gateway("front", HTTP),
        gateway("more", HTTP.replace("protocol: HTTP", "protocol: TCP")),
        routes("web", f"{{hosts: [a.test], gateways: [front], http: [{{{TO_WEB}}}]}}"),
    ],
    "MX406": [
        WEB,
        gateway("front", HTTP),
        routes(
            "web",
            f"{{hosts: [a.test], gateways: [front], http: [{{match: [{{gateways: [mesh]}}], {TO_WEB}}}, "
            f"{{match: [{{gateways: [shop/front]}}], {TO_WEB}}}]}}",
        ),
    ],
    "MX407": [sidecar(name, "{egress: [{hosts: ['./*']}]}") for name in ("one", "two")],
    "MX409": [
        gateway("front", "{port: {number: 7000, name: tcp, protocol: TCP}, hosts: ['*']}"),
        document(
            "ServiceEntry",
            "networking.istio.io/v1",
            "wild",
            "{hosts: ['*.wild.test'], ports: [{number: 7000, name: tcp, protocol: TCP}], "
            "resolution: DYNAMIC_DNS}",
        ),
        routes(
            "wild",
            "{hosts: ['*'], gateways: [front], tcp: [{route: [{destination: {host: '*.wild.test'}}]}]}",
        ),
    ],
    "MX408": [
        gateway("front", HTTP).replace("gate: front", "gate: back"),
        FRONT_ROUTES,
        WEB,
        "apiVersion: meshext.dev/v1\nkind: Workload\n"
        "metadata: {name: front, namespace: shop, labels: {gate: front}}\nspec: {gateway: true}\n",
    ],
    "MX315": [WEB, routes("web", "{http: [{route: [{destination: {host: web}}]}]}")],
    "MX316": [
        WEB,
        routes("web", "{hosts: [web], http: [{match: [{uri: {exact: /a}}], delegate: {name: part}}]}"),
        routes("part", "{http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: web}}]}]}"),
    ],
    "MX201": [service("web", "{name: main, port: 80}, {name: http-web, port: 81}", "app: web")],
}
"""Each makes its code's finding, and no other finding that is not shown in the golden file."""
