"""A path as Envoy leaves it: Istio's `pathNormalization`, which is what a policy is decided on.

BASE is `normalize_path` of Envoy's connection manager (Chromium's canonical form of a path), MERGE_SLASHES
adds `merge_slashes`, DECODE_AND_MERGE_SLASHES also `path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD`.
"""

from __future__ import annotations

import re
from enum import Enum

from meshext.errors import MeshextError


class Normalization(Enum):
    """MeshConfig `pathNormalization.normalization`."""

    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


class PathRefused(MeshextError):
    """A path that Envoy answers with 400 before any policy."""


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPED = frozenset('"<>^`{|}')
_UNSENT = re.compile(r"[^\x21-\x7e]")  # Envoy's HTTP parser takes no target that holds one
_ESCAPED_SLASH = re.compile(r"%2[fF]|%5[cC]")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_HEX_PAIR = re.compile(r"[0-9a-fA-F]{2}")


def normalize_target(target: str, how: Normalization) -> str:
    """The target (path and query) that Envoy forwards; PathRefused where it answers 400."""
    if "#" in target:
        raise PathRefused(
            f"Envoy answers 400 to the path {target!r}, since it has a fragment; leave out # and what follows"
        )
    if unsent := _UNSENT.search(target):
        raise PathRefused(f"Envoy answers 400 to the path {target!r}; write {unsent[0]!r} percent-encoded")
    path, mark, query = target.partition("?")
    if how is Normalization.NONE:
        return target
    if how is Normalization.DECODE_AND_MERGE_SLASHES:
        path = _ESCAPED_SLASH.sub(lambda found: "/" if found[0][1] == "2" else "\\", path)
    path = canonical_path(path)
    if how is not Normalization.BASE:
        path = merge_slashes(path)
    return path + mark + query


def canonical_path(path: str) -> str:
    """The path with backslashes as slashes, unreserved escapes decoded, dot segments resolved.

    Envoy 1.40 takes parameters off dot segments first (`/..;a/` is `/../`), where slashes are slashes.
    """
    text = unescape("/".join([without_parameters(segment) for segment in path.split("/")]))
    if "%00" in text:
        raise PathRefused("Envoy answers 400 to a path with %00; leave it out")
    return resolve_dots(text)


def without_parameters(segment: str) -> str:
    """A dot segment less what follows its semicolon; other segments as they are."""
    if segment.startswith("..;"):
        return ".."
    return "." if segment.startswith(".;") else segment


def unescape(path: str) -> str:
    """Each character in its canonical form.

    Where decoding would make a new escape of a percent sign that began none (`%0%61`), that sign is escaped.
    """
    out: list[str] = []
    stray = -1  # where in `out` the last percent sign stands that begins no escape
    at = 0
    while at < len(path):
        found = _ESCAPE.match(path, at)
        if found is None:
            if path[at] == "%":
                stray = len(out)
            out.append(canonical_character(path[at]))
            at += 1
            continue
        at = found.end()
        character = chr(int(found[1], 16))
        if character not in _UNRESERVED:
            out.append(found[0])
            continue
        out.append(character)
        follows = "".join(out[stray + 1 :]) + path[at : at + 1]
        if stray >= 0 and len(out) - stray <= 3 and _HEX_PAIR.match(follows):
            out[stray] = "%25"
            stray = -1
    return "".join(out)


def canonical_character(character: str) -> str:
    """One character that is not part of an escape."""
    if character == "\\":
        return "/"
    return f"%{ord(character):02X}" if character in _ESCAPED else character


def merge_slashes(path: str) -> str:
    """Neighbouring slashes as one; of a path that has nothing else, Envoy keeps the first and the last."""
    if "//" not in path:
        return path
    end = "/" if path.endswith("/") else ""
    return "/" + "/".join([segment for segment in path.split("/") if segment]) + end


def resolve_dots(path: str) -> str:
    """Dot segments removed (RFC 3986 section 5.2.4), empty segments kept."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for position, segment in enumerate(segments):
        if segment == "..":
            del kept[-1:]
        if segment not in (".", ".."):
            kept.append(segment)
        elif position == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)
