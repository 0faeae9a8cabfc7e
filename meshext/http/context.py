"""What surrounds an exchange: peer, route, attributes, metadata; and one filter's view of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext.errors import UndeclaredError
from meshext.http.metadata import Json, Metadata, Namespaces, check_json, check_text
from meshext.http.peer import Peer

AttributeValue = str | int | float | bool | bytes | None


@dataclass(slots=True, kw_only=True)
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


class View:
    """One filter's view of the surroundings: only what it declared, and what it wrote itself.

    What a hook writes is in `written`, an immutable reference that the engine takes back where the hook
    fails and publishes where it does not.
    """

    __slots__ = (
        "_attributes",
        "_filter",
        "_metadata",
        "_namespace",
        "_namespaces",
        "_surroundings",
        "written",
    )

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        filter_name: str,
        namespace: str,
        attributes: frozenset[str],
        namespaces: tuple[str, ...],
    ) -> None:
        self._surroundings = surroundings
        self._filter = filter_name
        self._namespace = namespace
        self._attributes = attributes
        self._namespaces = namespaces
        self._metadata: Metadata | None = None
        self.written: Mapping[str, Json] = {}

    @property
    def surroundings(self) -> Surroundings:
        """All of it, undeclared parts included; for the engine."""
        return self._surroundings

    @property
    def metadata(self) -> Metadata:
        """Declared metadata namespaces."""
        if self._metadata is None:
            self._metadata = Metadata(
                self._surroundings.metadata, declared=self._namespaces, filter_name=self._filter
            )
        return self._metadata

    def attribute(self, name: str) -> AttributeValue:
        """A declared attribute, None where Envoy has no value; UndeclaredError names what to add."""
        if name not in self._attributes:
            raise UndeclaredError(
                f"{self._filter}: attribute {name!r} is not declared; "
                f"add it to the class: attributes = ({name!r},)"
            )
        return self._surroundings.attributes.get(name)

    def set_metadata(self, key: str, value: object) -> None:
        """Write one key of the filter's own namespace."""
        if not isinstance(key, str) or not key:
            raise ValueError(f"a metadata key is a str that is not empty, not {key!r}")
        checked = check_json(value, where=f"{self._namespace}.{key}")
        self.written = {**self.written, check_text(key, self._namespace): checked}
