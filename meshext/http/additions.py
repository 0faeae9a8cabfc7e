"""Headers put on whatever response the client will get, before that response is known."""

from __future__ import annotations

from meshext.http.headers import Headers, Lines

Additions = tuple[Lines, frozenset[str]]
"""Lines put on a response, and the names whose own lines give way to them."""

NO_ADDITIONS: Additions = ((), frozenset())


class ResponseAdditions(Headers):
    """`request.response_headers`: assigning replaces the response's lines of that name, `add` appends.

    Reads see only what was put here, since the response does not exist yet.
    """

    __slots__ = ("_replaced",)

    def __init__(self) -> None:
        super().__init__()
        self._replaced: frozenset[str] = frozenset()

    def _put(self, lower: str, fresh: Lines) -> None:
        super()._put(lower, fresh)
        self._replaced |= {lower}  # these lines take the place of the response's

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._replaced -= {name.lower()}

    @property
    def replaced(self) -> frozenset[str]:
        """Names whose lines on the response give way."""
        return self._replaced

    def snapshot(self) -> Additions:
        """What was put here, as one immutable value."""
        return self._lines, self._replaced

    def restore(self, snapshot: Additions) -> None:
        """Go back to a snapshot."""
        self._lines, self._replaced = snapshot


def put_on(lines: Lines, additions: Additions) -> Lines:
    """The response's lines with the additions on them."""
    added, replaced = additions
    if not added and not replaced:
        return lines
    return tuple(line for line in lines if line[0] not in replaced) + added
