"""What analyzers find, by code; and the command that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from meshext_controlplane.analysis.messages import CODES
from meshext_controlplane.cli.analyze import find_lines
from tests.controlplane.analysis.cases import CASES


def write(folder: Path, *documents: str) -> Path:
    """The documents in a file of a folder."""
    file = folder / "mesh.yaml"
    file.write_text("---\n".join(documents), encoding="utf-8")
    return file


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(CODES) - {"MX001"}


def test_findings(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    told = []
    for code, documents in CASES.items():
        lines = find_lines([str(write(tmp_path, *documents))], frozenset())
        assert code in {line.code for line in lines}
        told.append(f"{code} {CODES[code].title}\n" + "".join(f"  {line}\n" for line in lines))
    golden("\n".join(told).replace(f"{tmp_path}/", ""), "findings.txt")
