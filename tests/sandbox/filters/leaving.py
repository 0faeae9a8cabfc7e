"""A filter whose module starts a process that stays, with our output as its own."""

from __future__ import annotations

import subprocess
import sys

from meshext import Filter, Request

WAITING = "import os, time; print('here', os.getpid(), flush=True); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", WAITING])


class Leaving(Filter):
    def on_request(self, request: Request) -> None: ...
