"""One filter's view of what surrounds an exchange: only what it declared, and what it wrote itself."""

from meshext_wasm.library.meshext.errors import UndeclaredError
from meshext_wasm.library.meshext.peer import Peer


class Surroundings:
    """What Envoy tells about an exchange beside the message, as it was when the request's headers came."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.client_address = ""
        self.route = ""
        self.cluster = ""
        self.request_id = ""
        self.attributes: dict[str, str | int | float | bool | bytes | None] = {}


class View:
    """The surroundings as one filter may see them; `written` is the metadata that it wrote."""

    def __init__(self, surroundings: Surroundings, filter_name: str, attributes: list[str]) -> None:
        self.surroundings = surroundings
        self.filter_name = filter_name
        self.declared = attributes

    def attribute(self, name: str) -> str | int | float | bool | bytes | None:
        """A declared attribute, None where Envoy has no value; UndeclaredError names what to add."""
        if name not in self.declared:
            raise UndeclaredError(
                f"{self.filter_name}: attribute {name!r} is not declared; "
                f"add it to the class: attributes = ({name!r},)"
            )
        return self.surroundings.attributes.get(name)
