"""What looks like a secret, and what stands in its place: in headers, claims, paths and queries.

Two things make a secret: its name (`authorization`, `cookie`, `api_key`, `access_token`, ...) or its look,
whatever its name: a JWT, credentials after an authorization scheme, keys with the known beginnings of their
makers, and long runs of letters and digits as no person writes them. A UUID is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

from meshext.config.redaction import REDACTED, is_secret_name

__all__ = ["REDACTED", "Redactor"]

SECRET_WORDS = frozenset(
    "auth bearer cookie cookies jwt otp pass passcode pin pwd saml samlresponse sess session "
    "sessionid sid sig "
    "signature assertion nonce".split()
)
"""Words of a name that mean a secret, beside those of a configuration."""

SECRET_NAMES = frozenset(
    "code code_verifier jsessionid phpsessid connect.sid awsaccesskeyid googleaccessid x-amz-credential "
    "x-goog-credential x-amz-cf-id x-csrf x-xsrf".split()
)
"""Whole names that mean one: an OAuth code, sessions of frameworks, presigned URLs."""

LOOKS = re.compile(
    "eyJ[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+([.][A-Za-z0-9_-]*)?"
    "|([Bb]earer|BEARER|[Bb]asic|BASIC|[Dd]igest|[Nn]egotiate|NTLM|[Tt]oken|[Aa]pi[Kk]ey)[ \t]+[^ \t,;]+"
    "|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    "|(gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|sk-|[rs]k_live_|[rs]k_test_)[A-Za-z0-9_.-]{12,}"
    "|(AKIA|ASIA|AIza|SG[.])[A-Za-z0-9_.-]{12,}"
)
SUSPECT = re.compile("[A-Za-z0-9_.-]{12,}|[;% +]|eyJ")
"""What everything above has in it, in a path or query as they are on the wire."""
RUN = re.compile("[A-Za-z0-9_-]{20,}")
SOLID = re.compile("[A-Za-z0-9]{32,}")
LOWER, UPPER, DIGIT = re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]")
PIECE_ENDS = re.compile("[&;]")
MOST_KNOWN, LONGEST_KNOWN = 1000, 64  # names whose verdict is kept, and characters of one
WORD_ENDS = re.compile("[^a-z0-9]+")


class Redactor:
    """Redacts by name and by look; `names` are further names, whose values never show."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in names)
        self._known: dict[str, bool] = {}

    def is_secret(self, name: str) -> bool:
        """Whether what has this name never shows: a header, query parameter, cookie or claim."""
        known = self._known.get(name)
        if known is None:
            known = self._judge(name)
            if len(self._known) < MOST_KNOWN and len(name) < LONGEST_KNOWN:
                self._known[name] = known
        return known

    def _judge(self, name: str) -> bool:
        lower = name.lower()
        if lower in self._names or lower in SECRET_NAMES:
            return True
        return is_secret_name(name) or not SECRET_WORDS.isdisjoint(WORD_ENDS.split(lower))

    def value(self, text: str) -> str:
        """A header's or claim's value; the query of a URL in it is redacted as a query."""
        before, mark, query = text.partition("?")
        return look_away(before) + (mark + self.query(query) if mark else "")

    def query(self, query: str) -> str:
        """A raw query: the values of secret names, and whatever looks like a secret."""
        if not query:
            return query
        shown, at = [], 0
        for end in PIECE_ENDS.finditer(query):
            shown.append(self._piece(query[at : end.start()]) + end.group())
            at = end.end()
        return "".join(shown) + self._piece(query[at:])

    def path(self, path: str) -> str:
        """A raw path: segments that look like a secret, and secret parameters behind a `;`."""
        if SUSPECT.search(path) is None:
            return path
        return "/".join([self._segment(segment) for segment in path.split("/")])

    def _segment(self, segment: str) -> str:
        if ";" in segment:
            return ";".join([self._piece(piece) for piece in segment.split(";")])
        return hide(segment)

    def _piece(self, piece: str) -> str:
        name, equals, value = piece.partition("=")
        if not equals:
            return hide(piece)
        if value and self.is_secret(unquote(name)):
            return f"{hide(name)}={REDACTED}"
        return f"{hide(name)}={hide(value)}"


def hide(raw: str) -> str:
    """A piece of a URL, or what stands in its place where it looks like a secret once decoded."""
    if SUSPECT.search(raw) is None:
        return raw
    text = unquote(raw.replace("+", " "))
    return REDACTED if look_away(text) != text else raw


def look_away(text: str) -> str:
    """The text without what looks like a secret."""
    text = LOOKS.sub(REDACTED, text)
    text = RUN.sub(hide_mixed, text)
    return SOLID.sub(hide_solid, text)


def hide_mixed(run: re.Match[str]) -> str:
    """A run with small letters, capitals and digits is redacted."""
    text = run.group()
    mixed = LOWER.search(text) and UPPER.search(text) and DIGIT.search(text)
    return REDACTED if mixed else text


def hide_solid(run: re.Match[str]) -> str:
    """A long run with letters and digits and nothing else is redacted."""
    text = run.group()
    mixed = DIGIT.search(text) and (LOWER.search(text) or UPPER.search(text))
    return REDACTED if mixed else text
