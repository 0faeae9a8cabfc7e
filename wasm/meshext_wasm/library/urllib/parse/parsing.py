"""The six parts of a URL, parameters of its last segment among them."""

from __future__ import annotations

from meshext_wasm.library.urllib.parse.splitting import Located, urlsplit, urlunsplit

WITH_PARAMETERS = frozenset("ftp hdl prospero http https shttp rtsp rtspu sip sips mms sftp tel".split()) | {
    ""
}


class ParseResult(Located):
    """What `urlparse` gives: as `SplitResult`, with `params` behind a semicolon taken off the path."""

    scheme: str
    path: str
    params: str
    query: str
    fragment: str

    def __init__(self, scheme: str, netloc: str, path: str, params: str, query: str, fragment: str) -> None:
        super().__init__(netloc)
        self.scheme = scheme
        self.path = path
        self.params = params
        self.query = query
        self.fragment = fragment

    def geturl(self) -> str:
        """The parts as a URL."""
        return urlunparse(self.parts())

    def _replace(
        self,
        *,
        scheme: str | None = None,
        netloc: str | None = None,
        path: str | None = None,
        params: str | None = None,
        query: str | None = None,
        fragment: str | None = None,
    ) -> ParseResult:
        """The same with other parts."""
        return ParseResult(
            self.scheme if scheme is None else scheme,
            self.netloc if netloc is None else netloc,
            self.path if path is None else path,
            self.params if params is None else params,
            self.query if query is None else query,
            self.fragment if fragment is None else fragment,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ParseResult):
            return NotImplemented
        return self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash(self.parts())

    def parts(self) -> tuple[str, str, str, str, str, str]:
        """All six."""
        return (self.scheme, self.netloc, self.path, self.params, self.query, self.fragment)

    def __repr__(self) -> str:
        return (
            f"ParseResult(scheme={self.scheme!r}, netloc={self.netloc!r}, path={self.path!r}, "
            f"params={self.params!r}, query={self.query!r}, fragment={self.fragment!r})"
        )


def urlparse(url: str, scheme: str = "", allow_fragments: bool = True) -> ParseResult:
    """A URL in its six parts; nothing is decoded."""
    found = urlsplit(url, scheme, allow_fragments)
    path, params = found.path, ""
    if found.scheme in WITH_PARAMETERS:
        at = path.find(";", max(path.rfind("/"), 0))
        if at >= 0:
            path, params = path[:at], path[at + 1 :]
    return ParseResult(found.scheme, found.netloc, path, params, found.query, found.fragment)


def urlunparse(components: tuple[str, str, str, str, str, str] | ParseResult) -> str:
    """Six parts as a URL."""
    parts = components.parts() if isinstance(components, ParseResult) else components
    scheme, netloc, path, params, query, fragment = parts
    if params != "":
        path = path + ";" + params
    return urlunsplit((scheme, netloc, path, query, fragment))
