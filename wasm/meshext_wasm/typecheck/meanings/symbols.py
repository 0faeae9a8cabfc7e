"""What a name can mean while a program is checked, and where all that is kept."""

from __future__ import annotations

import builtins as python
from dataclasses import dataclass, field
from enum import StrEnum

from meshext_wasm.tree.expressions import Expression, Literal
from meshext_wasm.tree.pickling import soon_read
from meshext_wasm.tree.program import Class, Field, Function, Global, Method, Module, Variable
from meshext_wasm.tree.types import ClassType, Type, TypeVariable
from meshext_wasm.typecheck.meanings.groups import Groups


class Kind(StrEnum):
    """How a parameter takes its argument."""

    POSITIONAL = "positional only"
    NORMAL = "normal"
    STAR = "*"
    KEYWORD = "keyword only"
    STARSTAR = "**"


@soon_read
@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as callers see it. `default` is a Constant, or a ReadGlobal that the module's body has
    filled; `type` is the item's for `*` (a tuple is passed) and `**` (a dict is passed)."""

    name: str
    type: Type
    kind: Kind = Kind.NORMAL
    default: Expression | None = None


@soon_read
@dataclass(frozen=True, slots=True)
class Signature:
    """Parameters without `self` or `cls`, in the order of the function's own."""

    parameters: tuple[Parameter, ...]
    result: Type


class Binding(StrEnum):
    """What a function of a class gets first."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "classmethod"
    STATIC = "staticmethod"
    PROPERTY = "property"


@dataclass(slots=True, eq=False)
class FunctionSymbol:
    """A function that is known by name.

    `method` is its place in the table where a subclass may override it. `value` is the local variable that
    holds the function value of a nested function. `owner` is the class it is written in. `setter` belongs to
    a property.
    """

    name: str
    function: Function
    signature: Signature
    binding: Binding = Binding.FUNCTION
    owner: ClassSymbol | None = None
    method: Method | None = None
    value: Variable | None = None
    setter: FunctionSymbol | None = None
    waits: bool = False


@dataclass(slots=True, eq=False)
class Overloads:
    """Functions of one name; the first one that takes the arguments is called."""

    name: str
    alternatives: tuple[FunctionSymbol, ...]


@dataclass(slots=True, eq=False)
class ClassSymbol:
    """A class: what its own body has; `find_member` and `find_field` look in its bases too.

    `base` has the base's arguments in terms of this class's parameters. `constructors` are the functions that
    make an instance of a built-in class or an enum; other classes are made and given to `__init__`. `open` is
    whether there is, or may be in a unit above, a class below it that overrides a method. `settled` are its
    fields that `__init__` always sets: reading them needs no test. `data_fields` are the parameters of a
    dataclass in order; `frozen`: nobody writes its fields afterwards; `named`: a NamedTuple of those fields.
    `protocol`: a Protocol of the program; `names` are those that the body of a program's class binds, of the
    class or its instances. `aliases` are members of a Flag that are not one bit.
    """

    cls: Class
    base: ClassType | None = None
    parameters: tuple[TypeVariable, ...] = ()
    fields: dict[str, Field] = field(default_factory=dict)
    members: dict[str, Symbol] = field(default_factory=dict)
    constructors: tuple[FunctionSymbol, ...] = ()
    open: bool = False
    abstract: bool = False
    settled: set[str] = field(default_factory=set)
    table_done: bool = False
    frozen: bool = False
    data_fields: tuple[str, ...] = ()
    named: bool = False
    protocol: bool = False
    names: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class ModuleSymbol:
    """A module of the program or of the library."""

    name: str
    module: Module
    names: dict[str, Symbol] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConstantSymbol:
    """A name of a module or class that has one literal value for good; `variable` holds it at run time."""

    value: Literal
    type: Type
    variable: Global


@dataclass(frozen=True, slots=True)
class AliasSymbol:
    """A name of a type that is no class."""

    type: Type


@dataclass(frozen=True, slots=True)
class RawSymbol:
    """A name of `meshext_wasm.library.raw`."""

    name: str


@dataclass(frozen=True, slots=True)
class SpecialSymbol:
    """A name that is no function of the library because the checker itself knows it: `isinstance`, `super`,
    `cast` of typing."""

    name: str


@dataclass(frozen=True, slots=True)
class MissingSymbol:
    """A name that an import should have given: what is wrong is reported there, and nothing that follows."""


Symbol = (
    Variable
    | Global
    | FunctionSymbol
    | Overloads
    | ClassSymbol
    | ModuleSymbol
    | ConstantSymbol
    | AliasSymbol
    | RawSymbol
    | SpecialSymbol
    | MissingSymbol
)


@dataclass(slots=True, eq=False)
class Program:
    """Everything that is declared so far: the library's modules and the program's own.

    Modules of the library go by their short names (`builtins.text`).
    """

    modules: dict[str, ModuleSymbol] = field(default_factory=dict)
    classes: dict[Class, ClassSymbol] = field(default_factory=dict)
    builtins: dict[str, Symbol] = field(default_factory=dict)
    patterns: dict[Global, Groups] = field(default_factory=dict)
    """Variables that are one pattern, written out, for good."""

    def class_symbol(self, cls: Class) -> ClassSymbol:
        """What is known of a class."""
        return self.classes[cls]

    def builtin(self, name: str, *, library: bool) -> Symbol | None:
        """A built-in name. Programs see those of Python; the library has more, such as `dict_keys`."""
        return self.builtins.get(name) if library or hasattr(python, name) else None

    def builtin_class(self, name: str) -> Class:
        """A built-in class by the name that programs use."""
        found = self.builtins[name]
        assert isinstance(found, ClassSymbol), name
        return found.cls

    def known_class(self, name: str) -> Class:
        """A class of the library's iteration module, such as `Iterable`."""
        found = self.modules["builtins.iteration"].names[name]
        assert isinstance(found, ClassSymbol), name
        return found.cls

    def known(self, symbol: str) -> FunctionSymbol:
        """A function that the compiler calls by its symbol, such as `builtins.objects.equal`."""
        found = self.find_known(symbol)
        assert found is not None, symbol
        return found

    def find_known(self, symbol: str) -> FunctionSymbol | None:
        """The same; None while the library does not have it."""
        name = symbol.rpartition(".")
        module = self.modules.get(name[0])
        found = module.names.get(name[2]) if module else None
        if isinstance(found, Overloads):
            found = found.alternatives[-1]
        return found if isinstance(found, FunctionSymbol) else None


def find_member(program: Program, symbol: ClassSymbol, name: str) -> Symbol | None:
    """What a class has under a name, its own or inherited; no fields."""
    owner: ClassSymbol | None = symbol
    while owner is not None:
        if name in owner.members:
            return owner.members[name]
        owner = program.class_symbol(owner.base.cls) if owner.base else None
    return None


def find_field(program: Program, symbol: ClassSymbol, name: str) -> tuple[ClassSymbol, Field] | None:
    """A slot of an instance and the class that has it."""
    owner: ClassSymbol | None = symbol
    while owner is not None:
        if name in owner.fields:
            return owner, owner.fields[name]
        owner = program.class_symbol(owner.base.cls) if owner.base else None
    return None
