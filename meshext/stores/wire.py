"""What a worker and its supervisor say to each other about the store, as bytes; no I/O.

A frame is its length (32 bits, without itself), the number of the call (32 bits), one byte, and fields. In a
request that byte is the operation, in a reply the status. Both ends are the same version of the same
program, so there is nothing to negotiate, and whatever does not fit is an error that ends the connection.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshext.errors import StoreError, StoreUnavailable
from meshext.store import MAX_KEY, MAX_LIMITS, MAX_VALUE
from meshext.stores.fields import (
    BLOB,
    LENGTH,
    LIMITS,
    NOTHING,
    NUMBER,
    OPTIONAL,
    OUTCOMES,
    TEXT,
    TTL,
    YES_OR_NO,
    Kind,
    Reader,
    WireError,
    pack_text,
    unpack_text,
)

MAX_FRAME = 4 * MAX_KEY * MAX_LIMITS + 3 * MAX_VALUE  # bytes; above every call that a store accepts
HEAD = struct.Struct("!IIB")  # length, number, operation or status
REST = HEAD.size - LENGTH.size  # of the head, behind the length
OK, REFUSED, AWAY = 0, 1, 2


class FrameReader:
    """Cuts a stream of bytes into frames (without their length)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now; WireError for one longer than `MAX_FRAME`."""
        buffer = self._buffer
        buffer += data
        frames, position = [], 0
        while len(buffer) - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(buffer, position)
            if not REST <= length <= MAX_FRAME:
                raise WireError(f"a frame of {length} bytes")
            start, end = position + LENGTH.size, position + LENGTH.size + length
            if end > len(buffer):
                break
            frames.append(bytes(buffer[start:end]))
            position = end
        del buffer[:position]
        return frames


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a store: its arguments and its result."""

    code: int
    name: str
    arguments: tuple[Kind, ...]
    result: Kind


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(1, "get", (TEXT,), OPTIONAL),
        Operation(2, "set", (TEXT, BLOB, TTL), NOTHING),
        Operation(3, "delete", (TEXT,), NOTHING),
        Operation(4, "add", (TEXT, NUMBER, TTL), NUMBER),
        Operation(5, "compare_and_set", (TEXT, OPTIONAL, BLOB, TTL), YES_OR_NO),
        Operation(6, "take", (LIMITS,), OUTCOMES),
    )
}
BY_CODE = {operation.code: operation for operation in OPERATIONS.values()}
ERRORS: Mapping[int, type[StoreError]] = {REFUSED: StoreError, AWAY: StoreUnavailable}


def pack_arguments(operation: Operation, arguments: Sequence[object]) -> bytes:
    """The fields of a call."""
    pairs = zip(operation.arguments, arguments, strict=True)
    return b"".join([kind.pack(argument) for kind, argument in pairs])


def pack_request(number: int, operation: Operation, fields: bytes) -> bytes:
    """One call as a frame."""
    return frame(number, operation.code, fields)


def unpack_request(data: bytes) -> tuple[int, Operation, tuple[Any, ...]]:
    """The call in a frame; WireError where there is none."""
    number, code, reader = opened(data)
    operation = BY_CODE.get(code)
    if operation is None:
        raise WireError(f"no operation {code}")
    arguments = tuple(kind.unpack(reader) for kind in operation.arguments)
    reader.close()
    return number, operation, arguments


def pack_result(number: int, operation: Operation, result: object) -> bytes:
    """What a call returned, as a frame."""
    return frame(number, OK, operation.result.pack(result))


def pack_error(number: int, error: StoreError) -> bytes:
    """What a call raised, as a frame."""
    return frame(number, AWAY if isinstance(error, StoreUnavailable) else REFUSED, pack_text(str(error)))


def unpack_reply(data: bytes, operations: Callable[[int], Operation]) -> tuple[int, Any]:
    """The number of the call and its result, or the StoreError to raise; WireError where it is neither.

    `operations` says what was asked under a number, or raises WireError.
    """
    number, status, reader = opened(data)
    operation = operations(number)
    if status == OK:
        result = operation.result.unpack(reader)
    elif status in ERRORS:
        result = ERRORS[status](unpack_text(reader))
    else:
        raise WireError(f"no status {status}")
    reader.close()
    return number, result


def frame(number: int, code: int, fields: bytes) -> bytes:
    """Fields behind their head."""
    return HEAD.pack(REST + len(fields), number, code) + fields


def opened(data: bytes) -> tuple[int, int, Reader]:
    """Number, code and what follows."""
    return int.from_bytes(data[:4], "big"), data[4], Reader(data, REST)
