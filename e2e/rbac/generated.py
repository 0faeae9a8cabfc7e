"""Policies and requests at random, from few enough words that they meet: every field, every form."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from e2e.rbac.native import DEMO, DESTINATIONS, NAMES, PRINCIPALS, SOURCES, Caller, Sent

Strategy = st.SearchStrategy[Any]

WORDS = ("a", "ab", "admin", "x", "Ann")


def forms(words: Strategy) -> Strategy:
    """A word in every form that a value has."""
    return st.one_of(
        words,
        words.map(lambda word: f"{word}*"),
        words.map(lambda word: f"*{word}"),
        words.map(lambda word: f"*{word}*"),
        st.just("*"),
    )


PATHS = (
    "/admin /admin/ /admin/x /a /a/b /a//b /ADMIN /store/foo/bar/cart /store//cart /store/cart "
    "/store/a*b/cart /foo/a*b /a/%2F/b /x;v=1 /foo/1/bar/2 /foo//bar/x / /a.b /aXb"
).split()
RAW_PATHS = [
    *PATHS,
    *"/a/../admin //admin /%61dmin /a/%2e%2e/admin /%2fadmin /a%5cb /a\\b /x/..;/admin /a?q=/admin "
    '/a/. /a/.. /a%zz /a|b /a"b /a{b} /a%00b /%E4 /a[b]^`'.split(),
]
TEMPLATES = (
    "/foo/{*}/bar/{**} /store/{**}/cart /{*} /{**} /admin/{**} /a/{*}/b /{*}/{*} /a.b/{*} /{*}/x".split()
)
HOSTS = ("a.test", "A.test", "a.test:8080", "b.test", "", "ab.test.", "a")
METHODS = ("GET", "POST", "PUT", "OPTIONS", "HEAD")
TEXTS = ("a", "ab", "", "admin", "a,b", "Ann", "b\u00e4", "a b")
ISSUERS = ("https://issuer.test", "iss", "https://issuer.test/sub", "")
SUBJECTS = ("ann", "bob/x", "", "a*")

accounts = st.sampled_from([principal.removeprefix("spiffe://") for principal in PRINCIPALS if principal])
principals = st.one_of(
    forms(accounts),
    forms(accounts.map(lambda each: each[: len(each) // 2])),
    forms(accounts.map(lambda each: each[len(each) // 2 :])),
    st.sampled_from(
        ["new.example/ns/shop/sa/web", "*.example/ns/shop/sa/web", "*/ns/shop/sa/web", "other/ns/shop/sa/web"]
    ),
)
namespaces = st.sampled_from(["shop", "sh*", "*op", "foo", "ns", "*", "a*x", "a", "s.op"])
service_accounts = st.sampled_from(["web", "shop/web", "foo/bar", "ns/bar", "shop/api", "a/web", "w.b"])
trust_domains = st.sampled_from(
    ["cluster.local", "cluster*", "*.local", "*", "old.example", "ns", "cluster.loca"]
)
request_principals = st.one_of(
    st.tuples(st.sampled_from(ISSUERS), st.sampled_from(SUBJECTS)).map("/".join),
    st.sampled_from(
        ["*", "*/ann", "*test/ann", "*ann", "iss/*", "iss/a*", "https*", "iss", "https://issuer.test/*"]
    ),
).filter(bool)
blocks = st.sampled_from(
    "127.0.0.0/8 127.0.0.1 127.0.0.7/32 127.0.1.0/24 203.0.113.0/24 203.0.113.9 2001:db8::/32 "
    "::1 0.0.0.0/0 10.1.2.3/8".split()
)
hosts = forms(st.sampled_from(["a.test", "A.TEST", "a.test:8080", "b.", "a", ".test"]))
paths = st.one_of(
    forms(st.sampled_from(PATHS)),
    forms(st.sampled_from(WORDS)),
    st.sampled_from(TEMPLATES),
    st.sampled_from(PATHS),
)
methods = forms(st.sampled_from(["GET", "POST", "get", "P", "OST", "HEAD"]))
texts = forms(st.sampled_from([text for text in TEXTS if text]))


def some(values: Strategy) -> Strategy:
    """One to three values."""
    return st.lists(values, min_size=1, max_size=3, unique=True)


def twins(fields: dict[str, Strategy]) -> Strategy:
    """At least one of the fields or their negated twins."""
    named: dict[str, Strategy] = {}
    for name, values in fields.items():
        named[name] = some(values)
        named[f"not{name[0].upper()}{name[1:]}"] = some(values)
    return st.sets(st.sampled_from(sorted(named)), min_size=1, max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({name: named[name] for name in sorted(chosen)})
    )


def sources() -> Strategy:
    """Sources; service accounts do not stand beside principals and namespaces."""
    addresses = {"ipBlocks": blocks, "remoteIpBlocks": blocks, "requestPrincipals": request_principals}
    return st.one_of(
        twins(
            {"principals": principals, "namespaces": namespaces, "trustDomains": trust_domains, **addresses}
        ),
        twins({"serviceAccounts": service_accounts, "trustDomains": trust_domains, **addresses}),
    )


def ports(listeners: tuple[int, int]) -> Strategy:
    """The two ports there are, and another one."""
    return st.sampled_from([str(listeners[0]), str(listeners[1]), "80"])


def operations(listeners: tuple[int, int]) -> Strategy:
    return twins({"hosts": hosts, "paths": paths, "methods": methods, "ports": ports(listeners)})


def conditions(listeners: tuple[int, int]) -> Strategy:
    """A condition of every key."""
    keys: dict[str, Strategy] = {
        "request.headers[x-role]": texts,
        "request.headers[X-Other]": texts,
        "request.headers[:method]": methods,
        "request.headers[:path]": paths.filter(lambda path: "{" not in path),
        "request.headers[:authority]": hosts,
        "request.headers[host]": hosts,
        "source.ip": blocks,
        "remote.ip": blocks,
        "source.namespace": namespaces,
        "source.serviceAccount": service_accounts,
        "source.principal": principals,
        "source.trustDomain": trust_domains,
        "request.auth.principal": request_principals,
        "request.auth.audiences": texts,
        "request.auth.presenter": texts,
        "request.auth.claims[group]": texts,
        "request.auth.claims[nested][group]": texts,
        "request.auth.claims[nested][deep][group]": texts,
        "destination.ip": blocks,
        "destination.port": ports(listeners),
        "connection.sni": forms(st.sampled_from(["shop.test", "api.shop", "api.shop.test", "API.shop.test"])),
        f"experimental.{DEMO}[k]": st.one_of(texts, texts.map(lambda text: f"[{text}]")),
        f"experimental.{DEMO}[l]": st.one_of(texts, texts.map(lambda text: f"[{text}]")),
    }
    seldom = [key for key in sorted(keys) if "auth" in key or "experimental" in key]  # what seldom matches
    return st.sampled_from([*sorted(keys), *seldom, *seldom]).flatmap(
        lambda key: st.one_of(
            st.fixed_dictionaries({"key": st.just(key), "values": some(keys[key])}),
            st.fixed_dictionaries({"key": st.just(key), "notValues": some(keys[key])}),
            st.fixed_dictionaries(
                {"key": st.just(key), "values": some(keys[key]), "notValues": some(keys[key])}
            ),
        )
    )


def rules(listeners: tuple[int, int]) -> Strategy:
    """Rules of every shape; half of them are one condition, so that it decides alone."""
    anything = st.fixed_dictionaries(
        {},
        optional={
            "from": st.lists(st.builds(lambda each: {"source": each}, sources()), min_size=1, max_size=2),
            "to": st.lists(
                st.builds(lambda each: {"operation": each}, operations(listeners)), min_size=1, max_size=2
            ),
            "when": st.lists(conditions(listeners), max_size=2),
        },
    )
    return st.one_of(anything, st.builds(lambda each: {"when": [each]}, conditions(listeners)))


def document(number: int, action: str, namespace: str, found: list[Any]) -> dict[str, Any]:
    """An AuthorizationPolicy."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": f"p{number}", "namespace": namespace},
        "spec": {"action": action, "rules": found},
    }


def policy_sets(listeners: tuple[int, int]) -> Strategy:
    """Documents that apply together: of the workload's namespace and of the root namespace."""
    one = st.tuples(
        st.sampled_from(["ALLOW", "ALLOW", "DENY", "AUDIT"]),
        st.sampled_from(["shop", "shop", "istio-system"]),
        st.lists(rules(listeners), max_size=3),
    ).filter(lambda each: bool(each[2]) or each[0] != "DENY")
    return st.lists(one, min_size=1, max_size=3).map(
        lambda found: [document(number, *each) for number, each in enumerate(found)]
    )


callers = st.builds(
    Caller,
    principal=st.integers(0, len(PRINCIPALS) - 1),
    source=st.integers(0, len(SOURCES) - 1),
    destination=st.integers(0, len(DESTINATIONS) - 1),
    name=st.integers(0, len(NAMES) - 1),
    raw=st.booleans(),
)
values = st.sampled_from([text.encode() for text in TEXTS] + [b"\xff", b"a\xff", b"\xe4"])
json_texts = st.sampled_from([*TEXTS, "a\nb"])
scalars = st.one_of(json_texts, st.sampled_from([None, True, 1, 1.5]))
odd_values = st.lists(st.one_of(scalars, st.lists(scalars, max_size=1)), max_size=3)
claim_values = st.one_of(json_texts, st.lists(json_texts, min_size=1, max_size=3), scalars, odd_values)
deep = st.fixed_dictionaries({"group": claim_values})
nested = st.fixed_dictionaries({"group": claim_values, "deep": st.one_of(deep, deep, claim_values)})
claims = st.fixed_dictionaries(
    {
        "aud": claim_values,
        "azp": claim_values,
        "group": claim_values,
        "nested": st.one_of(nested, nested, claim_values),
    },
    optional={
        "iss": st.one_of(st.sampled_from(ISSUERS), st.sampled_from(ISSUERS), st.just(7)),
        "sub": st.sampled_from(SUBJECTS),
    },
)
metadata = st.fixed_dictionaries({"k": claim_values, "l": claim_values})
requests = st.builds(
    Sent,
    caller=callers,
    method=st.sampled_from(METHODS),
    target=st.one_of(
        st.sampled_from(RAW_PATHS).map(str.encode),
        st.sampled_from([path.encode() for path in PATHS]),
        st.text("/.a%2eEfF\\;*b", max_size=8).map(lambda text: b"/" + text.encode()),
    ),
    host=st.sampled_from([host.encode() for host in HOSTS if host]),
    lines=st.lists(st.tuples(st.sampled_from(["x-role", "X-Other", "x-role"]), values), max_size=3).map(
        tuple
    ),
    client=st.sampled_from(["203.0.113.9", "10.9.9.9", "2001:db8::7", "127.0.0.1"]),
    claims=st.one_of(claims, claims, st.none()),
    metadata=st.one_of(metadata, metadata, st.none()),
)
