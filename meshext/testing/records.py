"""The log of one exchange: every record, with the filter and hook that were running."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from meshext.engine.current import current_hook
from meshext.testing.outcome import Log


class RecordKeeper(logging.Handler):
    """Keeps what is logged, at INFO and above as in a service."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.logs: list[Log] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        current = current_hook()
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.logs.append(
            Log(
                level=record.levelname,
                message=record.getMessage(),
                filter=current.filter,
                hook=current.hook,
                traceback=trace,
            )
        )


@contextmanager
def keep_records() -> Iterator[list[Log]]:
    """The records of everything that is logged until the end of the block."""
    keeper, root = RecordKeeper(), logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    if not root.isEnabledFor(logging.INFO):
        root.setLevel(logging.INFO)
    try:
        yield keeper.logs
    finally:
        root.setLevel(level)
        root.removeHandler(keeper)
