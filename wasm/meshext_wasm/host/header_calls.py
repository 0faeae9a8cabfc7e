"""Host functions about headers and trailers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext_wasm.abi.values import HeaderMap, Status
from meshext_wasm.host import pairs
from meshext_wasm.host.header_map import HeaderLines
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.memory import hand_over, write_word


def find_map(machine: Machine, which: int, *, to_write: bool) -> HeaderLines | None:
    """The map, where there is one in this phase."""
    stream = machine.stream
    if stream is None or which not in set(HeaderMap):
        return None
    return (stream.maps if to_write else stream.readable).get(HeaderMap(which))


def is_map(which: int) -> bool:
    """Whether there is a map of that number."""
    return which in set(HeaderMap)


def get_value(machine: Machine, which: int, key: int, key_size: int, address: int, size: int) -> Status:
    """The first value."""
    name = machine.memory.read(key, key_size)
    lines = find_map(machine, which, to_write=False)
    if lines is None:
        return Status.BAD_ARGUMENT
    value = lines.first(name)
    if value is None:
        return Status.NOT_FOUND
    hand_over(machine.memory, value, address, size)
    return Status.OK


def add_value(machine: Machine, which: int, key: int, key_size: int, value: int, value_size: int) -> Status:
    """One more line."""
    name, content = machine.memory.read(key, key_size), machine.memory.read(value, value_size)
    lines = find_map(machine, which, to_write=True)
    if lines is None:
        return Status.BAD_ARGUMENT
    lines.add(name, content)
    return Status.OK


def replace_value(
    machine: Machine, which: int, key: int, key_size: int, value: int, value_size: int
) -> Status:
    """One line in the place of all."""
    name, content = machine.memory.read(key, key_size), machine.memory.read(value, value_size)
    lines = find_map(machine, which, to_write=True)
    if lines is None:
        return Status.BAD_ARGUMENT
    lines.replace(name, content)
    return Status.OK


def remove_value(machine: Machine, which: int, key: int, key_size: int) -> Status:
    """No line of that name."""
    name = machine.memory.read(key, key_size)
    lines = find_map(machine, which, to_write=True)
    if lines is None:
        return Status.BAD_ARGUMENT
    lines.remove(name)
    return Status.OK


def get_pairs(machine: Machine, which: int, address: int, size: int) -> Status:
    """Every line; none, and OK, where the map is not there."""
    if not is_map(which):
        return Status.BAD_ARGUMENT
    lines = find_map(machine, which, to_write=False)
    found = pairs.to_bytes(lines.lines) if lines is not None and lines.lines else b""
    hand_over(machine.memory, found, address, size)
    return Status.OK


def set_pairs(machine: Machine, which: int, address: int, size: int) -> Status:
    """Other lines in the place of all."""
    found = pairs.from_bytes(machine.memory.read(address, size))
    lines = find_map(machine, which, to_write=True)
    if lines is None or found is None:
        return Status.BAD_ARGUMENT
    lines.lines = [(name.lower(), value) for name, value in found]
    return Status.OK


def get_size(machine: Machine, which: int, size: int) -> Status:
    """Bytes of a map."""
    lines = find_map(machine, which, to_write=False)
    if lines is None:
        return Status.BAD_ARGUMENT
    write_word(machine.memory, size, lines.size())
    return Status.OK


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "proxy_get_header_map_value": get_value,
    "proxy_add_header_map_value": add_value,
    "proxy_replace_header_map_value": replace_value,
    "proxy_remove_header_map_value": remove_value,
    "proxy_get_header_map_pairs": get_pairs,
    "proxy_set_header_map_pairs": set_pairs,
    "proxy_get_header_map_size": get_size,
}
