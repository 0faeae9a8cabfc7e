"""Responses read from their bytes, past every body: nonce, type, and versions in either form."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

_RESOURCES, _TYPE, _NONCE, _REMOVED = 2, 4, 5, 6
_VERSION, _NAME = 1, 3
_STATE_VERSION = 1


def scan(data: bytes) -> tuple[str, str, dict[str, str], list[str]]:
    """Type URL, nonce, versions by name, and what was removed."""
    type_url = nonce = ""
    versions: dict[str, str] = {}
    removed: list[str] = []
    for number, start, end in _fields(data, 0, len(data)):
        if number == _RESOURCES:
            name, version = _resource(data, start, end)
            versions[name] = version
        elif number == _TYPE:
            type_url = intern(data[start:end].decode())
        elif number == _NONCE:
            nonce = data[start:end].decode()
        elif number == _REMOVED:
            removed.append(data[start:end].decode())
    return type_url, nonce, versions, removed


def scan_state(data: bytes) -> tuple[str, str, str]:
    """Type URL, nonce and version of a state-of-the-world response."""
    told = {_STATE_VERSION: "", _TYPE: "", _NONCE: ""}
    for number, start, end in _fields(data, 0, len(data)):
        if number in told:
            told[number] = intern(data[start:end].decode())
    return told[_TYPE], told[_NONCE], told[_STATE_VERSION]


def _resource(data: bytes, start: int, end: int) -> tuple[str, str]:
    name = version = ""
    for number, first, last in _fields(data, start, end):
        if number == _NAME:
            name = intern(data[first:last].decode())
        elif number == _VERSION:
            version = intern(data[first:last].decode())
    return name, version


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field; all of them have a length, and numbers below 16."""
    while at < end:
        key, at = data[at], at + 1
        length, shift = 0, 0
        while True:
            byte, at = data[at], at + 1
            length |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
        yield key >> 3, at, at + length
        at += length
