"""The heap: one stretch of memory that grows upwards, given back or collected between callbacks.

A callback that stored no pointer into anything older (`heap.dirty` stayed 0) leaves nothing: the heap ends
where it did before. What others leave stays until it has grown enough, then the live objects are copied
together (C. J. Cheney, A nonrecursive list compacting algorithm, 1970) behind the heap and the copy moves to
its start. No function of the program runs then, so the globals are the only roots.
"""

from __future__ import annotations

from meshext_wasm.library.builtins.limits import CALLBACK_MOST, FAILURE_MOST, GROWTH, HEAP_MOST
from meshext_wasm.library.raw import (
    budget_charge,
    budget_set,
    heap_base,
    heap_dirty,
    heap_set_dirty,
    heap_set_limit,
    heap_set_mark,
    heap_set_top,
    heap_top,
    int_is_small,
    load32,
    load64,
    memory_copy,
    memory_grow,
    memory_pages,
    roots_end,
    roots_start,
    store32,
    store64,
    wide,
    word,
)

FULL = MemoryError()
REFUSED = 10_000  # steps that a refused allocation counts for
START = 0  # where the heap ended when the callback began
CEILING = 0  # where its allocations must end; 0 outside callbacks
LIVE = 0  # where the heap ended after the last collection


def more(size: word) -> None:
    """Make room for so many bytes above the heap's top, or raise MemoryError."""
    top = heap_top()
    # Before this module's body has run its globals have no value.
    ceiling = heap_base() + 0x08000000
    if int_is_small(CEILING) and CEILING > 0:
        ceiling = word(CEILING)
    if size > 0x08000000 or top + size > ceiling or not reserve(top + size):
        # A loop that catches it over and over does nothing else that would end it soon.
        budget_charge(word(REFUSED))
        raise FULL
    set_limit(ceiling)


def reserve(end: word) -> bool:
    """Whether there are pages up to an address, after growing."""
    pages = memory_pages()
    needed = (end + 0xFFFF) >> 16
    return needed <= pages or memory_grow(needed - pages) != 0xFFFFFFFF


def set_limit(ceiling: word) -> None:
    """Allocation goes on up to the last page, but not beyond the ceiling."""
    end = memory_pages() << 16
    heap_set_limit(end if end < ceiling else ceiling)


def begin() -> None:
    """The glue calls it before every callback."""
    global START, CEILING
    top = heap_top()
    START = int(top)
    CEILING = int(heap_base()) + HEAP_MOST
    if START + CALLBACK_MOST < CEILING:
        CEILING = START + CALLBACK_MOST
    heap_set_mark(top)
    heap_set_dirty(0)
    set_limit(word(CEILING))


def allow_more() -> None:
    """The glue calls it when a callback failed: what it used up is not there for what is said of it."""
    global CEILING
    CEILING += FAILURE_MOST
    set_limit(word(CEILING))


def end() -> None:
    """The glue calls it after every callback: give back what it allocated, or collect when it is time."""
    global CEILING
    CEILING = 0
    if heap_dirty() == 0:
        heap_set_top(word(START))
        return
    live = max(LIVE, int(heap_base()))
    if int(heap_top()) - live > max(GROWTH, (live - int(heap_base())) // 2):
        collect()


def collect() -> None:
    """Keep what the globals reach and nothing else. MemoryError, and nothing done, where there is no room."""
    global LIVE
    budget_set(wide(1) << 62)
    base = heap_base()
    space = heap_top()
    if not reserve(space + (space - base)):
        raise FULL
    free = space
    slot = roots_start()
    while slot < roots_end():
        free = forward(slot, free, space)
        slot = slot + 8
    scan = space
    while scan < free:
        slots = scan + 8
        scan = scan + bytes_of(scan)
        if load32(load32(slots - 8) + 16) != 2:
            while slots < scan:
                free = forward(slots, free, space)
                slots = slots + 8
    memory_copy(base, space, free - space)
    heap_set_top(base + (free - space))
    heap_set_dirty(0)
    LIVE = int(heap_top())


def bytes_of(address: word) -> word:
    """Size of an object, by the kind that its descriptor says."""
    meta = load32(address + 4)
    if load32(load32(address) + 16) == 2:
        return (meta + 15) & 0xFFFFFFF8
    return meta * 8 + 8


def forward(slot: word, free: word, space: word) -> word:
    """Let a slot point to where its object will be, copying that behind `free` when it is the first; the new
    `free`. A moved object has its new address in place of its descriptor, which is below the heap."""
    bits = load64(slot)
    address = word(bits)
    if (bits & 7) != 0 or address < heap_base():
        return free
    if load32(address) >= heap_base():
        store64(slot, wide(load32(address)))
        return free
    size = bytes_of(address)
    memory_copy(free, address, size)
    target = heap_base() + (free - space)
    store32(address, target)
    store64(slot, wide(target))
    return free + size
