"""How much the hooks of one request may write into Envoy's log: how often they write is up to clients."""

MOST_LINES = 100
LONGEST_LINE = 16384
"""Characters."""


class Quota:
    """What is left for the hook that runs. Only numbers, so that nothing here keeps an exchange alive.

    `left` is -1 where nothing is limited: what a filter says when it is made is the operator's.
    """

    def __init__(self) -> None:
        self.left = -1
        self.left_out = 0

    def begin(self, written: int) -> None:
        """A hook begins, of a request that has so many lines already."""
        self.left = MOST_LINES - written
        self.left_out = 0

    def end(self) -> int:
        """The hook is over: how many lines its request has now."""
        written = MOST_LINES - self.left
        self.left = -1
        return written

    def take(self) -> bool:
        """Whether one more line may be written."""
        if self.left == 0:
            self.left_out += 1
            return False
        if self.left > 0:
            self.left -= 1
        return True


QUOTA = Quota()


def shortened(text: str) -> str:
    """A line as long as it may be."""
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]} ... ({len(text) - LONGEST_LINE} characters more)"
