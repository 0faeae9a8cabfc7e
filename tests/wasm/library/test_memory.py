"""The heap: objects laid out by hand in the emulated memory, collected, and read back."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.library.builtins import limits, memory
from meshext_wasm.library.emulation.memory import Emulation
from meshext_wasm.library.raw import EMULATION, word

INSTANCE, ARRAY, BLOB = 0, 1, 2


@dataclass(slots=True)
class Node:
    """An object of the model: a blob's bytes, or slots that hold nodes or small ints."""

    data: bytes | None = None
    slots: list[Node | int] = field(default_factory=list)


class Heap:
    """The model's objects, written into memory above three descriptors and a stretch of roots."""

    def __init__(self, roots: int) -> None:
        EMULATION.__dict__.update(Emulation().__dict__)
        self.descriptors = [EMULATION.allocate(32) for _ in range(3)]
        for kind, address in enumerate(self.descriptors):
            struct.pack_into("<I", EMULATION.memory, address + 16, kind)
        start = EMULATION.allocate(8 * roots)
        EMULATION.roots = (start, start + 8 * roots)
        EMULATION.base = EMULATION.top
        self.addresses: dict[int, int] = {}

    def place(self, node: Node) -> None:
        data = node.data
        kind = BLOB if data is not None else ARRAY if len(node.slots) % 2 else INSTANCE
        meta = len(node.slots) if data is None else len(data)
        address = EMULATION.allocate(8 + (8 * meta if data is None else meta))
        struct.pack_into("<II", EMULATION.memory, address, self.descriptors[kind], meta)
        if data is not None:
            EMULATION.memory[address + 8 : address + 8 + meta] = data
        self.addresses[id(node)] = address

    def bits(self, value: Node | int) -> int:
        return self.addresses[id(value)] if isinstance(value, Node) else value << 1 | 1

    def connect(self, at: int, slots: list[Node | int]) -> None:
        for index, value in enumerate(slots):
            struct.pack_into("<Q", EMULATION.memory, at + 8 * index, self.bits(value))


def read(bits: int, seen: dict[int, int]) -> object:
    """What a slot holds, with the order in which objects were met instead of addresses."""
    if bits & 1:
        return bits >> 1
    if bits in seen:
        return ("again", seen[bits])
    seen[bits] = len(seen)
    descriptor, meta = struct.unpack_from("<II", EMULATION.memory, bits)
    kind = struct.unpack_from("<I", EMULATION.memory, descriptor + 16)[0]
    if kind == BLOB:
        return bytes(EMULATION.memory[bits + 8 : bits + 8 + meta])
    return kind, [read(each, seen) for each in struct.unpack_from(f"<{meta}Q", EMULATION.memory, bits + 8)]


def read_roots() -> list[object]:
    start, end = EMULATION.roots
    seen: dict[int, int] = {}
    slots = struct.unpack_from(f"<{(end - start) // 8}Q", EMULATION.memory, start)
    return [read(each, seen) for each in slots]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[Node | int]]:
    """Nodes with any links among them, cycles too, and the roots."""
    count = draw(st.integers(1, 12))
    nodes = [Node(draw(st.none() | st.binary(max_size=20))) for _ in range(count)]
    link = st.sampled_from(nodes) | st.integers(0, 99)
    for node in nodes:
        if node.data is None:
            node.slots = draw(st.lists(link, max_size=5))
    return nodes, draw(st.lists(link, min_size=1, max_size=4))


def reached(roots: list[Node | int]) -> int:
    """Bytes that the roots reach."""
    seen: dict[int, Node] = {}
    queue = [each for each in roots if isinstance(each, Node)]
    while queue:
        node = queue.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            queue += [each for each in node.slots if isinstance(each, Node)]
    sizes = (
        8 + (8 * len(each.slots) if each.data is None else len(each.data) + 7 & ~7) for each in seen.values()
    )
    return sum(sizes)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    EMULATION.__dict__.update(Emulation().__dict__)


@given(graphs())
def test_collect_keeps_what_roots_reach(graph: tuple[list[Node], list[Node | int]]) -> None:
    nodes, roots = graph
    heap = Heap(len(roots))
    for node in nodes:
        heap.place(node)
    for node in nodes:
        if node.data is None:
            heap.connect(heap.addresses[id(node)] + 8, node.slots)
    heap.connect(EMULATION.roots[0], roots)
    before = read_roots()
    for _ in range(2):
        memory.collect()
        assert read_roots() == before
        assert EMULATION.top - EMULATION.base == reached(roots)


def test_a_clean_callback_leaves_nothing() -> None:
    memory.begin()
    top = EMULATION.top
    EMULATION.allocate(1000)
    memory.end()
    assert EMULATION.top == top


def run_callback(size: int) -> None:
    """One that allocates so much, asking for room as compiled code does, and leaves it behind."""
    memory.begin()
    if EMULATION.top + size > EMULATION.limit:
        memory.more(word(size))
    EMULATION.allocate(size)
    EMULATION.dirty = 1
    memory.end()


def test_a_dirty_callback_stays_until_the_heap_has_grown() -> None:
    Heap(1)
    sizes = []
    for size in (1000, int(limits.growth()) - 1000, 8):
        run_callback(size)
        sizes.append(EMULATION.top - EMULATION.base)
    assert sizes == [1000, int(limits.growth()), 0]


def keep_blob(heap: Heap, size: int) -> None:
    """Let the only root hold an object of that size and nothing else."""
    node = Node(bytes(size))
    heap.place(node)
    heap.connect(EMULATION.roots[0], [node])


@pytest.mark.parametrize(("live", "goal"), [(0, 1.0), (0.4, 1.0), (0.6, 2.0), (2.1, 4.0), (100, 128.0)])
def test_the_goal_follows_what_lives_in_steps(live: float, goal: float) -> None:
    heap = Heap(1)
    run_callback(8)
    keep_blob(heap, int(live * int(limits.growth())))
    memory.collect()
    assert EMULATION.goal - EMULATION.base == goal * int(limits.growth())


def test_where_nearly_all_lives_it_is_not_collected_all_the_time() -> None:
    heap = Heap(1)
    run_callback(8)
    keep_blob(heap, int(limits.heap_most()) - 1000)
    memory.collect()
    assert EMULATION.goal - EMULATION.base > int(limits.heap_most())


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(8, 1 << 20), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_memory_hangs_on_the_largest_callback_and_not_on_their_order(
    sizes: list[int], random: random.Random
) -> None:
    def pages_after(rounds: int) -> int:
        Heap(1)
        for size in sizes:
            run_callback(size)
        for _ in range(rounds):
            run_callback(random.choice(sizes))
        memory.collect()
        return len(EMULATION.memory)

    assert pages_after(0) == pages_after(60)


def test_a_callback_has_a_ceiling() -> None:
    memory.begin()
    memory.more(word(int(limits.callback_most()) - 64))
    EMULATION.allocate(int(limits.callback_most()) - 64)
    memory.more(word(64))
    assert EMULATION.limit <= EMULATION.top + 64
    with pytest.raises(MemoryError):
        memory.more(word(72))


def test_what_is_said_of_a_failure_has_memory_of_its_own() -> None:
    memory.begin()
    memory.more(limits.callback_most())
    EMULATION.allocate(int(limits.callback_most()))
    memory.allow_more()
    assert EMULATION.limit == EMULATION.top + int(limits.failure_most())


def test_a_configuration_may_take_more_than_a_callback_and_leaves_callbacks_their_room() -> None:
    heap = Heap(1)
    run_callback(8)
    pages = len(EMULATION.memory)
    memory.begin_configuration()
    for _ in range(2):
        memory.more(limits.callback_most())
        EMULATION.allocate(int(limits.callback_most()))
    with pytest.raises(MemoryError):
        memory.more(limits.heap_most())
    keep_blob(heap, 1000)
    memory.end_configuration()
    assert EMULATION.top - EMULATION.base < 2000
    assert EMULATION.full - EMULATION.goal == limits.room_least()
    assert len(EMULATION.memory) > pages
    memory.begin()
    assert EMULATION.limit == EMULATION.mark + limits.room_least()
