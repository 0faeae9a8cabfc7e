r"""Lines that a terminal can show, whatever they hold: nobody forges one or moves the cursor.

All logs of a setup look alike, whoever wrote them:

    12:00:00.123 info    hello [request id] text
"""

from __future__ import annotations

import re
import time

SURROGATE = re.compile("[\ud800-\udfff]")
"""What stands for bytes that are not UTF-8; not every reader of JSON takes it."""

_SHOWN = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""The text in one line that moves no cursor: what is not printable is written `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _shown(char) for char in text)


def format_log(moment: float, level: str, who: str, text: str, *, request_id: str = "") -> str:
    """One line of a log, in local time; text and request id may hold what a client sent.

    `moment` is in seconds since 1970, `request_id` "" where none is known.
    """
    seconds, fraction = divmod(round(moment * 1000), 1000)
    clock = time.strftime("%H:%M:%S", time.localtime(seconds))
    request = f" [{printable(request_id)}]" if request_id else ""
    return f"{clock}.{fraction:03d} {level:7} {printable(who)}{request} {printable(text)}"


def _shown(char: str) -> str:
    if char in _SHOWN:
        return _SHOWN[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
