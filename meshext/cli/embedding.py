"""`python -m meshext.cli.embedding`: filters compiled by a process of their own, as classes are loaded once.

What to compile comes as JSON on standard input, what came of it goes to files; `recompile` is the other side.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from meshext.errors import MeshextError
from meshext.lifeline import guarded
from meshext.printable import printable
from meshext.sandbox.recompiling import RefusedVersionError, Version

ANSWER, CODE = "answer.json", "module.wasm"


def main() -> int:
    """Compile once, and tell."""
    from meshext.sources import LOADED

    asked = json.load(sys.stdin)
    folder = Path(asked["folder"])
    answer = compile_once(asked["mode"], asked["specs"], asked["configs"], folder / CODE)
    (folder / ANSWER).write_text(json.dumps({**answer, "files": LOADED.files}), encoding="utf-8")
    return 0


def compile_once(mode: str, specs: Sequence[str], configs: Sequence[str], file: Path) -> dict[str, Any]:
    """The module but for its code, which goes to the file, with what its filters need; or the refusal."""
    from dataclasses import asdict

    from meshext.cli.runtimes import find_embedding
    from meshext.cli.selection import compile_quietly
    from meshext.hosts.report import to_plain

    try:
        compile_filters, _ = find_embedding(mode)
        module, needs = compile_quietly(lambda: compile_filters(specs, configs, lambda _: None))
    except MeshextError as error:
        return {"refused": str(error)}
    file.write_bytes(module.code)
    fields = {name: value for name, value in asdict(module).items() if name != "code"}
    return {"module": fields, "needs": [to_plain(each) for each in needs]}


async def recompile(
    mode: str, specs: Sequence[str], configs: Sequence[str], on_line: Callable[[str], None]
) -> Version:
    """Compile in a child process; RefusedVersionError with the reason where it refuses."""
    with tempfile.TemporaryDirectory(prefix="meshext-") as folder:
        process = await asyncio.create_subprocess_exec(
            *guarded([sys.executable, "-m", "meshext.cli.embedding"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,  # Ctrl-C reaches us alone
        )
        asked = {"mode": mode, "specs": list(specs), "configs": list(configs), "folder": folder}
        try:
            printed, _ = await process.communicate(json.dumps(asked).encode())
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        for line in printed.decode("utf-8", "backslashreplace").splitlines():
            on_line(printable(line))
        if process.returncode != 0:
            raise RefusedVersionError(f"the compiler ended with {process.returncode}", {})
        answer = json.loads((Path(folder) / ANSWER).read_text("utf-8"))
        return to_version(answer, Path(folder) / CODE)


def to_version(answer: Mapping[str, Any], file: Path) -> Version:
    """What the child told."""
    from meshext.envoy.wasm_filter import Module
    from meshext.hosts.report import from_plain

    if "refused" in answer:
        raise RefusedVersionError(answer["refused"], answer["files"])
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer["module"].items()
    }
    return Version(
        module=Module(code=file.read_bytes(), **fields),
        needs=tuple(map(from_plain, answer["needs"])),
        files=answer["files"],
    )


if __name__ == "__main__":
    sys.exit(main())
