"""Log lines of a service: one line each, with filter and request id; nobody can forge one."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from datetime import UTC, datetime

from meshext.engine.current import TRACE, current_hook
from meshext.printable import SURROGATE, format_log, printable


class LineFormatter(logging.Formatter):
    """`12:00:00.123 error   hello [request id] text`, then the traceback, indented.

    What is not printable is escaped, since a text may hold what a client sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One record as text without a final line end."""
        current = current_hook()
        line = format_log(
            record.created,
            record.levelname.lower(),
            current.filter or record.name,
            record.getMessage(),
            request_id=current.request_id,
        )
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n    | {printable(each)}" for each in trace.splitlines())
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: for programs that collect logs.

    `time` (RFC 3339, UTC), `level`, `logger` and `message` are always there; `request_id`, `filter`, `hook`,
    `trace_id` and `exception` (a traceback) where there is one. Everything but ASCII is escaped, as JSON
    does, so no text ends a line or moves a cursor; a byte that is not UTF-8 is U+FFFD.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One record as text without a final line end."""
        current = current_hook()
        fields = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current.request_id,
            "filter": current.filter,
            "hook": current.hook,
            "trace_id": TRACE.get(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        said = {name: text for name, text in fields.items() if text or name == "message"}
        return json.dumps({name: SURROGATE.sub("\ufffd", text) for name, text in said.items()})


FORMATTERS = {"text": LineFormatter, "json": JsonFormatter}


def configure_logging(level: str = "INFO", form: str = "text") -> None:
    """Send every logger of this process to standard error, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    logging.captureWarnings(True)
    # Each time: a forgotten await means that a limit or a lookup did not happen.
    warnings.filterwarnings("always", message="coroutine .* was never awaited", category=RuntimeWarning)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def give_up_unwritten() -> None:
    """Forget what standard error would not take, at the end: Python's exit code would be 120 for it."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stderr.fileno())


def rfc3339(moment: float) -> str:
    """Seconds since 1970 as `2026-11-23T05:33:00.123Z`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
