"""Host functions about bodies and configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext_wasm.abi.values import Buffer, Status
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.memory import hand_over, write_word


def find_buffer(machine: Machine, which: int) -> bytearray | None:
    """The bytes of a buffer; an empty one where Envoy has none in this phase, None where it never has one."""
    stream = machine.stream
    if which == Buffer.PLUGIN_CONFIGURATION:
        return bytearray(machine.configuration) if stream is None else None
    if which == Buffer.VM_CONFIGURATION:
        return bytearray(machine.vm_configuration)
    if stream is None or which not in set(Buffer):
        return None
    return stream.buffers.get(Buffer(which), bytearray())


def get_bytes(machine: Machine, which: int, start: int, length: int, address: int, size: int) -> Status:
    """A part of a buffer; where there is none of it, nothing is written and all is OK."""
    buffer = find_buffer(machine, which)
    if buffer is None:
        return Status.NOT_FOUND
    if start + length > 0xFFFFFFFF:
        return Status.BAD_ARGUMENT
    part = bytes(buffer[start : start + length])
    if part:
        hand_over(machine.memory, part, address, size)
    return Status.OK


def set_bytes(machine: Machine, which: int, start: int, length: int, value: int, value_size: int) -> Status:
    """Prepend, append, or replace from the front; the middle is refused."""
    data = machine.memory.read(value, value_size)
    buffer = find_buffer(machine, which)
    if buffer is None:
        return Status.NOT_FOUND
    if start == 0:
        buffer[: min(length, len(buffer))] = data
    elif start >= len(buffer):
        buffer += data
    else:
        return Status.BAD_ARGUMENT
    return Status.OK


def get_status(machine: Machine, which: int, length: int, flags: int) -> Status:
    """How long a buffer is."""
    buffer = find_buffer(machine, which)
    if buffer is None:
        return Status.NOT_FOUND
    write_word(machine.memory, length, len(buffer))
    write_word(machine.memory, flags, 0)
    return Status.OK


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "proxy_get_buffer_bytes": get_bytes,
    "proxy_set_buffer_bytes": set_bytes,
    "proxy_get_buffer_status": get_status,
}
