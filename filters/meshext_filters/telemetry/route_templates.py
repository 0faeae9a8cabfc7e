"""Route templates: which of a configured list a path belongs to.

    /users/{id}            one segment, which is not empty
    /reports/{name}.json   one segment with text before or after the part that varies
    /static/**             everything below /static/

Segments are compared as they are on the wire, without decoding; `/users/` has an empty last segment. Where
several templates match, the first segment in which they differ decides: text before `{name}` with text
around it (the longest text first), that before `{name}` alone, that before `**`. They are kept as a tree,
each node of which is looked at once at most, so no path is slow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

PARAMETER = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")
MOST_SEGMENTS = 32
REST = "**"


@dataclass(slots=True)
class Node:
    """What may follow after some segments; `template` is the one that ends here, `rest` the one with `**`."""

    literals: dict[str, Node] = field(default_factory=dict)
    partials: list[Partial] = field(default_factory=list)
    single: Node | None = None
    template: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Partial:
    """A segment with text around the part that varies."""

    prefix: str
    suffix: str
    node: Node

    def matches(self, segment: str) -> bool:
        """Whether a segment is of this form; the part that varies is not empty."""
        return (
            len(segment) > len(self.prefix) + len(self.suffix)
            and segment.startswith(self.prefix)
            and segment.endswith(self.suffix)
        )


class RouteTable:
    """Templates made ready to be matched. ValueError for one that is none, or that means what another
    does."""

    def __init__(self, templates: Sequence[str]) -> None:
        self._root = Node()
        self._depth = 0
        for template in templates:
            self.add(template)

    def match(self, path: str) -> str | None:
        """The template of a path without query; None where there is none."""
        segments = path.split("/", self._depth + 1)
        if segments[0]:  # `*` of OPTIONS, or CONNECT's none
            return None
        return find(self._root, segments, 1) or None

    def add(self, template: str) -> None:
        """One more template; ValueError as above."""
        segments = parse_template(template)
        self._depth = max(self._depth, len(segments))
        node = self._root
        for segment in segments[:-1]:
            node = step(node, segment)
        last = segments[-1]
        if last == REST:
            refuse_twice(template, node.rest)
            node.rest = template
        else:
            node = step(node, last)
            refuse_twice(template, node.template)
            node.template = template


def find(node: Node, segments: Sequence[str], at: int) -> str:
    """The first template below a node that matches the segments from there on; "" for none."""
    if at == len(segments):
        return node.template
    segment = segments[at]
    below = node.literals.get(segment)
    if below is not None and (found := find(below, segments, at + 1)):
        return found
    for partial in node.partials:
        if partial.matches(segment) and (found := find(partial.node, segments, at + 1)):
            return found
    if node.single is not None and segment and (found := find(node.single, segments, at + 1)):
        return found
    return node.rest


def step(node: Node, segment: str) -> Node:
    """The node behind a segment of a template, made where there is none."""
    prefix, opened, after = segment.partition("{")
    if not opened:
        return node.literals.setdefault(segment, Node())
    suffix = after.partition("}")[2]
    if not prefix and not suffix:
        node.single = node.single or Node()
        return node.single
    for partial in node.partials:
        if (partial.prefix, partial.suffix) == (prefix, suffix):
            return partial.node
    made = Partial(prefix, suffix, Node())
    node.partials.append(made)
    node.partials.sort(key=lambda each: (-len(each.prefix) - len(each.suffix), each.prefix, each.suffix))
    return made.node


def refuse_twice(template: str, other: str) -> None:
    """ValueError where another template has this place."""
    if other == template:
        raise ValueError(f"{template!r} is there twice; leave one out")
    if other:
        raise ValueError(f"{template!r} matches what {other!r} matches; leave one of them out")


def parse_template(template: str) -> list[str]:
    """The segments of a template; ValueError says what is wrong with it and what to write."""
    if not template.startswith("/"):
        raise ValueError(f"{template!r} does not begin with /; write {'/' + template!r}")
    if "?" in template or "#" in template:
        raise ValueError(f"{template!r} has a query or fragment; write the path alone, {path_of(template)!r}")
    segments = template[1:].split("/")
    if len(segments) > MOST_SEGMENTS:
        raise ValueError(f"{template!r:.60} has {len(segments)} segments; write {MOST_SEGMENTS} at most")
    if "" in segments[:-1]:
        raise ValueError(f"{template!r} has an empty segment; write one / between segments")
    if REST in segments[:-1]:
        raise ValueError(f"{template!r}: ** stands for all that follows; write it as the last segment")
    names = [name for segment in segments if (name := check_segment(template, segment))]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{template!r} has {{{name}}} twice; write another name for one of them")
    return segments


def check_segment(template: str, segment: str) -> str:
    """The name of a segment's parameter, "" where it has none; ValueError for a segment that is none."""
    if segment == REST:
        return ""
    if "*" in segment:
        raise ValueError(
            f"{template!r}: {segment!r} is no segment; write {{name}} for one, ** for all that follow"
        )
    if segment.count("{") != segment.count("}") or segment.find("}") < segment.find("{"):
        raise ValueError(f"{template!r}: {segment!r} has a brace without its other; write {{name}}")
    if segment.count("{") > 1:
        raise ValueError(f"{template!r}: {segment!r} has two parameters; write one for each segment")
    if "{" not in segment:
        return ""
    name = segment.partition("{")[2].partition("}")[0]
    if PARAMETER.fullmatch(name) is None:
        raise ValueError(
            f"{template!r}: {{{name}}} has no name of letters, digits, _ . -; write such as {{id}}"
        )
    return name


def path_of(template: str) -> str:
    """What stands before query and fragment."""
    return template.partition("?")[0].partition("#")[0]
