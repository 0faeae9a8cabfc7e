"""An object file as LLVM writes it: functions, data, symbols, and where addresses must be put in.

Source of the format: WebAssembly's tool conventions, "Linking". What our own back end never writes (COMDATs,
thread-locals, position independent code, exceptions, constructors) is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from meshext_wasm.link.encoding import PADDED, Reader, Signature, sections

TYPE, IMPORT, FUNCTION, ELEMENT, CODE, DATA, DATA_COUNT = 1, 2, 3, 9, 10, 11, 12
SEGMENT_INFO, SYMBOL_TABLE = 5, 8
WEAK, LOCAL, UNDEFINED, EXPLICIT_NAME, ABSOLUTE = 0x1, 0x2, 0x10, 0x40, 0x200


class SymbolKind(IntEnum):
    """What a symbol stands for."""

    FUNCTION = 0
    DATA = 1
    GLOBAL = 2
    SECTION = 3
    TAG = 4
    TABLE = 5


class Fix(IntEnum):
    """What a relocation puts in."""

    FUNCTION_INDEX_LEB = 0
    TABLE_INDEX_SLEB = 1
    TABLE_INDEX_I32 = 2
    MEMORY_ADDR_LEB = 3
    MEMORY_ADDR_SLEB = 4
    MEMORY_ADDR_I32 = 5
    TYPE_INDEX_LEB = 6
    GLOBAL_INDEX_LEB = 7
    TABLE_NUMBER_LEB = 20


FIXES = {int(each): each for each in Fix}
WITH_ADDEND = frozenset({Fix.MEMORY_ADDR_LEB, Fix.MEMORY_ADDR_SLEB, Fix.MEMORY_ADDR_I32})
FOUR_BYTES = frozenset({Fix.TABLE_INDEX_I32, Fix.MEMORY_ADDR_I32})


@dataclass(slots=True)
class Relocation:
    """At `offset` of its code or segment comes what `fix` says of symbol (or type) `index`."""

    fix: Fix
    offset: int
    index: int
    addend: int


@dataclass(slots=True, eq=False)
class Code:
    """A function: its type, locals and instructions without the size in front.

    `packed` are its relocations as PACKED: most are never looked at.
    """

    signature: Signature
    body: bytes
    packed: bytes = b""

    @property
    def relocations(self) -> list[Relocation]:
        """What has to be put in, in the order of the places."""
        return unpacked(self.packed)


@dataclass(slots=True, eq=False)
class Segment:
    """A piece of data that lives or dies as a whole; `alignment` in bytes, `packed` as of a function."""

    name: str
    alignment: int
    data: bytes
    packed: bytes = b""

    @property
    def relocations(self) -> list[Relocation]:
        """What has to be put in, in the order of the places."""
        return unpacked(self.packed)


PACKED = struct.Struct("<IBIi")
PLACES = struct.Struct("<I9s")
"""The same as an offset and what stands there."""
PLACED = struct.Struct("<BIi")
"""What stands there."""


def unpacked(packed: bytes) -> list[Relocation]:
    """Relocations of a function or segment."""
    return [
        Relocation(FIXES[fix], offset, index, addend)
        for offset, fix, index, addend in PACKED.iter_unpack(packed)
    ]


WIDTHS = {fix.value: 4 if fix in FOUR_BYTES else PADDED for fix in Fix}
"""Bytes that one of PLACES overwrites, by the first byte of what stands there."""


def places_of(raw: bytes, packed: bytes) -> list[tuple[int, bytes, bytes]]:
    """Offset, what stands there, and a name for it: that behind the byte before it, which tells a call. What
    has the same name comes to the same in all code of an object."""
    return [(offset, what, raw[offset - 1 : offset] + what) for offset, what in PLACES.iter_unpack(packed)]


def relocation_of(offset: int, what: bytes) -> Relocation:
    """One of PLACES."""
    fix, index, addend = PLACED.unpack(what)
    return Relocation(FIXES[fix], offset, index, addend)


@dataclass(slots=True, eq=False)
class Symbol:
    """`index` is a function's (imports first) or a segment's; `offset` lies in the segment.

    Nobody changes one, but there are thousands, and frozen ones are slow to read from the cache.
    """

    kind: SymbolKind
    name: str
    flags: int
    index: int = 0
    offset: int = 0

    @property
    def defined(self) -> bool:
        """Whether its object has it."""
        return not self.flags & UNDEFINED


@dataclass(slots=True)
class ObjectFile:
    """One object. Function `i` is `imports[i]`, or `functions[i - len(imports)]`."""

    source: str
    types: list[Signature] = field(default_factory=list)
    imports: list[tuple[str, Signature]] = field(default_factory=list)
    functions: list[Code] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)

    def signature_of(self, symbol: Symbol) -> Signature:
        """The type of a function, defined here or only named."""
        own = symbol.index - len(self.imports)
        return self.functions[own].signature if own >= 0 else self.imports[symbol.index][1]


Place = tuple[int, Code | Segment]
"""Where a function or segment begins in the contents of its section."""


def parse_object(data: bytes, *, source: str) -> ObjectFile:
    """Read an object. LinkError for what is none, or has what our back end does not write."""
    found = ObjectFile(source)
    places: dict[str, list[Place]] = {"reloc.CODE": [], "reloc.DATA": []}
    declared: list[int] = []
    linked = False
    for kind, name, reader in sections(data, source=source):
        if kind == TYPE:
            found.types = [reader.signature() for _ in range(reader.unsigned())]
        elif kind == IMPORT:
            parse_imports(found, reader)
        elif kind == FUNCTION:
            declared = [reader.unsigned() for _ in range(reader.unsigned())]
        elif kind == CODE:
            places["reloc.CODE"] = parse_code(found, reader, declared)
        elif kind == DATA:
            places["reloc.DATA"] = parse_data(found, reader)
        elif name == "linking":
            parse_linking(found, reader)
            linked = True
        elif name in places:
            parse_relocations(reader, places[name])
        elif kind not in (0, ELEMENT, DATA_COUNT):
            raise reader.broken(f"a section {kind} that an object of ours does not have")
    if not linked:
        raise Reader(data, source=source).broken("no linking section, so no object")
    return found


def parse_imports(found: ObjectFile, reader: Reader) -> None:
    """Functions that the object only names; memory, table and stack pointer come by symbols."""
    for _ in range(reader.unsigned()):
        reader.name()
        name = reader.name()
        kind = reader.byte()
        if kind == 0:
            found.imports.append((name, found.types[reader.unsigned()]))
        elif kind in (1, 2):
            reader.take(kind == 1)
            limits = reader.byte()
            for _ in range(1 + (limits & 1)):
                reader.unsigned()
        elif kind == 3:
            reader.take(2)
        else:
            raise reader.broken(f"an import of kind {kind}")


def parse_code(found: ObjectFile, reader: Reader, declared: list[int]) -> list[Place]:
    """The functions' bodies."""
    start = reader.at
    places: list[Place] = []
    for number in range(reader.unsigned()):
        size = reader.unsigned()
        code = Code(found.types[declared[number]], b"")
        places.append((reader.at - start, code))
        code.body = reader.take(size)
        found.functions.append(code)
    return places


def parse_data(found: ObjectFile, reader: Reader) -> list[Place]:
    """The segments' bytes; their names come with the symbols."""
    start = reader.at
    places: list[Place] = []
    for _ in range(reader.unsigned()):
        if reader.unsigned() != 0 or reader.byte() != 0x41:
            raise reader.broken("a segment without a plain address")
        reader.signed()
        reader.byte()
        size = reader.unsigned()
        segment = Segment("", 1, b"")
        places.append((reader.at - start, segment))
        segment.data = reader.take(size)
        found.segments.append(segment)
    return places


def parse_linking(found: ObjectFile, reader: Reader) -> None:
    """Symbols, and names and alignment of segments."""
    if reader.unsigned() != 2:
        raise reader.broken("a linking section of another version than 2")
    while reader.at < reader.end:
        kind = reader.byte()
        part = reader.part(reader.unsigned())
        if kind == SYMBOL_TABLE:
            found.symbols = [parse_symbol(found, part) for _ in range(part.unsigned())]
        elif kind == SEGMENT_INFO:
            part.unsigned()
            for segment in found.segments:
                segment.name = part.name()
                segment.alignment = 1 << part.unsigned()
                part.unsigned()
        else:
            raise part.broken(f"linking information {kind} (constructors or COMDATs)")


def parse_symbol(found: ObjectFile, reader: Reader) -> Symbol:
    """An entry of the symbol table."""
    kind = SymbolKind(reader.byte())
    flags = reader.unsigned()
    if kind is SymbolKind.DATA:
        name = reader.name()
        if flags & UNDEFINED:
            return Symbol(kind, name, flags)
        index, offset = reader.unsigned(), reader.unsigned()
        reader.unsigned()
        return Symbol(kind, name, flags, index, offset)
    index = reader.unsigned()
    if kind is SymbolKind.SECTION:
        return Symbol(kind, "", flags, index)
    if flags & UNDEFINED and not flags & EXPLICIT_NAME:
        name = found.imports[index][0] if kind is SymbolKind.FUNCTION else ""
        return Symbol(kind, name, flags, index)
    return Symbol(kind, reader.name(), flags, index)


def parse_relocations(reader: Reader, places: list[Place]) -> None:
    """Give every function and segment its relocations, which come in the order of their offsets."""
    reader.unsigned()
    number = -1
    for _ in range(reader.unsigned()):
        fix = reader.byte()
        if fix not in FIXES:
            raise reader.broken(f"a relocation of kind {fix}")
        offset, index = reader.unsigned(), reader.unsigned()
        addend = reader.signed() if fix in WITH_ADDEND else 0
        while number + 1 < len(places) and places[number + 1][0] <= offset:
            number += 1
        start, target = places[number]
        target.packed += PACKED.pack(offset - start, fix, index, addend)
