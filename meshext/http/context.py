"""What surrounds an exchange: peer, route, attributes, metadata; and one filter's view of it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext.errors import UndeclaredError
from meshext.http.additions import NO_ADDITIONS, Additions, ResponseAdditions
from meshext.http.metadata import Json, Metadata, Namespaces, check_json, check_text
from meshext.http.peer import Peer

AttributeValue = str | int | float | bool | bytes | None

NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(slots=True)
class Surroundings:
    """What Envoy tells about an exchange beside the message; filled as it becomes known.

    `client_address` is the IP address that Envoy trusts from x-forwarded-for, `route` and `cluster` the
    names that were chosen before the filter ran ("" where there is none).
    """

    peer: Peer = field(default_factory=Peer)
    client_address: str = ""
    route: str = ""
    cluster: str = ""
    request_id: str = ""
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    metadata: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one filter declared, and the namespace it writes to."""

    filter_name: str
    namespace: str
    attributes: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()


class View:
    """One filter's view of the surroundings: only what it declared, and what it wrote itself.

    What a hook writes is in `written`, an immutable reference that the engine takes back where the hook
    fails and publishes where it does not. `response_headers` is None until a hook asks for them.
    `surroundings` is all of it, undeclared parts included; for the engine.
    """

    __slots__ = ("_metadata", "_rights", "response_headers", "surroundings", "written")

    def __init__(self, surroundings: Surroundings, rights: Rights) -> None:
        self.surroundings = surroundings
        self.written: Mapping[str, Json] = NOTHING
        self.response_headers: ResponseAdditions | None = None
        self._rights = rights
        self._metadata: Metadata | None = None

    @property
    def metadata(self) -> Metadata:
        """Declared metadata namespaces."""
        if self._metadata is None:
            rights = self._rights
            self._metadata = Metadata(
                self.surroundings.metadata, declared=rights.namespaces, filter_name=rights.filter_name
            )
        return self._metadata

    def additions(self) -> Additions:
        """What was put on the response, as one immutable value (for the engine)."""
        return NO_ADDITIONS if self.response_headers is None else self.response_headers.snapshot()

    def renewed(self) -> View:
        """The same in objects of its own, which nobody who kept the old ones can write to."""
        new = copy(self)
        if self.response_headers is not None:
            new.response_headers = ResponseAdditions()
            new.response_headers.restore(self.response_headers.snapshot())
        return new

    def attribute(self, name: str) -> AttributeValue:
        """A declared attribute, None where Envoy has no value; UndeclaredError names what to add."""
        if name not in self._rights.attributes:
            raise UndeclaredError(
                f"{self._rights.filter_name}: attribute {name!r} is not declared; "
                f"add it to the class: attributes = ({name!r},)"
            )
        return self.surroundings.attributes.get(name)

    def set_metadata(self, key: str, value: object) -> None:
        """Write one key of the filter's own namespace."""
        if not isinstance(key, str) or not key:
            raise ValueError(f"a metadata key is a str that is not empty, not {key!r}")
        namespace = self._rights.namespace
        checked = check_json(value, where=f"{namespace}.{key}")
        self.written = {**self.written, check_text(key, namespace): checked}
