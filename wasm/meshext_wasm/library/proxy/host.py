"""The host's functions as the glue calls them: Python values in, Python values out."""

from meshext_wasm.library.proxy.passing import bytes_at, name_at, name_size, new_result, take_bytes, take_word
from meshext_wasm.library.raw import host, load32, value_address, word

REQUEST_HEADERS = 0
REQUEST_TRAILERS = 1
RESPONSE_HEADERS = 2
RESPONSE_TRAILERS = 3

REQUEST_BODY = 0
RESPONSE_BODY = 1
CONFIGURATION = 7

DEBUG = 1
INFO = 2
WARNING = 3
ERROR = 4

NO_GRPC_STATUS = 0xFFFFFFFF


@host("proxy_log")
def proxy_log(level: word, text: word, size: word) -> word:
    """A line for Envoy's log."""
    raise NotImplementedError


@host("proxy_get_header_map_pairs")
def proxy_get_header_map_pairs(which: word, address: word, size: word) -> word:
    """Every line of a map."""
    raise NotImplementedError


@host("proxy_get_header_map_value")
def proxy_get_header_map_value(which: word, name: word, name_size: word, address: word, size: word) -> word:
    """The first value of a name."""
    raise NotImplementedError


@host("proxy_get_header_map_size")
def proxy_get_header_map_size(which: word, out: word) -> word:
    """The bytes of a map."""
    raise NotImplementedError


@host("proxy_add_header_map_value")
def proxy_add_header_map_value(
    which: word, name: word, name_size: word, value: word, value_size: word
) -> word:
    """One more line."""
    raise NotImplementedError


@host("proxy_replace_header_map_value")
def proxy_replace_header_map_value(
    which: word, name: word, name_size: word, value: word, value_size: word
) -> word:
    """One line in the place of all of its name."""
    raise NotImplementedError


@host("proxy_remove_header_map_value")
def proxy_remove_header_map_value(which: word, name: word, name_size: word) -> word:
    """No line of a name."""
    raise NotImplementedError


@host("proxy_get_buffer_bytes")
def proxy_get_buffer_bytes(which: word, start: word, size: word, address: word, got: word) -> word:
    """A part of a buffer."""
    raise NotImplementedError


@host("proxy_set_buffer_bytes")
def proxy_set_buffer_bytes(which: word, start: word, size: word, data: word, data_size: word) -> word:
    """Other bytes in the place of a part of a buffer."""
    raise NotImplementedError


@host("proxy_get_property")
def proxy_get_property(path: word, path_size: word, address: word, size: word) -> word:
    """A property."""
    raise NotImplementedError


@host("proxy_set_property")
def proxy_set_property(path: word, path_size: word, value: word, value_size: word) -> word:
    """A property of the module's own."""
    raise NotImplementedError


@host("proxy_send_local_response")
def proxy_send_local_response(
    status: word,
    details: word,
    details_size: word,
    body: word,
    body_size: word,
    headers: word,
    headers_size: word,
    grpc: word,
) -> word:
    """An answer in the upstream's place."""
    raise NotImplementedError


@host("proxy_close_stream")
def proxy_close_stream(which: word) -> word:
    """The end of a stream."""
    raise NotImplementedError


@host("proxy_get_current_time_nanoseconds")
def proxy_get_current_time_nanoseconds(out: word) -> word:
    """The time."""
    raise NotImplementedError


def log(level: int, text: str) -> None:
    """A line in Envoy's log."""
    data = text.encode("utf-8", "replace")
    proxy_log(word(level), bytes_at(data), word(len(data)))


def now() -> int:
    """Nanoseconds since 1970."""
    out = new_result()
    proxy_get_current_time_nanoseconds(out)
    return take_word(out + word(4)) * 4294967296 + take_word(out)


def read_pairs(which: int) -> list[tuple[bytes, bytes]]:
    """Every line of a map; none where it is not there in this phase."""
    out = new_result()
    proxy_get_header_map_pairs(word(which), out, out + word(4))
    return from_pairs(take_bytes(out))


def read_header(which: int, name: str) -> bytes | None:
    """The first value of a name; None where there is no such line."""
    if not name.isascii():
        return None
    out = new_result()
    status = proxy_get_header_map_value(word(which), name_at(name), name_size(name), out, out + word(4))
    if status != word(0):
        return None
    return take_bytes(out)


def read_size(which: int) -> int:
    """Bytes of all names and values of a map."""
    out = new_result()
    proxy_get_header_map_size(word(which), out)
    return take_word(out)


def from_pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    """Lines from their serialised form."""
    found: list[tuple[bytes, bytes]] = []
    if len(data) < 4:
        return found
    count = word_at(data, 0)
    at = 4 + 8 * count
    for number in range(count):
        name_size = word_at(data, 4 + 8 * number)
        value_size = word_at(data, 8 + 8 * number)
        middle = at + name_size + 1
        end = middle + value_size
        found.append((data[at : middle - 1], data[middle:end]))
        at = end + 1
    return found


def word_at(data: bytes, at: int) -> int:
    """A number of 32 bits, little endian."""
    return int(load32(value_address(data) + word(16 + at)))


def to_pairs(lines: list[tuple[bytes, bytes]]) -> bytes:
    """The serialised form of lines."""
    pieces: list[bytes] = [little_endian(len(lines))]
    for name, value in lines:
        pieces.append(little_endian(len(name)))
        pieces.append(little_endian(len(value)))
    for name, value in lines:
        pieces.append(name)
        pieces.append(b"\0")
        pieces.append(value)
        pieces.append(b"\0")
    return b"".join(pieces)


def little_endian(number: int) -> bytes:
    """Four bytes of a number."""
    return bytes([number & 255, (number >> 8) & 255, (number >> 16) & 255, (number >> 24) & 255])


def add_header(which: int, name: str, value: bytes) -> None:
    """One more line."""
    at, size = name_at(name), name_size(name)
    proxy_add_header_map_value(word(which), at, size, bytes_at(value), word(len(value)))


def replace_header(which: int, name: str, value: bytes) -> None:
    """One line in the place of all of that name."""
    at, size = name_at(name), name_size(name)
    proxy_replace_header_map_value(word(which), at, size, bytes_at(value), word(len(value)))


def remove_header(which: int, name: str) -> None:
    """No line of that name."""
    proxy_remove_header_map_value(word(which), name_at(name), name_size(name))


def read_buffer(which: int) -> bytes:
    """All of a body, or of the configuration, that is there."""
    out = new_result()
    proxy_get_buffer_bytes(word(which), word(0), word(0x7FFFFFFF), out, out + word(4))
    return take_bytes(out)


def write_buffer(which: int, data: bytes) -> None:
    """Put other bytes in the place of a body or chunk."""
    proxy_set_buffer_bytes(word(which), word(0), word(0x7FFFFFFF), bytes_at(data), word(len(data)))


def read_property(path: str) -> bytes | None:
    """A property by its path, with points; None where Envoy has no value."""
    key = path.replace(".", "\0").encode()
    out = new_result()
    status = proxy_get_property(bytes_at(key), word(len(key)), out, out + word(4))
    if status != word(0):
        return None
    return take_bytes(out)


def write_property(path: str, value: bytes) -> None:
    """A property of our own: Envoy keeps it in the stream's filter state, as `wasm.` and the path."""
    key = path.encode()
    proxy_set_property(bytes_at(key), word(len(key)), bytes_at(value), word(len(value)))


def respond(status: int, details: str, body: bytes, lines: list[tuple[str, bytes]]) -> None:
    """Answer the client in the upstream's place."""
    text = details.encode("utf-8", "replace")
    encoded: list[tuple[bytes, bytes]] = []
    for name, value in lines:
        encoded.append((name.encode(), value))
    headers = to_pairs(encoded)
    proxy_send_local_response(
        word(status),
        bytes_at(text),
        word(len(text)),
        bytes_at(body),
        word(len(body)),
        bytes_at(headers),
        word(len(headers)),
        word(NO_GRPC_STATUS),
    )


def close_stream(which: int) -> None:
    """Cut a stream off."""
    proxy_close_stream(word(which))
