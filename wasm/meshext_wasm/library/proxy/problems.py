"""What is wrong with a configuration: a line for each mistake, with the path of what it is about."""

from meshext_wasm.library.meshext.legal import LETTERS, consists_of, flags
from meshext_wasm.library.proxy.wording import REDACTED

MOST_PROBLEMS = 100
LONGEST_NAME = 64
PLAIN = flags("_-" + LETTERS)


class Problems:
    """Every mistake that was found, a line for each; `secrets` are texts that no line may show."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.secrets: list[str] = []

    def note(self, place: str, problem: str) -> None:
        """One more mistake, at a path ("" for the whole)."""
        if place:
            self.lines.append(f"{place}: {problem}")
        else:
            self.lines.append(problem)

    def capped(self) -> list[str]:
        """All of them, a hundred at most."""
        more = len(self.lines) - MOST_PROBLEMS
        if more > 0:
            return [*self.lines[:MOST_PROBLEMS], f"and {more} more mistakes"]
        return self.lines

    def text(self) -> str:
        """All of them in one line."""
        return "; ".join(self.capped())


def name_of(key: object, secret: bool) -> str:
    """A key as it may be shown."""
    if secret:
        return REDACTED
    return str(key)


def below(place: str, name: str) -> str:
    """The path of a key: `split.v2`, or `split['a.b']` where the name has other characters."""
    if name == REDACTED:
        return f"{place}[{name}]"
    if not is_plain(name):
        return f"{place}[{name[:LONGEST_NAME]!r}]"
    if place:
        return f"{place}.{name}"
    return name


def is_plain(name: str) -> bool:
    """Whether a name can stand in a path as it is."""
    return len(name) <= LONGEST_NAME and consists_of(name, PLAIN)


def mistakes(refusal: ValueError) -> list[str]:
    """What a refusal says: `ValueError("one", "another")` is two mistakes."""
    texts: list[str] = []
    for each in refusal.args:
        if isinstance(each, str):
            texts.append(each)
    if len(texts) > 1 and len(texts) == len(refusal.args):
        return texts
    return [str(refusal)]


def one_line(text: str) -> str:
    """The text without line ends."""
    return " ".join(text.split())
