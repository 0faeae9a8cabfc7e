"""Envoy's shared data."""

from meshext_wasm.library.proxy.passing import bytes_at, new_result, take_bytes, take_word
from meshext_wasm.library.raw import host, word

MISMATCH = 8


@host("proxy_get_shared_data")
def proxy_get_shared_data(key: word, key_size: word, address: word, size: word, version: word) -> word:
    """A value and its version."""
    raise NotImplementedError


@host("proxy_set_shared_data")
def proxy_set_shared_data(key: word, key_size: word, value: word, size: word, version: word) -> word:
    """Write a value, if the version that stands there is this one; 0 asks no questions."""
    raise NotImplementedError


class Shared:
    """A value as it was read."""

    def __init__(self, data: bytes, version: int) -> None:
        self.data = data
        self.version = version


def read_shared(key: bytes) -> Shared | None:
    """A value; None where nobody has written one."""
    out = new_result()
    version = new_result()
    status = proxy_get_shared_data(bytes_at(key), word(len(key)), out, out + word(4), version)
    if status != word(0):
        return None
    return Shared(take_bytes(out), take_word(version))


def write_shared(key: bytes, value: bytes, version: int) -> bool:
    """Write a value; False where another version stands there by now."""
    status = proxy_set_shared_data(
        bytes_at(key), word(len(key)), bytes_at(value), word(len(value)), word(version)
    )
    return int(status) != MISMATCH
