"""The numbers of the ABI."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a host function gives."""

    OK = 0
    NOT_FOUND = 1
    BAD_ARGUMENT = 2
    SERIALIZATION_FAILURE = 3
    PARSE_FAILURE = 4
    BAD_EXPRESSION = 5
    INVALID_MEMORY_ACCESS = 6
    EMPTY = 7
    CAS_MISMATCH = 8
    RESULT_MISMATCH = 9
    INTERNAL_FAILURE = 10
    BROKEN_CONNECTION = 11
    UNIMPLEMENTED = 12


class Level(IntEnum):
    """Levels of the log."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    CRITICAL = 5


class HeaderMap(IntEnum):
    """Which map of headers."""

    REQUEST_HEADERS = 0
    REQUEST_TRAILERS = 1
    RESPONSE_HEADERS = 2
    RESPONSE_TRAILERS = 3


class Buffer(IntEnum):
    """Which buffer."""

    REQUEST_BODY = 0
    RESPONSE_BODY = 1
    VM_CONFIGURATION = 6
    PLUGIN_CONFIGURATION = 7


class Action(IntEnum):
    """What a callback of a stream gives."""

    CONTINUE = 0
    PAUSE = 1


class StreamType(IntEnum):
    """Which direction to continue or close."""

    REQUEST = 0
    RESPONSE = 1


class MetricKind(IntEnum):
    """What a metric is."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2
