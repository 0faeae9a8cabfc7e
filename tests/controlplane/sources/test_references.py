"""References between documents: what breaks one goes back, and what it breaks stays in force."""

from __future__ import annotations

from meshext_controlplane.sources.configuration import Configuration, merge
from tests.controlplane.sources.documents import read, routes, rule, service, stream

ROUTES = routes("web", "{hosts: [web], http: [{route: [{destination: {host: web, subset: v2}}]}]}")
BOTH = rule("web", "{host: web, subsets: [{name: v1, labels: {v: '1'}}, {name: v2, labels: {v: '2'}}]}")
ONE = rule("web", "{host: web, subsets: [{name: v1, labels: {v: '1'}}]}")
HEALTHY = [read("routes.yaml", ROUTES), read("rule.yaml", BOTH)]


def names(configuration: Configuration) -> list[str]:
    return [f"{key[0]} {key[2]}" for key in configuration.good]


def subsets(configuration: Configuration) -> list[str]:
    (found,) = configuration.documents["DestinationRule"]
    return [each.name for each in found.spec.subsets]  # type: ignore[attr-defined]  # of that kind


def test_a_subset_that_no_rule_has_is_refused() -> None:
    found = merge([read("routes.yaml", ROUTES), read("rule.yaml", ONE)])
    assert names(found) == ["DestinationRule web"]
    assert [str(each) for each in found.problems] == [
        "routes.yaml:4: VirtualService shop/web: spec.http[0].route[0].destination.subset: "
        "no DestinationRule for web.shop.svc.cluster.local has a subset 'v2'; write one of v1"
    ]


def test_a_rule_that_comes_later_makes_it_right() -> None:
    before = merge([read("routes.yaml", ROUTES)])
    assert (names(before), len(before.problems)) == ([], 1)
    after = merge(HEALTHY, before)
    assert (names(after), after.problems) == (["VirtualService web", "DestinationRule web"], ())


def test_a_rule_keeps_the_subset_that_routes_still_name() -> None:
    before = merge(HEALTHY)
    after = merge([HEALTHY[0], read("rule.yaml", ONE)], before)
    assert subsets(after) == ["v1", "v2"]
    assert after.held == {("DestinationRule", "shop", "web")}
    assert len(after.problems) == 1
    gone = merge([HEALTHY[0], read("rule.yaml", "# nothing")], before)
    assert subsets(gone) == ["v1", "v2"]


def test_both_may_change_at_once() -> None:
    moved = ROUTES.replace("v2", "v1")
    after = merge([read("routes.yaml", moved), read("rule.yaml", ONE)], merge(HEALTHY))
    assert (subsets(after), after.problems, after.held) == (["v1"], (), frozenset())


def test_a_rule_for_a_domain_counts() -> None:
    wide = BOTH.replace("host: web", "host: '*.svc.cluster.local'")
    assert merge([read("a.yaml", ROUTES, wide)]).problems == ()


def test_names_that_lead_back_are_refused() -> None:
    def alias(name: str, to: str) -> str:
        return service(name, f"{{type: ExternalName, externalName: {to}, ports: [{{port: 80}}]}}")

    circle = [alias("a", "b.shop.svc.cluster.local"), alias("b", "a.shop.svc.cluster.local")]
    found = merge(
        [read("a.yaml", *circle, alias("c", "example.com"), alias("d", "a.shop.svc.cluster.local"))]
    )
    assert names(found) == ["Service c", "Service d"]
    assert [each.line for each in found.problems] == [4, 9]
    assert "a.shop.svc.cluster.local -> b.shop.svc.cluster.local -> a.shop" in found.problems[0].text


def test_many_wrong_references_end() -> None:
    texts = [ROUTES.replace("name: web", f"name: web-{number}") for number in range(200)]
    found = merge([read("a.yaml", stream(*texts))])
    assert (found.good, len(found.problems)) == ({}, 200)
