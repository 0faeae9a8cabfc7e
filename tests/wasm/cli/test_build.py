"""`meshext build` from the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BAD = """from meshext import Filter, Request


class Bad(Filter):
    def on_request(self, request: Request) -> None:
        name = request.headers.get("x-name")
        request.headers["x"] = name.upper()
        return eval("None")
"""


def test_every_mistake_is_drawn_under_its_source(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    command = [sys.executable, "-m", "meshext", "build", "bad.py:Bad", "-o", "bad.wasm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "bad.wasm").exists()
    lines = done.stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("bad.py:7:"))
    source = lines[first + 1]
    underline = lines[first + 2]
    assert source[underline.index("^") : underline.rindex("^") + 1] == "name.upper"
    assert any(line.startswith("bad.py:8:") for line in lines)
