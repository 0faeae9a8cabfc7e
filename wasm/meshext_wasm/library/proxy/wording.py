"""The words of a configuration's mistakes: what was found, and what was probably meant."""

from meshext_wasm.library.json.strings import write_string
from meshext_wasm.library.proxy.similar import nearest

SHOWN = 60
REDACTED = "<redacted>"
LONGEST_NAME = 64
YES = ("true", "yes", "on", "y", "1")
NO = ("false", "no", "off", "n", "0")
DIGITS = "0123456789"


def shown(value: object, secret: bool) -> str:
    """A value that was found, short enough for one line."""
    if secret:
        return REDACTED
    if value is None:
        return "null"
    if isinstance(value, bool):
        return true_or_false(value)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = ""
    if isinstance(value, str):
        text = repr(value[: SHOWN + 1])
    else:
        text = repr(value)
    if len(text) > SHOWN:
        return text[: SHOWN - 3] + "..."
    return text


def true_or_false(value: bool) -> str:
    """As JSON has it."""
    if value:
        return "true"
    return "false"


def unknown_key(name: str, known: list[str]) -> str:
    """What is said of a key that no field has."""
    if len(known) == 0:
        return "unknown key; this mapping has no keys, write {}"
    guess = likely(name.replace("-", "_").lower(), known)
    hint = ""
    if guess is not None:
        hint = f"did you mean {guess!r}? "
    return f"unknown key; {hint}known keys: {', '.join(known)}"


def likely(name: str, known: list[str]) -> str | None:
    """The known name that was probably meant."""
    if len(name) > LONGEST_NAME:
        return None
    return nearest(name, known)


def quoted(value: object, secret: bool) -> str:
    """What to write for a number or truth where a text is wanted; "" where it is neither."""
    text = ""
    if isinstance(value, bool):
        text = true_or_false(value)
    elif isinstance(value, int | float):
        text = repr(value)
    else:
        return ""
    if secret:
        return "put it in quotes"
    return "put it in quotes: " + write_string(text, False)


def as_whole(value: object) -> str:
    """What to write for something that is a whole number but for its form; "" where it is none."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "it must fit 64 bits"
    if isinstance(value, float):
        if value.is_integer() and -9007199254740992.0 < value < 9007199254740992.0:
            return f"write {int(value)}"
        return ""
    if isinstance(value, str) and is_whole_text(value):
        return f"write {int(value.replace('_', ''))}"
    return ""


def is_whole_text(text: str) -> bool:
    """A sign, a digit, up to 17 more or underscores."""
    digits = text
    if text[:1] == "-" or text[:1] == "+":
        digits = text[1:]
    if not 1 <= len(digits) <= 18 or digits[0] not in DIGITS:
        return False
    for char in digits:
        if char not in DIGITS and char != "_":
            return False
    return True


def as_number(value: object) -> str:
    """What to write for something that is a number but for its form; "" where it is none."""
    if isinstance(value, float):
        return "write a finite number"
    if isinstance(value, str) and is_number_text(value):
        return f"write {value}"
    return ""


def is_number_text(text: str) -> bool:
    """A number without exponent, as JSON has it."""
    digits, point, places = text.removeprefix("-").partition(".")
    if not consists_of_digits(digits) or len(digits) > 18 or (digits[0] == "0" and len(digits) > 1):
        return False
    return not point or (consists_of_digits(places) and len(places) <= 30)


def consists_of_digits(text: str) -> bool:
    """One digit or more, and nothing else."""
    for char in text:
        if char not in DIGITS:
            return False
    return len(text) > 0


def as_truth(value: object) -> str:
    """What to write for something that means yes or no; "" where it means neither."""
    text = ""
    if isinstance(value, str):
        text = value.lower()
    elif isinstance(value, int):
        text = str(value)
    if text in YES:
        return "write true"
    if text in NO:
        return "write false"
    return ""
