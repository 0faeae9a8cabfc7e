"""`meshext profile`: where a running service spends its time, as a flame graph."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def profile(
    pid: Annotated[int, typer.Argument(metavar="PID", help="A process; of a service, the first one.")],
    seconds: Annotated[float, typer.Option(metavar="N", help="How long to record.", min=1, max=3600)] = 10,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="FILE.svg, or FILE.json for speedscope.app.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Record a running service and write a flame graph: which functions take its time.

    It needs no preparation and the service goes on. Of `meshext serve` give the process id that it was
    started with: all its workers are recorded. Ctrl-C ends the recording early.

    Example: meshext profile 4242 --seconds 30 -o service.svg
    """
    from meshext.telemetry.profiling import record

    path = output or Path(f"profile-{pid}.svg")
    shown = show_progress(seconds)
    try:
        recorded = record(pid, seconds, path, on_progress=shown)
    finally:
        clear_progress()
    print(f"{recorded.samples} samples are in {recorded.path}")


def show_progress(seconds: float) -> Callable[[float], None]:
    """A line that counts on a terminal, and one line that says so elsewhere."""
    if not sys.stderr.isatty():
        print(f"recording for {seconds:g} s ...", file=sys.stderr, flush=True)
        return lambda _: None

    def show(passed: float) -> None:
        done = min(passed, seconds)
        print(f"\rrecording: {done:.0f} of {seconds:g} s, Ctrl-C to end", end="", file=sys.stderr, flush=True)

    return show


def clear_progress() -> None:
    """Take the counting line away."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
