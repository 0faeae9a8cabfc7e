"""Objects that processes beside ours make are those that we would have made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from meshext_wasm.build.emitting import ENOUGH, emit
from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.text import Text
from meshext_wasm.llvm.workers import Worker, WorkerError, emit_objects

TRIPLE = 'target triple = "wasm32-unknown-unknown"\n'
SOURCES = [f"{TRIPLE}define i64 @f() {{\n  ret i64 {number}\n}}" for number in range(ENOUGH)]
TEXTS = {at: Text(f"file {at}", text, thorough=at % 2 == 0) for at, text in enumerate(SOURCES)}
Objects = dict[int, bytes]


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What we make ourselves."""
    return {at: emit_object(each.text, thorough=each.thorough) for at, each in TEXTS.items()}


def test_objects_come_with_the_numbers_of_their_texts(objects: Objects) -> None:
    assert dict(emit_objects(TEXTS, 3)) == objects


def test_many_texts_and_few(objects: Objects) -> None:
    assert dict(emit(TEXTS)) == objects
    assert dict(emit({2: TEXTS[2]})) == {2: objects[2]}


def test_a_text_that_llvm_does_not_take() -> None:
    with pytest.raises(RuntimeError, match="expected type"):
        dict(emit_objects({**TEXTS, 99: Text("file 99", f"{TRIPLE}define what", thorough=False)}, 2))


def test_a_build_that_is_broken_off() -> None:
    made = emit_objects(TEXTS, 2)
    next(made)
    made.close()


def test_a_worker_that_is_killed() -> None:
    with Worker() as worker:
        worker.kill()
        with pytest.raises(WorkerError, match="ended with -9"):
            worker.emit(TEXTS[0])


def test_a_worker_that_can_not_be_started(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        dict(emit_objects(TEXTS, 2))
    assert dict(emit(TEXTS)) == objects


def test_a_filters_folder_is_not_imported_from(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queue.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert dict(emit_objects(TEXTS, 1)) == objects
