"""The five parts of a URL."""

from __future__ import annotations

from meshext_wasm.library.ipaddress import IPv4Address, ip_address

CONTROL = "".join([chr(each) for each in range(33)])
SCHEME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
EXPANDING = frozenset(
    "\u2047\u2048\u2049\u2100\u2101\u2105\u2106\u2a74\ufe13\ufe16\ufe55\ufe56\ufe5f\ufe6b\uff03\uff0f\uff1a\uff1f\uff20"
)
"""What NFKC, which IDNA uses, turns into a text with one of `/?#@:`."""


class Located:
    """Parts of a URL with a network location."""

    netloc: str

    def __init__(self, netloc: str) -> None:
        self.netloc = netloc

    @property
    def username(self) -> str | None:
        """What stands before `:` in front of `@`."""
        info, sign, _ = self.netloc.rpartition("@")
        return info.partition(":")[0] if sign != "" else None

    @property
    def password(self) -> str | None:
        """What stands behind `:` in front of `@`."""
        info, sign, _ = self.netloc.rpartition("@")
        _, colon, password = info.partition(":")
        return password if sign != "" and colon != "" else None

    @property
    def hostname(self) -> str | None:
        """The host in small letters; brackets of an IPv6 address are left out."""
        host = self.host_and_port()[0]
        if host == "":
            return None
        name, sign, zone = host.partition("%")
        return name.lower() + sign + zone

    @property
    def port(self) -> int | None:
        """The port; ValueError where it is none."""
        text = self.host_and_port()[1]
        if text == "":
            return None
        if not (text.isdigit() and text.isascii()):
            raise ValueError(f"Port could not be cast to integer value as {text!r}")
        number = int(text)
        if number > 65535:
            raise ValueError("Port out of range 0-65535")
        return number

    def host_and_port(self) -> tuple[str, str]:
        """Both as they stand."""
        place = self.netloc.rpartition("@")[2]
        _, bracket, inside = place.partition("[")
        if bracket != "":
            host, _, rest = inside.partition("]")
            return host, rest.partition(":")[2]
        host, _, port = place.partition(":")
        return host, port


class SplitResult(Located):
    """What `urlsplit` gives: the parts as they stand, and what is in the network location."""

    scheme: str
    path: str
    query: str
    fragment: str

    def __init__(self, scheme: str, netloc: str, path: str, query: str, fragment: str) -> None:
        super().__init__(netloc)
        self.scheme = scheme
        self.path = path
        self.query = query
        self.fragment = fragment

    def geturl(self) -> str:
        """The parts as a URL."""
        return urlunsplit(self.parts())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SplitResult):
            return NotImplemented
        return self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash(self.parts())

    def parts(self) -> tuple[str, str, str, str, str]:
        """All five."""
        return (self.scheme, self.netloc, self.path, self.query, self.fragment)

    def _replace(
        self,
        *,
        scheme: str | None = None,
        netloc: str | None = None,
        path: str | None = None,
        query: str | None = None,
        fragment: str | None = None,
    ) -> SplitResult:
        """The same with other parts."""
        return SplitResult(
            self.scheme if scheme is None else scheme,
            self.netloc if netloc is None else netloc,
            self.path if path is None else path,
            self.query if query is None else query,
            self.fragment if fragment is None else fragment,
        )

    def __repr__(self) -> str:
        return (
            f"SplitResult(scheme={self.scheme!r}, netloc={self.netloc!r}, path={self.path!r}, "
            f"query={self.query!r}, fragment={self.fragment!r})"
        )


AUTHORITY = frozenset(
    (
        "ftp http gopher nntp telnet imap wais file mms https shttp snews prospero rtsp rtsps "
        "rtspu rsync svn svn+ssh sftp nfs git git+ssh ws wss"
    ).split()
)
"""Schemes whose URLs have a network location even where it is empty."""


def urlunsplit(components: tuple[str, str, str, str, str] | SplitResult) -> str:
    """Five parts as a URL."""
    parts = components.parts() if isinstance(components, SplitResult) else components
    scheme, netloc, url, query, fragment = parts
    if netloc != "" or (scheme in AUTHORITY and not url.startswith("//")):
        if url != "" and not url.startswith("/"):
            url = "/" + url
        url = "//" + netloc + url
    if scheme != "":
        url = scheme + ":" + url
    if query != "":
        url = url + "?" + query
    return url + "#" + fragment if fragment != "" else url


def urlsplit(url: str, scheme: str = "", allow_fragments: bool = True) -> SplitResult:
    """A URL in its parts; nothing is decoded."""
    rest = without_breaks(url.lstrip(CONTROL))
    found = without_breaks(scheme.strip(CONTROL))
    colon = rest.find(":")
    if colon > 0 and rest[0].isascii() and rest[0].isalpha() and all_in(rest[:colon], SCHEME):
        found = rest[:colon].lower()
        rest = rest[colon + 1 :]
    place = ""
    if rest.startswith("//"):
        end = end_of_place(rest)
        place = rest[2:end]
        rest = rest[end:]
        check_brackets(place)
    fragment = ""
    query = ""
    if allow_fragments:
        rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    check_place(place)
    return SplitResult(found, place, rest, query, fragment)


def without_breaks(text: str) -> str:
    """A text without tabs and ends of lines."""
    return text.replace("\t", "").replace("\r", "").replace("\n", "")


def all_in(text: str, allowed: frozenset[str]) -> bool:
    """Whether a text has only some characters."""
    for each in text:
        if each not in allowed:
            return False
    return True


def end_of_place(url: str) -> int:
    """Where the network location ends that begins with `//`."""
    end = 2
    while end < len(url) and url[end] not in "/?#":
        end += 1
    return end


def check_brackets(place: str) -> None:
    """Brackets enclose an IPv6 address, or one of a later version; only a port stands beside them."""
    if ("[" in place) != ("]" in place):
        raise ValueError("Invalid IPv6 URL")
    if "[" not in place:
        return
    beside = place.rpartition("@")[2]
    before, bracket, inside = beside.partition("[")
    host, _, port = inside.partition("]")
    if bracket == "":  # they are in the user's name
        host = beside.partition(":")[0]
    elif before != "" or (port != "" and not port.startswith(":")):
        raise ValueError("Invalid IPv6 URL")
    if not host.startswith("v"):
        if isinstance(ip_address(host), IPv4Address):
            raise ValueError("An IPv4 address cannot be in brackets")
        return
    version, dot, rest = host[1:].partition(".")
    if version == "" or not all_in(version, HEXADECIMAL) or dot == "" or rest == "" or "\n" in rest:
        raise ValueError("IPvFuture address is invalid")


def check_place(place: str) -> None:
    """No character that IDNA would turn into a delimiter."""
    for each in place:
        if each in EXPANDING:
            raise ValueError(f"netloc '{place}' contains invalid characters under NFKC normalization")
