"""How a command ends when something goes wrong: one clear line for each problem, and an exit code.

2     what was given is refused (every MeshextError, unless it says otherwise)
70    a bug in meshext (EX_SOFTWARE of sysexits.h)
130   Ctrl-C (128 + SIGINT)
141   the reader of our output has gone (128 + SIGPIPE)
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

from meshext.cli.output import print_drawing, print_problem
from meshext.errors import ConfigError, MeshextError, MissingExtraError, RecordingError

DEBUG = "MESHEXT_DEBUG"

BUG = 70
INTERRUPTED = 130
READER_GONE = 141

EXTRAS = {
    "OpenSSL": "controlplane",
    "betterproto2": "envoy",
    "envoy_data_plane": "envoy",
    "pydantic": "controlplane",
}
"""Which extra brings a package that is imported only where it is needed."""


class UsageError(MeshextError):
    """The command line itself is not understood; the hint at the verb's help follows."""


def report_fault(error: BaseException, *, verb: str = "") -> int:
    """Tell the person what ended the command, and return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        drop_output()
        return READER_GONE
    if (ended := exit_code(error)) is not None:
        return flush_output(ended)
    code = report_lines(error, verb)
    if os.environ.get(DEBUG) == "1":
        traceback.print_exception(error)
    return code


def report_lines(error: BaseException, verb: str) -> int:
    """The lines for an error that has something to say."""
    command = f"meshext {verb}".rstrip()
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in EXTRAS:
        error = MissingExtraError(EXTRAS[(error.name or "").partition(".")[0]], command)
    if isinstance(error, MeshextError):
        if error.drawn:
            print_drawing(str(error))
        else:
            for problem in to_problems(error):
                print_problem(problem)
        if isinstance(error, UsageError):
            print_problem(f"try '{command} --help'")
        return error.exit_code
    if message := usage_message(error):
        print_problem(message)
        print_problem(f"try '{command} --help'")
        return UsageError.exit_code
    print_problem(f"this is a bug in meshext: {type(error).__name__}: {error}")
    if os.environ.get(DEBUG) != "1":
        print_problem(f"{DEBUG}=1 shows where it is")
    return BUG


def to_problems(error: MeshextError) -> list[str]:
    """One line for each mistake in a configuration or a recording; any other error is one line."""
    if isinstance(error, ConfigError | RecordingError):
        return [f"{error.source}: {problem}" for problem in error.problems]
    return [str(error)]


def usage_message(error: BaseException) -> str:
    """What typer (or click, in a plugin) says about the command line; "" for any other error."""
    say = getattr(error, "format_message", None)
    if say is None:
        return ""
    text = str(say()).removeprefix("Invalid value: ").rstrip(".")
    return text[:1].lower() + text[1:]


def exit_code(error: BaseException) -> int | None:
    """The code of typer's (or click's) `Exit` and `Abort`, which are no errors."""
    kind = type(error).__name__
    if kind == "Abort":
        return INTERRUPTED
    code = getattr(error, "exit_code", None)
    return code if kind == "Exit" and isinstance(code, int) else None


def flush_output(code: int) -> int:
    """The code of a verb that ended by itself, once what it printed is out."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return READER_GONE
    return code


def drop_output() -> None:
    """Nobody reads what is still in the buffers; without this the interpreter complains when it ends."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
        os.dup2(sink, stream.fileno())  # in any case: a second flush need not fail as the first one did
