r"""Envoy's log, read line by line and forwarded readably.

Envoy is started with `LOG_FORMAT` and `--log-format-escaped`, so that one message is one line. A line that
Envoy did not write in this format (a crash, an access log on standard output) comes as it is.

Messages may hold what a client sent: `meshext.printable` shows them so that nobody can forge a line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshext.printable import format_log, printable

LOG_FORMAT = "%E.%e %l %n %v"
"""For `envoy --log-format`: seconds since 1970 with milliseconds, level, component, message."""

LEVELS = ("trace", "debug", "info", "warning", "error", "critical")
"""Envoy's levels, least first, as `envoy --log-level` and its log write them."""

OUTPUT = "output"
"""The component of lines from Envoy's standard output, where access logs go; no level hides them."""

_LINE = re.compile(r"(\d+\.\d+) (trace|debug|info|warning|error|critical) (\S+) (.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{3}|[nrt'\"\\])")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\"}

_MAX_REASON = 1000  # characters
# What Envoy puts around the reason; protobuf adds a mark and a dump of the message before what it objects to.
_FRAMES = (
    re.compile(r"error `(.*)` initializing config ", re.DOTALL),
    re.compile(r"error initializing configuration '.*?': (.*)", re.DOTALL),
    re.compile(r"goo\.gle/debug.*: (Proto constraint validation failed \(.*)", re.DOTALL),
    re.compile(r"Protobuf message \(type \S+ reason (.*)\) has unknown fields", re.DOTALL),
)

# Warnings about which nobody who runs a filter can do anything.
_NOISE = re.compile(
    r"no configured limit to the number of allowed active downstream connections"
    r"|deprecated (?:option|field|value|filter name)|[Uu]sing deprecated"
    r"|^caught (?:ENVOY_)?SIG(?:TERM|INT)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One message of Envoy.

    `time` is in seconds since 1970, `level` one of `LEVELS`, `component` the logger that wrote it (`main`,
    `config`, `ext_proc`, ...; empty where Envoy wrote without its logger; `OUTPUT`). `message` is as
    written, with line breaks and control characters still in it: show it with `meshext.printable.printable`.
    """

    time: float
    level: str
    component: str
    message: str


def parse_line(line: bytes, *, output: bool = False, now: Callable[[], float] = time.time) -> LogLine:
    """A line of Envoy's standard error (or standard output), without its line break.

    Never fails: what is not in `LOG_FORMAT` is the message of an `error` line without a component, since
    Envoy writes past its logger only when something is wrong.
    """
    text = line.decode("utf-8", "backslashreplace")
    if output:
        return LogLine(time=now(), level="info", component=OUTPUT, message=text)
    match = _LINE.fullmatch(text)
    if match is None:
        return LogLine(time=now(), level="error", component="", message=text)
    return LogLine(time=float(match[1]), level=match[2], component=match[3], message=_unescape(match[4]))


class LineSplitter:
    """Whole lines out of pieces of a stream, each cut after `limit` bytes.

    What goes past the limit is dropped up to the line break: as a line of its own it could pass for one
    that Envoy wrote.
    """

    def __init__(self, limit: int = 65_536) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in `data`, without their line breaks."""
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[: self._limit + 1]  # one more tells that it was cut
        return [self._cut(line) for line in whole]

    def finish(self) -> list[bytes]:
        """The last line, if the stream ended without a line break."""
        rest, self._rest = self._rest, b""
        return [self._cut(rest)] if rest else []

    def _cut(self, line: bytes) -> bytes:
        return line if len(line) <= self._limit else line[: self._limit] + b" (cut)"


def is_noise(line: LogLine) -> bool:
    """Whether a warning is mere chatter (deprecated fields, no connection limit, our own stop signal)."""
    return line.level == "warning" and _NOISE.search(line.message) is not None


def format_line(line: LogLine) -> str:
    """The line as it is forwarded, e.g. `12:00:00.391 warning envoy.main no route`."""
    component = f".{line.component}" if line.component and line.component != OUTPUT else ""
    return format_log(line.time, line.level, f"envoy{component}", line.message)


class LogForwarder:
    """A handler for `EnvoyProcess.start`: writes the lines worth reading through `write`, one call each.

    `level` is the least level shown; below `warning` the noise is shown too.
    """

    def __init__(self, write: Callable[[str], None], *, level: str = "warning") -> None:
        self._write = write
        self._least = parse_level(level)

    def __call__(self, line: LogLine) -> None:
        """Forward the line, or drop it."""
        level = LEVELS.index("info") if is_noise(line) else LEVELS.index(line.level)
        if line.component == OUTPUT or level >= self._least:
            self._write(format_line(line))


def parse_level(level: str) -> int:
    """The place of that level in `LEVELS`; ValueError names them all."""
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not a log level of Envoy; they are {', '.join(LEVELS)}")
    return LEVELS.index(level)


def find_reason(lines: Iterable[LogLine]) -> str:
    """Why Envoy gave up, in one line: what its last critical message says, without the dump around it.

    Empty if the lines tell nothing. Looks at critical lines first, then at errors, then at what was
    written past the logger.
    """
    told = [line for line in lines if line.message.strip()]
    for level, logged in (("critical", True), ("error", True), ("error", False)):
        for line in reversed(told):
            if line.level == level and bool(line.component) == logged:
                return _reason(line.message)
    return ""


def _reason(message: str) -> str:
    text = message
    for frame in _FRAMES:
        if found := frame.search(text):
            text = found[1]
    text = " ".join(text.split())
    return printable(text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]} ...")


def _unescape(text: str) -> str:
    """Undo `--log-format-escaped`, which writes bytes beyond ASCII in octal, one by one."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_unescaped, text)
    # Bytes were put back as code points below 256; a message that already had others is left alone.
    try:
        return plain.encode("latin-1").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return plain


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return _ESCAPED[code] if code in _ESCAPED else chr(int(code, 8) & 0xFF)
