"""Takes a compose project down once its owner is gone: standard input ends then, however that came.

python reaper.py COMPOSE...      the command of compose with its project and file
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

ATTEMPTS = 20
PAUSE = 1.0  # seconds between two of them


def left_over(project: str) -> str:
    """The containers, networks and volumes that a project still has."""
    label = f"label=com.docker.compose.project={project}"
    kinds = (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
    commands = [["docker", *kind, "--quiet", "--filter", label] for kind in kinds]
    return "".join(
        subprocess.run(each, capture_output=True, text=True, check=False).stdout for each in commands
    )


def main() -> None:
    """Wait, and take down: containers, networks, volumes."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # who interrupts the suite means us least of all
    sys.stdin.buffer.read()
    command = [*sys.argv[1:], "down", "--volumes", "--remove-orphans", "--timeout", "2"]
    for _ in range(ATTEMPTS):
        # The engine may be at work still on what the owner asked for last.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode == 0 and not left_over(sys.argv[sys.argv.index("-p") + 1]):
            return
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
