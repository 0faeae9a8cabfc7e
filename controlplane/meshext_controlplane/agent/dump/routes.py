"""Routes: which requests go where."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.agent.dump.document import Dump, Item, Json, items, part, type_name, word, words

HEADINGS = ("ROUTES", "DOMAINS", "MATCH", "DESTINATION", "TIMEOUT", "ROUTE")


def route_configs(dump: Dump) -> Iterator[Item]:
    """Those of RDS, and those that stand in a listener."""
    yield from dump.resources("RoutesConfigDump", "route_configs", "route_config")


def rows(dump: Dump) -> Iterator[tuple[str, ...]]:
    """One for each route."""
    for config in route_configs(dump):
        for host in items(config.body, "virtual_hosts"):
            domains = words(host, "domains")
            shown = domains[0] if domains else ""
            shown += f" and {len(domains) - 1} more" if len(domains) > 1 else ""
            for route in items(host, "routes"):
                yield (
                    word(config.body, "name"),
                    shown,
                    match(part(route, "match")),
                    destination(route),
                    word(route, "route", "timeout"),
                    word(route, "name"),
                )


_PATHS = (("prefix", "{}*"), ("path", "{}"), ("path_separated_prefix", "{}[/*]"))


def match(found: Json) -> str:
    """What a request has to be."""
    parts = [form.format(word(found, name)) for name, form in _PATHS if word(found, name)]
    if regex := word(found, "safe_regex", "regex"):
        parts.append(f"~{regex}")
    template = part(found, "path_match_policy", "typed_config")
    if template:
        parts.append(word(template, "path_template"))
    if "connect_matcher" in found:
        parts.append("CONNECT")
    for each in items(found, "headers"):
        sign = "!=" if word(each, "invert_match") == "True" else "="
        parts.append(f"{word(each, 'name')}{sign}{text_match(each)}")
    for each in items(found, "query_parameters"):
        parts.append(f"?{word(each, 'name')}={text_match(each)}")
    return " ".join(parts)


def text_match(found: Json) -> str:
    """A matcher of text: as it is, with stars, or after a tilde where it is a regular expression."""
    if word(found, "present_match"):
        return "*"
    matcher = part(found, "string_match")
    for name, form in (("exact", "{}"), ("prefix", "{}*"), ("suffix", "*{}"), ("contains", "*{}*")):
        if name in matcher:
            return form.format(word(matcher, name))
    return f"~{word(matcher, 'safe_regex', 'regex')}" if matcher else "?"


def destination(route: Json) -> str:
    """Clusters with their weights, a redirect, or the answer itself."""
    if redirect := part(route, "redirect"):
        where = word(redirect, "path_redirect") or word(redirect, "prefix_rewrite")
        secure = "https://" if word(redirect, "https_redirect") == "True" else ""
        port = f":{word(redirect, 'port_redirect')}" if word(redirect, "port_redirect") else ""
        return f"redirect {secure}{word(redirect, 'host_redirect')}{port}{where}"
    if direct := part(route, "direct_response"):
        return f"answer {word(direct, 'status')}"
    action = part(route, "route")
    weighted = list(items(action, "weighted_clusters", "clusters"))
    if weighted:
        return ", ".join(f"{word(each, 'name')} ({word(each, 'weight') or 0})" for each in weighted)
    plain = word(action, "cluster") or word(action, "cluster_header")
    return plain or type_name(part(action, "inline_cluster_specifier_plugin", "extension", "typed_config"))
