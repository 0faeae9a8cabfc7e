"""Host functions about a stream as a whole, and its properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext_wasm.abi.values import HeaderMap, Status, StreamType
from meshext_wasm.host import pairs
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.memory import hand_over
from meshext_wasm.host.stream import LocalResponse, Stream


def get_property(machine: Machine, path: int, path_size: int, address: int, size: int) -> Status:
    """A property by its path, parts separated by NUL."""
    name = machine.memory.read(path, path_size)
    machine.asked[name.replace(b"\0", b".").decode("utf-8", "replace")] = None
    stream = machine.stream
    value = read_property(stream, name) if stream is not None else None
    if value is None:
        value = machine.root_properties.get(name)
    if value is None:
        return Status.NOT_FOUND
    hand_over(machine.memory, value, address, size)
    return Status.OK


def read_property(stream: Stream, name: bytes) -> bytes | None:
    """What was set, or what follows from the request's headers as long as they are there."""
    if name in stream.properties:
        return stream.properties[name]
    if name == b"response\0code":
        return read_code(stream)
    headers = stream.readable.get(HeaderMap.REQUEST_HEADERS)
    if headers is None or not name.startswith(b"request\0"):
        return None
    below = name.removeprefix(b"request\0")
    if below.startswith(b"headers\0"):
        return headers.joined(below.removeprefix(b"headers\0"))
    target = headers.first(b":path") or b""
    derived = {
        b"path": target,
        b"url_path": target.partition(b"?")[0],
        b"query": target.partition(b"?")[2],
        b"host": headers.first(b":authority"),
        b"method": headers.first(b":method"),
        b"scheme": headers.first(b":scheme"),
        b"id": headers.first(b"x-request-id"),
    }
    return derived.get(below)


def read_code(stream: Stream) -> bytes | None:
    """The response's status, once there is one."""
    headers = stream.kept.get(HeaderMap.RESPONSE_HEADERS)
    status = headers.first(b":status") if headers is not None else None
    return None if status is None else int(status).to_bytes(8, "little")


def set_property(machine: Machine, path: int, path_size: int, value: int, value_size: int) -> Status:
    """A property of the module's own."""
    name, content = machine.memory.read(path, path_size), machine.memory.read(value, value_size)
    if machine.stream is None:
        return Status.NOT_FOUND
    machine.stream.properties[name] = content
    return Status.OK


def send_local_response(
    machine: Machine,
    status: int,
    details: int,
    details_size: int,
    body: int,
    body_size: int,
    headers: int,
    headers_size: int,
    _grpc: int,
) -> Status:
    """Answer in the upstream's place, once; where the response has left, it is OK and nothing happens."""
    lines = pairs.from_bytes(machine.memory.read(headers, headers_size))
    stream = machine.stream
    if lines is None or stream is None:
        return Status.BAD_ARGUMENT
    answer = LocalResponse(
        status=status,
        lines=tuple((name.lower(), value) for name, value in lines),
        body=machine.memory.read(body, body_size),
        details=machine.memory.read(details, details_size),
    )
    if stream.local is None and not stream.response_begun:
        stream.local = answer
    return Status.OK


def close_stream(machine: Machine, which: int) -> Status:
    """Cut the stream off."""
    if machine.stream is None or which not in set(StreamType):
        return Status.BAD_ARGUMENT
    machine.stream.reset = True
    return Status.OK


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "proxy_get_property": get_property,
    "proxy_set_property": set_property,
    "proxy_send_local_response": send_local_response,
    "proxy_close_stream": close_stream,
}
