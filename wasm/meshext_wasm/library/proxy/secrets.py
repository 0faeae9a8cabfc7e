"""Keeping secrets out of what is said of a configuration: `meshext.config.redaction`."""

from meshext_wasm.library.proxy.wording import REDACTED

WORDS = (
    "secret secrets token tokens password passwords passwd passphrase apikey apikeys credential credentials "
    "authorization"
).split()
LAST_WORDS = ("key", "keys", "pem")
SHORT = 4
LONGEST_NAME = 256


def is_secret_name(name: str) -> bool:
    """Whether a key of this name holds a secret: `token`, `client_secret`, `x-api-key`."""
    words = words_of(name[:LONGEST_NAME])
    for word in words:
        if word in WORDS:
            return True
    return len(words) > 0 and words[-1] in LAST_WORDS


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: `clientSecret` has two."""
    spaced: list[str] = []
    before = ""
    for char in name:
        if "A" <= char <= "Z" and ("a" <= before <= "z" or "0" <= before <= "9"):
            spaced.append(" ")
        spaced.append(char)
        before = char
    pieces: list[str] = []
    for char in "".join(spaced).lower():
        if "a" <= char <= "z" or "0" <= char <= "9":
            pieces.append(char)
        else:
            pieces.append(" ")
    return "".join(pieces).split()


def note_texts(value: object, found: list[str]) -> None:
    """Add every text inside a secret value as a message could show it, keys of mappings included."""
    if isinstance(value, dict):
        for key, item in value.items():
            note_texts(key, found)
            note_texts(item, found)
    elif isinstance(value, list):
        for item in value:
            note_texts(item, found)
    elif isinstance(value, str):
        found.append(value)
        found.append(repr(value)[1:-1])
    elif value is not None and not isinstance(value, bool):
        found.append(str(value))


def redact(message: str, secrets: list[str]) -> str:
    """The message with each of the secrets replaced, the longest first."""
    for secret in sorted(secrets, key=lambda text: -len(text)):
        if secret != "" and secret in message:
            if len(secret) >= SHORT:
                message = message.replace(secret, REDACTED)
            else:
                message = redact_alone(message, secret)
    return message


def redact_alone(message: str, secret: str) -> str:
    """A short secret is replaced only where it stands alone: "a" would eat the text."""
    pieces: list[str] = []
    start = 0
    at = message.find(secret)
    while at >= 0:
        end = at + len(secret)
        if is_part(message[at - 1 : at]) or is_part(message[end : end + 1]):
            end = at + 1
            pieces.append(message[start:end])
        else:
            pieces.append(message[start:at] + REDACTED)
        start = end
        at = message.find(secret, start)
    pieces.append(message[start:])
    return "".join(pieces)


def is_part(char: str) -> bool:
    """Whether a character can be part of a word."""
    return char == "_" or char.isalnum()
