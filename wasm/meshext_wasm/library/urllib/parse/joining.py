"""A URL as another one says it: RFC 3986 section 5.2, as CPython reads it."""

from __future__ import annotations

from meshext_wasm.library.urllib.parse.splitting import AUTHORITY, SplitResult, urlsplit

RELATIVE = frozenset(
    (
        "ftp http gopher nntp imap wais file https shttp mms prospero rtsp rtsps rtspu sftp svn svn+ssh "
        "ws wss"
    ).split()
)
"""Schemes whose URLs can be relative."""

PARAMETERS = frozenset(
    "ftp hdl prospero http imap https shttp rtsp rtsps rtspu sip sips mms sftp tel".split()
)
"""Schemes whose last segment may have parameters behind a semicolon."""


def urljoin(base: str, url: str, allow_fragments: bool = True) -> str:
    """The URL that `url` means where `base` is the one at hand."""
    if base == "":
        return url
    if url == "":
        return base
    below = urlsplit(base, "", allow_fragments)
    above = urlsplit(url, below.scheme, allow_fragments)
    scheme = above.scheme
    if scheme != below.scheme or not (scheme == "" or scheme in RELATIVE):
        return url
    path, parameters = without_parameters(scheme, above.path)
    if above.netloc != "" and (scheme == "" or scheme in AUTHORITY):
        return put_together(above, above.netloc, path, parameters, above.query)
    place = below.netloc if scheme == "" or scheme in AUTHORITY else above.netloc
    base_path, base_parameters = without_parameters(below.scheme, below.path)
    if path == "" and parameters == "":
        query = above.query if above.query != "" else below.query
        return put_together(above, place, base_path, base_parameters, query)
    return put_together(above, place, resolve(base_path, path), parameters, above.query)


def without_parameters(scheme: str, path: str) -> tuple[str, str]:
    """A path, and the parameters of its last segment."""
    if scheme != "" and scheme not in PARAMETERS:
        return path, ""
    last = path.rfind("/")
    found = path.find(";", last if last > 0 else 0)
    if found < 0:
        return path, ""
    return path[:found], path[found + 1 :]


def resolve(base: str, path: str) -> str:
    """A path from another one, without dot segments."""
    segments = path.split("/")
    if not path.startswith("/"):
        before = base.split("/")
        if before[-1] != "":
            before.pop()
        every = before + segments
        segments = every[:1] + [each for each in every[1:-1] if each != ""] + every[1:][-1:]
    kept: list[str] = []
    for each in segments:
        if each == "..":
            if len(kept) > 0:
                kept.pop()
        elif each != ".":
            kept.append(each)
    if segments[-1] == "." or segments[-1] == "..":
        kept.append("")
    return "/".join(kept) or "/"


def put_together(parts: SplitResult, place: str, path: str, parameters: str, query: str) -> str:
    """The URL of these parts; scheme and fragment are those of the URL that was given."""
    whole = path + ";" + parameters if parameters != "" else path
    return SplitResult(parts.scheme, place, whole, query, parts.fragment).geturl()
