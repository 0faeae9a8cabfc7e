"""How like two words are: the measure of CPython's `difflib`, by which the SDK finds what was meant.

Twice the characters that match, by the length of both: of the longest stretch that both have, then, on either
side of it, of the longest again. Of two that are as long, that which begins first counts.
"""

CUTOFF = 0.6


class Stretch:
    """Something that two texts have in common."""

    def __init__(self, left: int, right: int, size: int) -> None:
        self.left = left
        self.right = right
        self.size = size


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that is most like this one; None where none is like it. Of two the later in order."""
    best: str | None = None
    most = 0.0
    for each in known:
        ratio = likeness(each, word)
        if ratio >= CUTOFF and (best is None or ratio > most or (ratio == most and each > best)):
            best = each
            most = ratio
    return best


def likeness(left: str, right: str) -> float:
    """From 0 for nothing in common to 1 for the same."""
    length = len(left) + len(right)
    if length == 0:
        return 1.0
    return 2.0 * matching(left, right) / length


def matching(left: str, right: str) -> int:
    """How many characters match."""
    found = longest(left, right)
    if found.size == 0:
        return 0
    before = matching(left[: found.left], right[: found.right])
    after = matching(left[found.left + found.size :], right[found.right + found.size :])
    return before + found.size + after


def longest(left: str, right: str) -> Stretch:
    """The longest stretch that both have."""
    best = Stretch(0, 0, 0)
    for start in range(len(left)):
        for other in range(len(right)):
            size = 0
            while (
                start + size < len(left)
                and other + size < len(right)
                and left[start + size] == right[other + size]
            ):
                size += 1
            if size > best.size:
                best = Stretch(start, other, size)
    return best
