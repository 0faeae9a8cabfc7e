"""Texts for LLVM to objects: what was kept is read, and many at once are made by processes beside ours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from meshext_wasm.build.cache import Cache, text_key
from meshext_wasm.link.objects import ObjectFile, parse_object
from meshext_wasm.llvm.lint import check_text
from meshext_wasm.llvm.text import Text

ENOUGH = 8
"""Texts for which it is worth starting processes; a program of a few files has fewer."""


def compile_texts(texts: Sequence[Text], cache: Cache) -> list[ObjectFile]:
    """The objects, in the order of the texts. What is made is kept at once, as a build may be broken off.

    RuntimeError where LLVM does not take a text: a mistake of ours.
    """
    names = [f"{text_key(each.text)}-{each.thorough:d}.o" for each in texts]
    objects = {at: made for at, name in enumerate(names) if (made := cache.get(name)) is not None}
    for at, made in emit({at: text for at, text in enumerate(texts) if at not in objects}):
        cache.put(names[at], made)
        objects[at] = made
    return [parse_object(objects[at], source=text.source) for at, text in enumerate(texts)]


def emit(texts: Mapping[int, Text]) -> Iterator[tuple[int, bytes]]:
    """Objects as they are made, by number: many by processes beside ours, and by us what those leave."""
    for each in texts.values():
        check_text(each.text)
    left = dict(texts)
    if len(left) >= ENOUGH:
        for at, made in emit_beside(texts):
            del left[at]
            yield at, made
    for at, text in left.items():
        from meshext_wasm.llvm.machine import emit_object  # LLVM itself: a tenth of a second to import

        yield at, emit_object(text.text, thorough=text.thorough)


def emit_beside(texts: Mapping[int, Text]) -> Iterator[tuple[int, bytes]]:
    """By a process for each core, as far as those are to be had and live."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < 2:
        return
    from meshext_wasm.llvm.workers import WorkerError, emit_objects  # as above

    with suppress(OSError, WorkerError):
        yield from emit_objects(texts, cores)
