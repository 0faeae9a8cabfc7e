"""A configuration dump (`envoy.admin.v3.ConfigDump` as JSON, names in snake_case), read without trust.

Beside `configs` it may have `cluster_statuses`, what Envoy answers at `/clusters?format=json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshext.errors import MeshextError

Json = Mapping[str, Any]
REDACTED = "[redacted]"
_SECRET = frozenset(
    "private_key private_key_provider password session_ticket_keys generic_secret hmac_secret"
    " token_secret client_secret".split()
)
"""Fields that hold secrets. Envoy redacts them itself; a file may come from somewhere else."""

ACTIVE, WARMING, DRAINING, STATIC = "ACTIVE", "WARMING", "DRAINING", "STATIC"


class DumpError(MeshextError):
    """A text that is no configuration dump of Envoy."""


@dataclass(frozen=True, slots=True)
class Item:
    """One resource: the message as JSON, "" as version where it has none, and what Envoy does with it."""

    body: Json
    version: str = ""
    status: str = ACTIVE


def parse_dump(text: bytes) -> Dump:
    """A dump; DumpError in one line otherwise."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DumpError(f"this is no JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("configs"), list):
        raise DumpError("this is no configuration dump of Envoy; save one with 'meshext proxy-config all'")
    return Dump(document)


class Dump:
    """The sections of a dump by what is in them. Parts that look otherwise are left out."""

    def __init__(self, document: Json) -> None:
        self.document: Json = redact(document)
        self._sections: dict[str, Json] = {}
        for section in items(self.document, "configs"):
            self._sections[type_name(section)] = section

    def resources(self, section: str, kind: str, field: str) -> Iterator[Item]:
        """Of `ClustersConfigDump` with kind `clusters` and field `cluster`, and so on."""
        found = self._sections.get(section, {})
        for list_name, status in (
            (f"static_{kind}", STATIC),
            (f"dynamic_active_{kind}", ACTIVE),
            (f"dynamic_warming_{kind}", WARMING),
            (f"dynamic_{kind}", ACTIVE),
        ):
            for entry in items(found, list_name):
                yield from _states(entry, field, status)

    def statuses(self) -> Iterator[Json]:
        """What `/clusters` said."""
        return items(self.document, "cluster_statuses")


def _states(entry: Json, field: str, status: str) -> Iterator[Item]:
    """A listener stands below its states, everything else beside its version."""
    for name, below in (("active_state", ACTIVE), ("warming_state", WARMING), ("draining_state", DRAINING)):
        if state := part(entry, name):
            yield Item(part(state, field), word(state, "version_info"), below)
    if body := part(entry, field):
        yield Item(body, word(entry, "version_info"), status)


def redact(value: Any) -> Any:
    """The same without what is secret."""
    if isinstance(value, dict):
        return {key: REDACTED if key in _SECRET else redact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [redact(each) for each in value]
    return value


def part(value: Any, *names: str) -> Json:
    """The object below these names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any, *names: str) -> Iterator[Json]:
    """The objects of the list below these names."""
    *above, last = names
    found = part(value, *above).get(last) if above else (value.get(last) if isinstance(value, dict) else None)
    return (each for each in found if isinstance(each, dict)) if isinstance(found, list) else iter(())


def word(value: Any, *names: str) -> str:
    """The text, number or truth below these names; "" where there is none."""
    *above, last = names
    found = part(value, *above).get(last, "")
    return str(found) if isinstance(found, str | int | float) else ""


def words(value: Any, *names: str) -> list[str]:
    """The texts of the list below these names."""
    *above, last = names
    found = part(value, *above).get(last)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def type_name(value: Json) -> str:
    """The last word of `@type`."""
    return word(value, "@type").rpartition(".")[2]


def address(value: Json) -> tuple[str, str]:
    """Host and port of `envoy.config.core.v3.Address`; the path and "" of a pipe."""
    if pipe := word(value, "pipe", "path"):
        return f"unix:{pipe}", ""
    found = part(value, "socket_address")
    return word(found, "address"), word(found, "port_value") or word(found, "named_port")
