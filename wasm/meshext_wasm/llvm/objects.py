"""Objects: their class, their slots, new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from meshext_wasm.llvm.names import FALSE, NONE, TRUE, UNSET, at
from meshext_wasm.llvm.numbers import Emit
from meshext_wasm.llvm.outer import HELPER
from meshext_wasm.llvm.writer import OTHER_MEMORY, Writer
from meshext_wasm.tree import known
from meshext_wasm.tree.types import Rep

V, W, D, B, N = Rep.VALUE, Rep.WORD, Rep.WIDE, Rep.BOOL, Rep.NOTHING
HEADER, SLOT = 8, 8
COUNT = 4
"""Where the number of slots stands."""
OPEN = 1 << 31
KEYED = 1 << 30
FEW, FEW_COMPACT = 16, 3
"""Slots of a new instance that are written one by one."""
TESTED = "tested:"
UPPER = 12
"""Where the upper half of the first slot lies: the address of a class value, the place of a function."""


def is_pointer(writer: Writer, value: str) -> str:
    """Whether a value is the address of an object."""
    low = writer.let(f"and i64 {value}, 7")
    aligned = writer.let(f"icmp eq i64 {low}, 0")
    some = writer.let(f"icmp ne i64 {value}, {NONE}")
    return writer.let(f"and i1 {aligned}, {some}")


def class_of(writer: Writer, value: str) -> str:
    """The descriptor of any value."""
    pointer, immediate, done = writer.label("object"), writer.label("immediate"), writer.label("class")
    writer.branch(is_pointer(writer, value), pointer, immediate)
    writer.start(pointer)
    loaded = writer.load("i32", writer.address(value))
    writer.jump(done)
    writer.start(immediate)
    known_ = writer.call(f"{HELPER}immediate_class", W, [V], [value])
    writer.jump(done)
    writer.start(done)
    return writer.let(f"phi i32 [ {loaded}, %{pointer} ], [ {known_}, %{immediate} ]")


def is_below(writer: Writer, descriptor: str, above: str) -> str:
    """Whether a class is another or below it; most often it is the same."""
    deeper, done, came = writer.label("deeper"), writer.label("below"), writer.block
    same = writer.let(f"icmp eq i32 {descriptor}, {above}")
    writer.branch(same, done, deeper)
    writer.start(deeper)
    found = writer.call(f"{HELPER}is_below", B, [W, W], [descriptor, above])
    writer.jump(done)
    writer.start(done)
    return writer.let(f"phi i1 [ true, %{came} ], [ {found}, %{deeper} ]")


def descriptor(writer: Writer, symbol: str) -> str:
    """The address of a class's descriptor."""
    return writer.let(f"ptrtoint ptr {writer.outer.datum(f'class:{symbol}')} to i32")


def tested(writer: Writer, symbol: str) -> str:
    """The same for a test, by a symbol that does not tell the linker of instances. It has no address that
    LLVM may take for another than that of the class's own symbol."""
    name = writer.outer.datum(f"{TESTED}{symbol}", "i8", "unnamed_addr ")
    return writer.let(f"ptrtoint ptr {name} to i32")


def is_small(writer: Writer, value: str) -> str:
    """Whether a value is a small int."""
    return writer.let(f"trunc i64 {value} to i1")


def equals(number: int) -> Callable[[Writer, str], str]:
    """Whether a value is this immediate."""
    return lambda writer, value: writer.let(f"icmp eq i64 {value}, {number}")


def is_bool(writer: Writer, value: str) -> str:
    """Whether a value is True or False."""
    either = writer.let(f"and i64 {value}, {~(TRUE ^ FALSE)}")
    return writer.let(f"icmp eq i64 {either}, {FALSE}")


def is_int(writer: Writer, value: str) -> str:
    """Whether a value is an int that stands in itself, or a bool."""
    return writer.let(f"or i1 {is_small(writer, value)}, {is_bool(writer, value)}")


IMMEDIATES: dict[str, Callable[[Writer, str], str]] = {
    known.NONE: equals(NONE),
    known.BOOL: is_bool,
    known.INT: is_int,
}
"""The classes of immediate values; `object` stands above all."""


def is_instance(writer: Writer, value: str, classes: Sequence[str]) -> str:
    """Whether a value's class is one of these or below one."""
    if known.OBJECT in classes:
        return "true"
    tests = [IMMEDIATES[each](writer, value) for each in classes if each in IMMEDIATES]
    found = tests[0] if tests else "false"
    for each in tests[1:]:
        found = writer.let(f"or i1 {found}, {each}")
    objects = [each for each in classes if each not in (known.NONE, known.BOOL)]
    if not objects:
        return found
    ask, done, came = writer.label("ask"), writer.label("known"), writer.block
    pointer = is_pointer(writer, value)
    writer.branch(pointer, ask, done)
    writer.start(ask)
    own = writer.load("i32", writer.address(value))
    below = "false"
    for each in objects:
        test = is_below(writer, own, tested(writer, each))
        below = writer.let(f"or i1 {below}, {test}")
    asked = writer.block
    writer.jump(done)
    writer.start(done)
    return writer.let(f"phi i1 [ {found}, %{came} ], [ {below}, %{asked} ]")


def note_write(writer: Writer, holder: str, value: str) -> None:
    """Where something old is written, let the run-time see whether it now points to something new."""
    old = writer.let(f"icmp ult i32 {holder}, {writer.read('mark')}")
    look, on = writer.label("look"), writer.label("on")
    writer.branch(old, look, on, likely=False)
    writer.start(look)
    note_new(writer, value)
    writer.jump(on)
    writer.start(on)


def note_new(writer: Writer, value: str) -> None:
    """Set `dirty` where a value is an object above the mark: then a callback's memory must stay."""
    writer.call(f"{HELPER}note", N, [V], [value])


def slot(writer: Writer, array: str, index: str) -> str:
    """The address of a slot that is known by number only at run time."""
    offset = writer.let(f"shl i32 {index}, 3")
    return writer.let(f"add i32 {writer.address(array)}, {offset}")


def array_get(writer: Writer, array: str, index: str) -> str:
    """A slot."""
    return writer.load("i64", slot(writer, array, index), HEADER)


def array_set(writer: Writer, array: str, index: str, value: str) -> str:
    """Write a slot."""
    writer.store("i64", value, slot(writer, array, index), HEADER)
    note_write(writer, writer.address(array), value)
    return ""


def read_slot(writer: Writer, subject: str, index: int) -> str:
    """A slot of an instance."""
    return writer.load("i64", writer.address(subject), HEADER + SLOT * index)


def write_slot(writer: Writer, subject: str, index: int, value: str, *, barrier: bool) -> None:
    """Write a slot of an instance."""
    address = writer.address(subject)
    writer.store("i64", value, address, HEADER + SLOT * index)
    if barrier:
        note_write(writer, address, value)


def allocate(writer: Writer, size: int, cls: str, meta: int, error: str | None, *, cold: bool = False) -> str:
    """A new object of a size that is known, its header written; the WORD of its address."""
    arguments = [str(size), descriptor(writer, cls), str(meta)]
    address = writer.call(f"{HELPER}allocate", W, [W, W, W], arguments, cold=cold)
    if error is not None:
        writer.leave_if(writer.let(f"icmp eq i32 {address}, 0"), error)
    return address


def allocate_inline(writer: Writer, size: int, cls: str, meta: int, error: str | None) -> str:
    """The same without a call where there is room."""
    top = writer.read("top")
    after = writer.let(f"add i32 {top}, {size}")
    fits = writer.let(f"icmp ule i32 {after}, {writer.read('limit')}")
    bump, full, on = writer.label("bump"), writer.label("full"), writer.label("new")
    writer.branch(fits, bump, full, likely=True)
    writer.start(full)
    other = allocate(writer, size, cls, meta, error, cold=True)
    came = writer.block
    writer.jump(on)
    writer.start(bump)
    writer.write("top", after)
    header = writer.let(f"or i64 {as_value(writer, descriptor(writer, cls))}, {meta << 32}")
    writer.store("i64", header, top)
    writer.jump(on)
    writer.start(on)
    return writer.let(f"phi i32 [ {top}, %{bump} ], [ {other}, %{came} ]")


def as_value(writer: Writer, address: str) -> str:
    """The VALUE of an object at a WORD."""
    return writer.let(f"zext i32 {address} to i64")


def new_slots(writer: Writer, cls: str, slots: int, values: Mapping[int, str], error: str | None) -> str:
    """A new object; these of its slots are written."""
    make = allocate if writer.outer.compact else allocate_inline
    address = make(writer, HEADER + SLOT * slots, cls, slots, error)
    for index, value in values.items():
        writer.store("i64", value, address, HEADER + SLOT * index)
    return as_value(writer, address)


def new_instance(writer: Writer, cls: str, slots: int, unset: Sequence[int], error: str | None) -> str:
    """A new instance, some slots unset."""
    if len(unset) > (FEW_COMPACT if writer.outer.compact else FEW):
        value = writer.call(f"{HELPER}instance_new", V, [W], [descriptor(writer, cls)])
        if error is not None:
            writer.leave_if(writer.let(f"icmp eq i64 {value}, 0"), error)
        return value
    return new_slots(writer, cls, slots, dict.fromkeys(unset, str(UNSET)), error)


def box(writer: Writer, value: str, error: str | None) -> str:
    """A float object."""
    address = allocate_inline(writer, HEADER + 8, known.FLOAT, 8, error)
    writer.store("double", value, address, HEADER)
    return as_value(writer, address)


def new_closure(writer: Writer, symbol: str, cells: Sequence[str], error: str | None) -> str:
    """A function value with cells; the upper half of its first slot is the place in the table."""
    place = writer.let(f"ptrtoint ptr {at(f'fn:{symbol}')} to i64")
    upper = writer.let(f"shl i64 {place}, 32")
    values = dict(enumerate([writer.let(f"or i64 {upper}, 1"), *cells]))
    return new_slots(writer, known.FUNCTION, len(values), values, error)


def mark_container(bit: int) -> Emit:
    """Set one of the highest bits of an instance's count of slots: eight times the count stays what it is."""

    def emit(writer: Writer, value: str) -> str:
        address = writer.address(value)
        count = writer.load("i32", address, COUNT)
        writer.store("i32", writer.let(f"or i32 {count}, {bit}"), address, COUNT)
        return ""

    return emit


def is_open(writer: Writer, value: str) -> str:
    """Whether a container is marked as open."""
    return writer.let(f"icmp slt i32 {writer.load('i32', writer.address(value), COUNT)}, 0")


def is_keyed(writer: Writer, value: str) -> str:
    """Whether a dict is marked as one of keys that are text; an open one is."""
    return writer.let(f"icmp uge i32 {writer.load('i32', writer.address(value), COUNT)}, {KEYED}")


def read_global(writer: Writer, symbol: str) -> str:
    """A variable of a module."""
    return writer.let(f"load i64, ptr {writer.outer.datum(f'global:{symbol}', 'i64')}, {OTHER_MEMORY}")


def write_global(writer: Writer, symbol: str, value: str) -> None:
    """Change a variable of a module."""
    writer.emit(f"store i64 {value}, ptr {writer.outer.datum(f'global:{symbol}', 'i64')}, {OTHER_MEMORY}")
    note_new(writer, value)


def helper(name: str, gives: Rep, *takes: Rep) -> Emit:
    """A call of a function of the run-time that raises nothing."""
    return lambda writer, *operands: writer.call(f"{HELPER}{name}", gives, takes, operands)


OBJECTS: dict[str, Emit] = {
    "value.is": lambda writer, a, b: writer.let(f"icmp eq i64 {a}, {b}"),
    "value.bits": lambda _, a: a,
    "value.from_bits": lambda _, a: a,
    "value.address": lambda writer, a: writer.address(a),
    "value.at": as_value,
    "value.is_pointer": is_pointer,
    "value.open": mark_container(OPEN),
    "value.is_open": is_open,
    "value.key": mark_container(KEYED),
    "value.is_keyed": is_keyed,
    "int.is_small": is_small,
    "int.small": lambda writer, a: writer.let(f"ashr i64 {a}, 1"),
    "int.tag": lambda writer, a: writer.let(f"or i64 {writer.let(f'shl i64 {a}, 1')}, 1"),
    "class.of": class_of,
    "class.descriptor": lambda writer, a: writer.load("i32", writer.address(a), UPPER),
    "class.is_below": is_below,
    "array.length": lambda writer, a: writer.load("i32", writer.address(a), 4),
    "array.get": array_get,
    "array.set": array_set,
    "guard.call": helper("guard_call", V, V),
    "guard.taken": lambda writer: writer.let(
        f"load i64, ptr {writer.outer.datum('state:taken', 'i64')}, {OTHER_MEMORY}"
    ),
    "stack.reset": helper("stack_reset", N),
    "trace.count": lambda writer: writer.read("sites"),
    "trace.site": helper("trace_site", W, W),
}

RAISING: dict[str, tuple[str, Rep, tuple[Rep, ...]]] = {
    "array.new": ("array_new", V, (W, W)),
    "blob.new": ("blob_new", V, (W, W)),
    "instance.new": ("instance_new", V, (W,)),
}
"""What functions of the run-time do that may raise."""
