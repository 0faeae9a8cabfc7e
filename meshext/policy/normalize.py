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
_ESCAPED = frozenset(' "<>`{}\x7f') | {chr(code) for code in range(32)}
_SLASHES = re.compile(r"/{2,}")
_ESCAPED_SLASH = re.compile(r"%2[fF]|%5[cC]")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")


def normalize_target(target: str, how: Normalization) -> str:
    """The target (path and query) that Envoy forwards; PathRefused where it answers 400."""
    if "#" in target:
        raise PathRefused(
            f"Envoy answers 400 to the path {target!r}, since it has a fragment; leave out # and what follows"
        )
    path, mark, query = target.partition("?")
    if how is Normalization.NONE:
        return target
    if how is Normalization.DECODE_AND_MERGE_SLASHES:
        path = _ESCAPED_SLASH.sub(lambda found: "/" if found[0][1] == "2" else "\\", path)
    path = canonical_path(path)
    if how is not Normalization.BASE:
        path = _SLASHES.sub("/", path)
    return path + mark + query


def canonical_path(path: str) -> str:
    """The path with backslashes as slashes, unreserved escapes decoded, dot segments resolved."""
    text = "".join([_canonical(part) for part in _ESCAPE_OR_CHARACTER.findall(path)])
    return _resolve(text)


_ESCAPE_OR_CHARACTER = re.compile(r"%[0-9a-fA-F]{2}|.", re.DOTALL)


def _canonical(part: str) -> str:
    if part == "\\":
        return "/"
    if len(part) == 3:
        character = chr(int(part[1:], 16))
        if character == "\0":
            raise PathRefused("Envoy answers 400 to a path with %00; leave it out")
        return character if character in _UNRESERVED else part
    if part in _ESCAPED:
        return f"%{ord(part):02X}"
    if part.isascii():
        return part
    return "".join([f"%{byte:02X}" for byte in part.encode("utf-8", "surrogateescape")])


def _resolve(path: str) -> str:
    """Dot segments removed (RFC 3986 section 5.2.4), empty segments kept."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "..":
            del kept[-1:]
        if segment not in (".", ".."):
            kept.append(segment)
        elif last:
            kept.append("")
    return "/" + "/".join(kept)
