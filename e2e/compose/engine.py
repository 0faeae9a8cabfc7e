"""Is there a docker engine, and which compose is there?"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

BASE = "python:3.11-slim-bookworm"
_LIMIT = 30.0  # seconds
_PULL = 120.0  # seconds


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
    if not _works(["docker", "image", "inspect", BASE]) and not _works(["docker", "pull", BASE], _PULL):
        return f"the image {BASE} is not here and can not be pulled"
    return ""


def _works(command: list[str], limit: float = _LIMIT) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=limit, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
