"""Processes beside this one in which LLVM makes objects: it is most of the work of a first build.

Threads are no help, since llvmlite lets one at a time into LLVM. A worker runs this module; orders and
answers are pickled on its standard input and output, and it ends with its input.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Final

from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.text import Text

MODULE: Final = "meshext_wasm.llvm.workers"
PACKAGES: Final = ("meshext_wasm", "llvmlite")
"""What a worker imports beside the standard library."""
MOST: Final = 4
"""Workers at once: each takes some hundred megabytes, and what they do is but half of a build."""


class WorkerError(RuntimeError):
    """A worker ended before it had answered: there was no memory for it, or somebody killed it."""


def root_of(package: str) -> str:
    """The folder that a package is imported from."""
    return str(Path(str(sys.modules[package].__file__)).parents[1])


class Worker:
    """One such process, from the block's beginning to its end; OSError where none can be started."""

    def __enter__(self) -> Worker:
        """Start it. It finds the compiler and LLVM where we do, and nothing in a filter's folder."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(root_of, PACKAGES))},
        )
        return self

    def emit(self, text: Text) -> bytes:
        """The object. RuntimeError where LLVM does not take the text, WorkerError if the worker is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((text.text, text.thorough), self._process.stdin)
            self._process.stdin.flush()
            answer: object = pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self.kill()  # one that says something else has not ended by itself
            raise WorkerError(f"a process that compiled ended with {self._process.wait()}") from error
        if not isinstance(answer, bytes):
            raise RuntimeError(answer)
        return answer

    def kill(self) -> None:
        """End it at once; who waits for it gets WorkerError."""
        self._process.kill()

    def __exit__(self, *_: object) -> None:
        """It ends with its input."""
        with self._process, suppress(BrokenPipeError):
            self._process.communicate()


def emit_objects(texts: Mapping[int, Text], count: int) -> Generator[tuple[int, bytes], None, None]:
    """The objects of texts from so many workers, each with the number of its text, as they are made.

    Raises as `Worker` and `Worker.emit`.
    """
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker()) for _ in range(min(count, len(texts), MOST))]
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in workers:
            idle.put(worker)

        def emit(text: Text) -> bytes:
            worker = idle.get()
            try:
                return worker.emit(text)
            finally:
                idle.put(worker)

        pool = stack.enter_context(ThreadPoolExecutor(len(workers)))
        dear_first = sorted(texts, key=lambda at: -texts[at].cost)
        futures = {pool.submit(emit, texts[at]): at for at in dear_first}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            give_up(workers, pool)
            raise


def give_up(workers: Sequence[Worker], pool: ThreadPoolExecutor) -> None:
    """End what is under way: nobody wants it, as after Ctrl-C."""
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


def work(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer orders until nobody gives or waits: with the object, or with what LLVM has against the text."""
    with suppress(EOFError, BrokenPipeError):
        while True:
            text, thorough = pickle.load(source)
            answer: bytes | str
            try:
                answer = emit_object(text, thorough=thorough)
            except RuntimeError as error:
                answer = str(error)
            pickle.dump(answer, target)
            target.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us gets it as well, and ends us
    work(sys.stdin.buffer, sys.stdout.buffer)
