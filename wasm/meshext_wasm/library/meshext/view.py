"""One filter's view of what surrounds an exchange: only what it declared, and what it wrote itself."""

from meshext_wasm.library.meshext.errors import UndeclaredError
from meshext_wasm.library.meshext.metadata import Metadata, check_json, check_text
from meshext_wasm.library.meshext.needs import Needs
from meshext_wasm.library.meshext.surroundings import Surroundings

NOTHING_WRITTEN: dict[str, object] = {}


class View:
    """The surroundings as one filter may see them; `written` is the metadata that it wrote.

    `written` is never changed, only replaced: so "nothing was written" is an identity test.
    """

    def __init__(self, surroundings: Surroundings, needs: Needs) -> None:
        self.surroundings = surroundings
        self.needs = needs
        self.written = NOTHING_WRITTEN

    @property
    def metadata(self) -> Metadata:
        """Declared metadata namespaces."""
        return Metadata(self.surroundings, self.needs.name, self.needs.metadata_namespaces)

    def attribute(self, name: str) -> str | int | float | bool | bytes | None:
        """A declared attribute, None where Envoy has no value; UndeclaredError names what to add."""
        if name not in self.needs.attributes:
            raise UndeclaredError(
                f"{self.needs.name}: attribute {name!r} is not declared; "
                f"add it to the class: attributes = ({name!r},)"
            )
        return self.surroundings.attributes.get(name)

    def set_metadata(self, key: str, value: object) -> None:
        """Write one key of the filter's own namespace."""
        if not key:
            raise ValueError(f"a metadata key is a str that is not empty, not {key!r}")
        namespace = self.needs.namespace
        made: dict[str, object] = {}
        made.update(self.written)
        made[check_text(key, namespace)] = check_json(value, f"{namespace}.{key}")
        self.written = made
