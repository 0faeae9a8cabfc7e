"""Keeping secrets out of messages: which names mean a secret, and blotting out a value that leaked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

REDACTED = "<redacted>"

_SECRET_WORDS = frozenset(
    "secret secrets token tokens password passwords passwd passphrase apikey apikeys credential credentials "
    "authorization".split()
)
_SECRET_LAST_WORDS = frozenset({"key", "keys", "pem"})
_SHORT = 4  # characters; a shorter secret is blotted out only where it stands alone: "a" would eat the text


@lru_cache(maxsize=1024)  # a document has few names, many times
def is_secret_name(name: str) -> bool:
    """Whether a field or key of this name holds a secret: `token`, `client_secret`, `x-api-key`.

    `field(metadata={"secret": False})` overrules it for a field such as `sort_key`.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:256])
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]
    return bool(words) and (not _SECRET_WORDS.isdisjoint(words) or words[-1] in _SECRET_LAST_WORDS)


def secret_texts(value: object) -> Iterator[str]:
    """Every text inside a secret value as a message could show it, keys of mappings included."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secret_texts(key)
            yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
        yield repr(value)[1:-1] if isinstance(value, str) else repr(value)


def redact(message: str, secrets: Iterable[str]) -> str:
    """The message with each of the secrets replaced by `<redacted>`, the longest first."""
    for secret in sorted({text for text in secrets if text}, key=len, reverse=True):
        if secret not in message:
            continue
        if len(secret) >= _SHORT:
            message = message.replace(secret, REDACTED)
        else:
            message = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", lambda _: REDACTED, message)
    return message
