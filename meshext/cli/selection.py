"""What several verbs take alike: specs that are loaded without a word, and a mode."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from meshext.cli.faults import UsageError
from meshext.cli.output import print_warning
from meshext.plan import Mode

_T = TypeVar("_T")

PATIENCE = 5.0  # seconds of loading in silence


def load_quietly(load: Callable[[], _T]) -> _T:
    """Load filters; what their modules print goes to stderr, since stdout is what is asked for.

    One that takes long gets a line, so that nobody waits for nothing in silence.
    """
    hint = threading.Timer(
        PATIENCE, print_warning, ["a filter is still loading; does its module wait for something?"]
    )
    hint.daemon = True
    hint.start()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return load()
    finally:
        hint.cancel()


def compile_quietly(compile_filters: Callable[[], _T]) -> _T:
    """The same for what tells its own steps and may take long."""
    with contextlib.redirect_stdout(sys.stderr):
        return compile_filters()


def parse_mode(text: str | None) -> Mode | None:
    """The mode of that name; None where none is asked for."""
    match text:
        case None | "proc" | "authz" | "wasm":
            return text
    raise UsageError(
        f"--mode {text!r} is not a mode; write proc (ext_proc), authz (ext_authz) or wasm (inside Envoy)"
    )
