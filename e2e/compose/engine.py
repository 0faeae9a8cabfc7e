"""Is there a docker engine, and which compose is there?"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

_LIMIT = 30.0  # seconds


@cache
def find_compose() -> tuple[str, ...]:
    """The command of compose, v2 before v1; empty where there is none."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) and _works([*command, "version"]):
            return command
    return ()


@cache
def why_not() -> str:
    """Why the suite can not run here; "" where it can."""
    if not shutil.which("docker"):
        return "there is no docker command"
    if not _works(["docker", "version"]):
        return "no docker engine answers"
    if not find_compose():
        return "there is neither docker compose nor docker-compose"
    return ""


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_LIMIT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
