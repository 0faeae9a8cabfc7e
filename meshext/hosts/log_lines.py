"""Log lines of a service: one line each, with filter and request id; nobody can forge one."""

from __future__ import annotations

import logging
import sys
import warnings

from meshext.engine.current import CURRENT
from meshext.printable import format_log, printable


class LineFormatter(logging.Formatter):
    """`12:00:00.123 error   hello [request id] text`, then the traceback, indented.

    What is not printable is escaped, since a text may hold what a client sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One record as text without a final line end."""
        current = CURRENT.get()
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


def configure_logging(level: str = "INFO") -> None:
    """Send every logger of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.captureWarnings(True)
    # Each time: a forgotten await means that a limit or a lookup did not happen.
    warnings.filterwarnings("always", message="coroutine .* was never awaited", category=RuntimeWarning)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
