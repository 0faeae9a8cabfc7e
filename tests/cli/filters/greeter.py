"""A filter with everything that its page can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshext import Counter, Filter, Gauge, Needs, Request, Response


class Greeter(Filter):
    """Greets whoever comes.

    The greeting is a header of the request. Whoever is not to be greeted is listed
    with a reason:

    - because of the path
    - because of the hour

    Example:
        who: ann
        loud: true

        quiet:
          - path: /library   # no greeting here

    Costs:
        11 us of CPU for a request, as e2e/bench measures it.
    """

    attributes = ("source.port",)
    greeted = Counter("greeted_total", labels=("who",), help="Requests that were greeted.")
    ignored = Counter("ignored_total")

    @dataclass(frozen=True)
    class Config:
        """Whom to greet, and where not."""

        @dataclass(frozen=True)
        class Quiet:
            """A place without greetings."""

            path: str
            """Paths below this one too."""
            hours: Literal["day", "night", "always"] = "always"

        who: str
        """The name that is
        greeted."""
        loud: bool = field(default=False, metadata={"help": "In capitals."})
        quiet: tuple[Quiet, ...] = ()
        """Where nobody is greeted."""
        key: str = ""
        "Signs the greeting."
        answer: bool = False
        """Whether the response is greeted as well; needs ext_proc."""

    @classmethod
    def needs(cls, config: Config) -> Needs:
        needs = super().needs(config)
        return needs if config.answer else needs.without("on_response")

    def __init__(self, config: Config) -> None:
        if config.loud:
            Gauge("loudness", labels=("place",), help="How loud it is, in decibels.").of(self)

    def on_request(self, request: Request) -> None:
        self.greeted.inc(who="ann")

    def on_response(self, response: Response) -> None:
        response.headers["x-hello"] = "1"
