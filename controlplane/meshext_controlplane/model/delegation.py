"""`delegate` of a VirtualService's rule: the rules of another document in its place (Istio's `Delegate`).

A rule of the delegate takes the place with what both ask for; where it asks for something that the rule above
does not let through, it is left out. Of two that speak of one thing the delegate's counts: it is within the
other. Istio looks less closely where one asks only for presence, or for absence: there a delegate may take
more than it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.http_route import Destination, HttpMatch, HttpRoute
from meshext_controlplane.model.matching import StringMatch

K = TypeVar("K")
V = TypeVar("V")

_TEXTS = ("scheme", "method", "authority")
_INHERITED = (
    *("rewrite", "direct_response", "timeout", "retries", "fault", "mirror", "mirror_percentage"),
    *("cors_policy", "mirrors", "headers"),
)
"""What the rule above says where the delegate's says nothing."""


def merge_routes(root: HttpRoute, rules: Sequence[HttpRoute], namespace: str) -> tuple[HttpRoute, ...]:
    """What stands in the place of `root`; names of hosts are those of the delegate's namespace."""
    merged = (merge_route(root, _qualify(rule, namespace)) for rule in rules)
    return tuple(rule for rule in merged if rule is not None)


def merge_route(root: HttpRoute, rule: HttpRoute) -> HttpRoute | None:
    """One rule of a delegate; None where the rule above lets nothing of it through."""
    match = _merge_matches(root.match, rule.match)
    if match is None:
        return None
    update: dict[str, Any] = {"match": match, "name": _join(root.name, rule.name)}
    update |= {name: getattr(root, name) for name in _INHERITED if not getattr(rule, name)}
    if rule.mirror is not None:  # a share goes with its own mirror
        update.pop("mirror_percentage", None)
    return rule.model_copy(update=update)


def _merge_matches(
    roots: tuple[HttpMatch, ...], leaves: tuple[HttpMatch, ...]
) -> tuple[HttpMatch, ...] | None:
    if not roots or not leaves:
        return roots or leaves
    found = []
    for leaf in leaves:
        within = [merged for root in roots if (merged := merge_match(root, leaf)) is not None]
        if not within:
            return None
        found += within
    return tuple(found)


def merge_match(root: HttpMatch, leaf: HttpMatch) -> HttpMatch | None:
    """A block of a delegate within one of the rule above; None where it is not within."""
    if not _is_within(root, leaf):
        return None
    update: dict[str, Any] = {name: getattr(leaf, name) or getattr(root, name) for name in _TEXTS}
    if leaf.uri is None:
        update |= {"uri": root.uri, "ignore_uri_case": root.ignore_uri_case}
    for name in ("headers", "without_headers", "query_params", "source_labels"):
        update[name] = {**getattr(root, name), **getattr(leaf, name)}
    for name in ("port", "source_namespace", "gateways", "stat_prefix"):
        update[name] = getattr(leaf, name) or getattr(root, name)
    return leaf.model_copy(update={**update, "name": _join(root.name, leaf.name)})


def _is_within(root: HttpMatch, leaf: HttpMatch) -> bool:
    both_uris = root.uri is not None and leaf.uri is not None
    if both_uris and root.ignore_uri_case != leaf.ignore_uri_case:
        return False
    texts = [(getattr(root, name), getattr(leaf, name), False) for name in _TEXTS]
    texts += [(root.uri, leaf.uri, root.ignore_uri_case)]
    texts += [(each, leaf.headers.get(name), False) for name, each in root.headers.items()]
    texts += [(each, leaf.query_params.get(name), False) for name, each in root.query_params.items()]
    return (
        all(_covers(*each) for each in texts)
        and _agree(root.without_headers, leaf.without_headers)
        and _agree(root.source_labels, leaf.source_labels)
        and (not root.port or not leaf.port or root.port == leaf.port)
        and (not root.source_namespace or leaf.source_namespace in ("", root.source_namespace))
        and (not root.gateways or set(leaf.gateways) <= set(root.gateways))
    )


def _covers(root: StringMatch | None, leaf: StringMatch | None, ignore_case: bool) -> bool:
    """Whether all that the leaf takes is taken by the root too."""
    if root is None or leaf is None or root.is_empty or root == leaf:
        return True
    if root.regex is not None or leaf.regex is not None:
        return False
    text = leaf.exact if leaf.exact is not None else leaf.prefix
    above = root.exact if root.exact is not None else root.prefix
    if text is None or above is None:
        return False
    if ignore_case:
        text, above = text.lower(), above.lower()
    if root.exact is not None:
        return leaf.exact is not None and text == above
    return text.startswith(above)


def _agree(one: Mapping[K, V], other: Mapping[K, V]) -> bool:
    return all(other.get(name, value) == value for name, value in one.items())


def _join(first: str, second: str) -> str:
    return "-".join(name for name in (first, second) if name)


def _qualify(rule: HttpRoute, namespace: str) -> HttpRoute:
    """Its destinations under their whole names."""

    def whole(destination: Destination) -> Destination:
        return destination.model_copy(update={"host": qualify_host(destination.host, namespace)})

    update: dict[str, Any] = {
        "route": tuple(
            each.model_copy(update={"destination": whole(each.destination)}) for each in rule.route
        ),
        "mirrors": tuple(
            each.model_copy(update={"destination": whole(each.destination)}) for each in rule.mirrors
        ),
    }
    if rule.mirror is not None:
        update["mirror"] = whole(rule.mirror)
    return rule.model_copy(update=update)
