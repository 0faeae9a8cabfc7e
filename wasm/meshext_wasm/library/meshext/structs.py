"""Dynamic metadata as Envoy hands it over: `envoy.config.core.v3.Metadata` in protobuf's binary form, of
which the part is read that holds `google.protobuf.Struct`s by namespace.

What is not of that form is left out: it comes from Envoy itself, and newer versions may add fields.
"""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.raw import float_from_bits, load64, value_address, value_open, word

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

FILTER_METADATA = 1
KEY = 1
VALUE = 2

NUMBER = 2
TEXT = 3
TRUTH = 4
STRUCT = 5
LIST = 6

DATA = 16
"""Where the data of a `bytes` object begins."""


class Fields:
    """Walks over the fields of one message: `number` and what it holds, `whole` or a stretch of the data."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.next = at
        self.end = end
        self.number = 0
        self.kind = VARINT
        self.whole = 0
        self.start = 0
        self.stop = 0

    def advance(self) -> bool:
        """Go to the next field; False where there is none, or nothing that is one."""
        if self.next >= self.end:
            return False
        tag = self.varint()
        self.number = tag >> 3
        self.kind = tag & 7
        if self.kind == VARINT:
            self.whole = self.varint()
        elif self.kind == FIXED64:
            self.take(8)
        elif self.kind == BYTES:
            self.take(self.varint())
        elif self.kind == FIXED32:
            self.take(4)
        else:
            return False
        return self.next <= self.end

    def varint(self) -> int:
        """A number in base 128."""
        number = 0
        shift = 0
        while self.next < self.end and shift < 70:
            byte = self.data[self.next]
            self.next += 1
            number = number | ((byte & 127) << shift)
            if byte < 128:
                return number
            shift += 7
        self.next = self.end + 1
        return 0

    def take(self, size: int) -> None:
        """Pass over so many bytes."""
        self.start = self.next
        self.next += size
        self.stop = self.next

    def inner(self) -> "Fields":
        """The message that this field holds."""
        return Fields(self.data, self.start, self.stop)

    def text(self) -> str:
        """The text that this field holds."""
        return decode(self.data[self.start : self.stop])

    def double(self) -> float:
        """The number that this field holds."""
        return float(float_from_bits(load64(value_address(self.data) + word(DATA + self.start))))


def read_metadata(data: bytes) -> dict[str, dict[str, object]]:
    """The values by namespace and key."""
    made: dict[str, dict[str, object]] = {}
    fields = Fields(data, 0, len(data))
    while fields.advance():
        if fields.number == FILTER_METADATA and fields.kind == BYTES:
            entry = fields.inner()
            name = ""
            values: dict[str, object] = {}
            while entry.advance():
                if entry.number == KEY:
                    name = entry.text()
                elif entry.number == VALUE:
                    values = read_struct(entry.inner())
            made[name] = values
    return made


def read_struct(fields: Fields) -> dict[str, object]:
    """A `google.protobuf.Struct`."""
    made: dict[str, object] = {}
    value_open(made)
    while fields.advance():
        entry = fields.inner()
        name = ""
        value: object = None
        while entry.advance():
            if entry.number == KEY:
                name = entry.text()
            elif entry.number == VALUE:
                value = read_value(entry.inner())
        made[name] = value
    return made


def read_value(fields: Fields) -> object:
    """A `google.protobuf.Value`; a whole number is an int, as in the SDK."""
    found: object = None
    while fields.advance():
        if fields.number == NUMBER:
            number = fields.double()
            found = number
            if number.is_integer() and -9007199254740992.0 <= number <= 9007199254740992.0:
                found = int(number)
        elif fields.number == TEXT:
            found = fields.text()
        elif fields.number == TRUTH:
            found = fields.whole != 0
        elif fields.number == STRUCT:
            found = read_struct(fields.inner())
        elif fields.number == LIST:
            found = read_list(fields.inner())
    return found


def read_list(fields: Fields) -> list[object]:
    """A `google.protobuf.ListValue`."""
    made: list[object] = []
    value_open(made)
    while fields.advance():
        made.append(read_value(fields.inner()))
    return made
