"""Filters that leave their mark on both messages, and stop or fail where the target says so."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response


class Marking(Filter):
    """`x-marks` has the marks of all that saw the message, in their order."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def on_request(self, request: Request) -> Respond | None:
        """Mark the request, or stop it."""
        if request.path == f"/stop-{self.mark}":
            return Respond(403, body=self.mark)
        request.headers["x-marks"] = f"{request.headers.get('x-marks', '')} {self.mark}".strip()
        if request.path == f"/fail-{self.mark}":
            raise RuntimeError(self.mark)
        return None

    def on_response(self, response: Response) -> None:
        """Mark the response."""
        response.headers["x-marks"] = f"{response.headers.get('x-marks', '')} {self.mark}".strip()


class First(Marking):
    """Marks `first`."""

    def __init__(self) -> None:
        super().__init__("first")


class Second(Marking):
    """Marks `second`."""

    def __init__(self) -> None:
        super().__init__("second")


class Named(Marking):
    """Marks what it is told."""

    @dataclass(frozen=True)
    class Config:
        """The mark."""

        mark: str

    def __init__(self, config: Config) -> None:
        super().__init__(config.mark)
