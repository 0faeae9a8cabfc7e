"""The heap: one stretch of memory that grows upwards, given back or collected between callbacks.

A callback that stored no pointer into anything older (`heap.dirty` stayed 0) leaves nothing: the heap ends
where it did before. What others leave stays until it has passed the goal, then the live objects are copied
together (C. J. Cheney, A nonrecursive list compacting algorithm, 1970) behind the heap and the copy moves to
its start. No function of the program runs then, so the globals are the only roots.

How much memory there is follows from two numbers that have few values: the goal, which follows from what
lives, and the room behind it, which the largest callback so far needed. So it is there early and does not
creep up with every odd mixture of requests.
"""

from __future__ import annotations

from meshext_wasm.library.builtins.limits import callback_most, failure_most, growth, heap_most, room_least
from meshext_wasm.library.raw import (
    budget_charge,
    budget_set,
    heap_base,
    heap_dirty,
    heap_full,
    heap_goal,
    heap_limit,
    heap_mark,
    heap_set_dirty,
    heap_set_full,
    heap_set_goal,
    heap_set_limit,
    heap_set_mark,
    heap_set_top,
    heap_top,
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


def more(size: word) -> None:
    """Make room for so many bytes above the heap's top, or raise MemoryError."""
    end = heap_top() + size
    if size > heap_most() or end > find_ceiling() or not extend(end):
        # A loop that catches it over and over does nothing else that would end it soon: so many steps.
        budget_charge(word(10_000))
        raise FULL
    set_limit()
    if heap_limit() < end:
        heap_set_limit(end)


def find_ceiling() -> word:
    """Where the allocations of the callback must end; what runs when the module is loaded or configured may
    have all."""
    most = heap_base() + heap_most()
    ceiling = heap_mark() + callback_most()
    if heap_mark() < heap_base() or most < ceiling:
        return most
    return ceiling


def extend(end: word) -> bool:
    """Whether there is memory up to an address, after growing.

    A callback begins at the goal at most, so one that needs as much as this one fits wherever it begins. A
    configuration happens but once, and gets not much more than it needs.
    """
    if heap_goal() == word(0):
        heap_set_goal(heap_base() + growth())
    began = heap_mark()
    steps = word(0)
    if began < heap_base():
        began = heap_base()
        steps = word(2)
    room = room_least()
    while room < end - began:
        room = room + (room >> steps)
    full = heap_goal() + room
    if full > heap_base() + heap_most():
        full = heap_base() + heap_most()
    if full < end or not reserve(full):
        full = end
    if full > heap_full():
        if not reserve(full):
            return False
        heap_set_full(full)
    return True


def reserve(end: word) -> bool:
    """Whether there are pages up to an address, after growing."""
    pages = memory_pages()
    needed = (end + 0xFFFF) >> 16
    return needed <= pages or memory_grow(needed - pages) != 0xFFFFFFFF


def set_limit() -> None:
    """The callback may allocate as much as the largest one did, without asking."""
    full = heap_full()
    if heap_mark() < heap_base():
        heap_set_limit(full)
        return
    limit = heap_mark() + (full - heap_goal())
    heap_set_limit(limit if limit < full else full)


def begin() -> None:
    """The glue calls it before every callback."""
    heap_set_mark(heap_top())
    heap_set_dirty(0)
    set_limit()


def begin_configuration() -> None:
    """The glue calls it before it configures: without a mark, since a large configuration takes more than a
    callback may, and nothing of it can be given back without collecting."""
    heap_set_mark(word(0))
    heap_set_dirty(0)
    set_limit()


def end_configuration() -> None:
    """The glue calls it when it has configured. The room that took is not one that callbacks need."""
    if heap_top() > heap_goal():
        heap_set_full(heap_top())
        collect()
    full = heap_goal() + room_least()
    if heap_top() <= heap_goal() and full < heap_full():
        heap_set_full(full)


def allow_more() -> None:
    """The glue calls it when a callback failed: what it used up is not there for what is said of it."""
    end = heap_top() + failure_most()
    if reserve(end):
        heap_set_limit(end)


def end() -> None:
    """The glue calls it after every callback: give back what it allocated, or collect when it is time."""
    if heap_dirty() == 0:
        heap_set_top(heap_mark())
    elif heap_top() > heap_goal():
        collect()


def collect() -> None:
    """Keep what the globals reach and nothing else; nothing is done where there is no room for a copy."""
    budget_set(wide(1) << 62)
    base = heap_base()
    space = heap_top()
    if not reserve_copy(base, space):
        return
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
    set_goal(free - space)


def reserve_copy(base: word, space: word) -> bool:
    """Whether there is room for the copy behind the heap: as much as the heap may become, else as it is."""
    span = heap_full() - base
    if span < space - base:
        span = space - base
    return reserve(base + span + span) or reserve(space + (space - base))


def set_goal(live: word) -> None:
    """When to collect again: when half of what lives was left behind, `growth` at least. The goal stays where
    it is while half of that is free below it, so that it does not follow every little more or less."""
    wanted = growth()
    if live >> 1 > wanted:
        wanted = live >> 1
    before = heap_goal() - heap_base()
    if live + (wanted >> 1) <= before:
        return
    goal = in_steps(live + wanted)
    if goal > heap_most():
        goal = heap_most()
    # Collecting after every callback, where nearly all of the heap lives, would take longer than a hook may.
    if goal < live + (live >> 3):
        goal = live + (live >> 3)
    heap_set_goal(heap_base() + goal)
    full = heap_full() + (goal - before)
    if reserve(full):
        heap_set_full(full)
        reserve_copy(heap_base(), heap_top())


def in_steps(size: word) -> word:
    """`growth`, doubled so often that it is enough, or half of that and a half again."""
    step = growth()
    while step < size:
        if step + (step >> 1) >= size:
            return step + (step >> 1)
        step = step + step
    return step


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
