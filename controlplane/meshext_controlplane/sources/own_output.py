"""Standard output of a process that loads filters: for its answers, whatever filters write or start."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def own_output() -> Iterator[TextIO]:
    """Our own descriptor of it, which no child inherits; what others write there goes to standard error."""
    with open(os.dup(1), "w", encoding="utf-8") as output, contextlib.redirect_stdout(sys.stderr):
        os.dup2(2, 1)
        yield output
