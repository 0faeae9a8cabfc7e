"""Bodies: what is written has to be JSON of the agreed shape, and no card number leaves by it."""

import json
import re
from dataclasses import dataclass
from typing import Literal

from meshext import Filter, Request, Respond

WRITES = ("POST", "PUT", "PATCH")
CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
KINDS: dict[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "list": list}


class BodyInspection(Filter):
    """Refuses bodies that are no JSON object of the configured shape, or that hold a card number."""

    max_body = 16 * 1024  # bytes; Envoy answers 413 to more

    @dataclass(frozen=True)
    class Config:
        """`fields`: what a body has to have, by name."""

        fields: dict[str, Literal["text", "number", "list"]]

    def __init__(self, config: Config) -> None:
        self.fields = config.fields

    def on_request_body(self, request: Request) -> Respond | None:
        """The whole body at once, before the upstream gets any of it."""
        if request.method not in WRITES:
            return None
        try:
            body = json.loads(request.body.decode(), object_pairs_hook=unique)
            written = texts(body)
        except (ValueError, RecursionError) as error:
            return refuse(400, f"not JSON: {error}")
        problems = self.find_problems(body)
        if problems:
            return refuse(422, "; ".join(problems))
        if any(is_card(text) for text in written):
            return Respond(422, body="card numbers do not belong here\n", details="card_number")
        return None

    def find_problems(self, body: object) -> list[str]:
        """How the body differs from the agreed shape."""
        if not isinstance(body, dict):
            return ["not an object"]
        return [
            f"{name}: not a {kind}"
            for name, kind in self.fields.items()
            if not isinstance(body.get(name), KINDS[kind]) or isinstance(body.get(name), bool)
        ]


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; two equal names are refused, since the upstream may take the other one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def texts(value: object) -> list[str]:
    """Every text and number in a JSON value, names included."""
    if isinstance(value, dict):
        return [text for name, each in value.items() for text in (name, *texts(each))]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [str(value)]


def is_card(text: str) -> bool:
    """Whether digits in the text pass the check of card numbers (Luhn's)."""
    for match in CARD.finditer(text):
        digits = [int(char) for char in reversed(match.group()) if char.isdigit()]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        if (sum(digits[::2]) + sum(doubled)) % 10 == 0:
            return True
    return False


def refuse(status: int, reason: str) -> Respond:
    """An answer in JSON."""
    body = json.dumps({"error": reason}) + "\n"
    return Respond(status, headers={"content-type": "application/json"}, body=body)
