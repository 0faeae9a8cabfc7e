"""What filters wrote to the metadata, on its way to Envoy.

A module can not write Envoy's dynamic metadata; what it may write is the stream's filter state. There it
puts, under each namespace, the values in the form below, and a few lines of Lua beside the module, which the
configuration for Envoy has where a filter writes metadata, copy them to where other filters and the access
log look for them (`meshext.envoy.wasm_metadata`).

    d2:s3:key...s5:other...    a mapping: how many pairs, then keys and values
    l1:...                     a list: how many items
    s5:bytes  n1.5:  t  f      a text (bytes of UTF-8), a number, a truth
"""

from meshext_wasm.library.meshext.surroundings import Surroundings
from meshext_wasm.library.proxy.host import write_property


class Written:
    """The namespaces of one exchange as Envoy was last told of them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.told: dict[str, dict[str, object]] | None = None

    def tell(self) -> None:
        """Hand over every namespace that was written to since."""
        if len(self.surroundings.published) == 0:
            return
        told = self.told
        if told is None:
            told = {}
            self.told = told
        for namespace, values in self.surroundings.published.items():
            if told.get(namespace) is not values:
                told[namespace] = values
                pieces: list[bytes] = []
                write_value(pieces, values)
                write_property(namespace, b"".join(pieces))


def write_value(pieces: list[bytes], value: object) -> None:
    """One value, which was checked to be one that can be carried."""
    if isinstance(value, bool):
        pieces.append(b"t" if value else b"f")
    elif isinstance(value, str):
        data = value.encode()
        pieces.append(f"s{len(data)}:".encode())
        pieces.append(data)
    elif isinstance(value, int):
        pieces.append(f"n{value}:".encode())
    elif isinstance(value, float):
        pieces.append(f"n{value!r}:".encode())
    elif isinstance(value, list):
        pieces.append(f"l{len(value)}:".encode())
        for item in value:
            write_value(pieces, item)
    elif isinstance(value, dict):
        pieces.append(f"d{len(value)}:".encode())
        for key, item in value.items():
            write_value(pieces, key)
            write_value(pieces, item)
