"""Functions, classes, modules and variables of a checked program."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_wasm.tree.pickling import soon_read
from meshext_wasm.tree.statements import Statement
from meshext_wasm.tree.types import Rep, Type


@soon_read
@dataclass(frozen=True, slots=True)
class Loc:
    """A place in a source file; lines count from 1, columns in characters from 0, ends are exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True, eq=False)
class Variable:
    """A local variable or parameter of one function.

    `cell` is set where a closure shares it: then it lives in a cell on the heap. `checked` where a read may
    come before the first write: the read raises UnboundLocalError. `renewed` where it gets more
    than one cell.
    """

    name: str
    type: Type
    rep: Rep = Rep.VALUE
    cell: bool = False
    checked: bool = False
    renewed: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Global:
    """A variable of a module: a root of the collector. `symbol` is `module.name`."""

    symbol: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Resuming:
    """What a function that stops at each `yield` knows: the variable that holds the generator, the
    parameters of that, and its slots: where the function stopped, what it needs there, the item."""

    variable: Variable
    parameters: tuple[Variable, ...]
    place: Field
    kept: Field
    current: Field


@dataclass(slots=True, eq=False, repr=False)
class Function:
    """A function, method, lambda or module body.

    `symbol` is unique in the program: `module.Class.method`, `module.outer.<locals>.inner`. `captures` are
    the variables of enclosing functions that it shares, all with `cell` set; a function without captures can
    be called directly. `result` is NOTHING only for library functions annotated `-> None` with raw use.
    `host` is set for an import of the module from the proxy, `export` for a function that the proxy calls.
    `raises` is False only where the library declares `@nothrow`. `outside` marks library internals that a
    traceback leaves out. `resuming` is there where it runs from one `yield` to the next. `body` None: a host
    import or an intrinsic's declaration.
    """

    symbol: str
    loc: Loc
    parameters: list[Variable] = field(default_factory=list)
    result: Rep = Rep.VALUE
    result_type: Type | None = None
    locals: list[Variable] = field(default_factory=list)
    captures: list[Variable] = field(default_factory=list)
    body: list[Statement] | None = None
    host: str = ""
    export: str = ""
    raises: bool = True
    outside: bool = False
    resuming: Resuming | None = None


@dataclass(slots=True, eq=False)
class Method:
    """A virtual method: a place in the table of its class and every class below it."""

    name: str
    index: int
    owner: Class
    result: Rep = Rep.VALUE


@dataclass(slots=True, eq=False)
class Field:
    """A slot of an instance; slots of the base class come first."""

    name: str
    index: int
    type: Type


@dataclass(slots=True, eq=False, repr=False)
class Class:
    """A class. `kind`: `instance` (fixed slots), `array` (as many slots as the header says), `blob` (bytes).

    `methods` are the virtual ones it introduces, in the order of the table after its base's; `table` is the
    function for every place, inherited ones included. `functions` are all its functions by name.
    """

    symbol: str
    name: str
    loc: Loc
    base: Class | None
    kind: str = "instance"
    fields: list[Field] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)
    table: list[Function] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    type_parameters: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Module:
    """A checked module. `body` runs its statements once, at the start, after those of what it imports."""

    name: str
    file: str
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    body: Function | None = None


@dataclass(slots=True, eq=False)
class Unit:
    """What becomes one cached object or one program: modules in the order in which their bodies run.

    A unit may name functions, classes and globals of a unit below it (the program those of the library).
    """

    name: str
    modules: list[Module]
