"""Third step: aliases and type parameters of modules, bases and parameters of classes."""

from __future__ import annotations

import ast

from meshext_wasm.tree.program import Global
from meshext_wasm.tree.types import ClassType, Type, TypeVariable
from meshext_wasm.typecheck.declarations.annotations import is_type_expression, says_alias, to_type, unquoted
from meshext_wasm.typecheck.declarations.declare import decorator_names, statements
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Site
from meshext_wasm.typecheck.meanings.generics import rebuild
from meshext_wasm.typecheck.meanings.symbols import AliasSymbol, ClassSymbol, MissingSymbol, SpecialSymbol
from meshext_wasm.typecheck.meanings.unions import join

BLOBS = frozenset("int float str bytes".split())
ARRAYS = frozenset("tuple array cell function".split())
ENUMS = frozenset("Enum IntEnum StrEnum Flag IntFlag".split())
MIXED = {"str": "TextEnum", "int": "NumberEnum"}
CLASS_DECORATORS = frozenset("total_ordering builtin dataclass final unique runtime_checkable".split())


def declare_aliases(declared: Declared, site: Site, *, variables: bool) -> None:
    """Assignments of a module that name a type; at first only type variables and other names of classes, as
    nothing more is needed to know the parameters of classes."""
    for node in statements(site.source.tree.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                if not says_alias(site, annotation):
                    continue
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    value = unquoted(value, value.value)
            case _:
                continue
        if not isinstance(site.module.names.get(name), Global):
            continue
        symbol = site.symbol_of(value) if isinstance(value, ast.Name | ast.Attribute) else None
        if isinstance(symbol, ClassSymbol):
            forget_variable(declared, site, name)
            site.module.names[name] = symbol
            continue
        type_ = alias_type(site, name, value) if variables is isinstance(value, ast.Call) else None
        if type_ is not None:
            forget_variable(declared, site, name)
            site.module.names[name] = AliasSymbol(type_)


def alias_type(site: Site, name: str, value: ast.expr) -> Type | None:
    """The type that an assignment names; None where it is an ordinary one."""
    if isinstance(value, ast.Call):
        symbol = site.symbol_of(value.func)
        if isinstance(symbol, SpecialSymbol) and symbol.name in ("TypeVar", "ParamSpec"):
            if symbol.name == "ParamSpec" and not site.is_library:
                site.report(value, "parameters of functions as a type parameter", "Callable[[X], Y]")
            bound = next((each.value for each in value.keywords if each.arg == "bound"), None)
            if bound is not None:
                return TypeVariable(name, to_type(site, bound))
            ways = [to_type(site, each) for each in value.args[1:]]
            return TypeVariable(name, join(site.program, *ways) if ways else None)
        return None
    return to_type(site, value) if is_type_expression(site, value) else None


def forget_variable(declared: Declared, site: Site, name: str) -> None:
    """A name of a type is no variable."""
    variable = site.module.names.get(name)
    if isinstance(variable, Global):
        site.module.module.globals.remove(variable)
        declared.inferred[site.module.name].discard(variable)


def bind_bases(declared: Declared, work: ClassWork) -> None:
    """The base of a class, those of its base first."""
    if work.bound:
        return
    work.bound = True
    site, node, symbol = work.outer, work.node, work.symbol
    check_header(work)
    bases = [each for each in node.bases if not is_marker(work, each)]
    mixed = mixed_name(site, bases)
    if len(bases) > 1 and not mixed:
        site.report(bases[1], "a second base class", "one base; what the other has in a field")
    base = read_base(declared, work, bases[0]) if bases and not mixed else default_base(work)
    if mixed:
        base = enum_base(work, node, mixed)
    if base is not None:
        symbol.base = base
        symbol.cls.base = base.cls
    generic = next((each for each in node.bases if is_generic(work, each)), None)
    named: list[Type] = [base] if base is not None else []
    if isinstance(generic, ast.Subscript):
        parts = generic.slice.elts if isinstance(generic.slice, ast.Tuple) else [generic.slice]
        named = [each for each in (to_type(site, part) for part in parts) if isinstance(each, TypeVariable)]
    symbol.parameters = tuple(variables_in(named))
    symbol.cls.type_parameters = tuple(each.name for each in symbol.parameters)
    symbol.cls.kind = kind_of(work)


def mixed_name(site: Site, bases: list[ast.expr]) -> str:
    """What `class X(str, Enum)` or `class X(int, Enum)` is below; "" for any other bases."""
    symbols = [site.symbol_of(each) for each in bases]
    if len(symbols) != 2 or not isinstance(symbols[1], SpecialSymbol) or symbols[1].name != "Enum":
        return ""
    first = next((name for name in MIXED if site.program.builtins.get(name) is symbols[0]), "")
    return MIXED.get(first, "")


def variables_in(types: list[Type]) -> list[TypeVariable]:
    """The type parameters in types, in order, each once."""
    found: dict[str, TypeVariable] = {}

    def note(variable: TypeVariable) -> Type:
        found.setdefault(variable.name, variable)
        return variable

    for each in types:
        rebuild(each, note)
    return list(found.values())


def check_header(work: ClassWork) -> None:
    """Decorators and keywords of a class."""
    for keyword in work.node.keywords:
        hint = "a plain class, or a decorator's work in a function"
        work.outer.report(keyword.value, f"{keyword.arg or '**'}= in the head of a class", hint)
    for name, each in zip(decorator_names(work.node), work.node.decorator_list, strict=True):
        known = work.outer.symbol_of(each.func if isinstance(each, ast.Call) else each)
        if name not in CLASS_DECORATORS or (known is None and name != "builtin"):
            work.outer.report(each, f"the class decorator {name} is not in the language", "a plain class")


def is_generic(work: ClassWork, node: ast.expr) -> bool:
    """`Generic[T]`."""
    if not isinstance(node, ast.Subscript):
        return False
    symbol = work.outer.symbol_of(node.value)
    return isinstance(symbol, SpecialSymbol) and symbol.name in ("Generic", "Protocol")


def is_marker(work: ClassWork, node: ast.expr) -> bool:
    """Bases that are no class of the program: Generic, ABC, Protocol."""
    if is_generic(work, node):
        assert isinstance(node, ast.Subscript)
        if is_protocol(work, node.value):
            work.outer.report(node, "a Protocol with type parameters", "a Protocol for each type")
        return True
    symbol = work.outer.symbol_of(node)
    work.symbol.protocol = work.symbol.protocol or is_protocol(work, node)
    if isinstance(symbol, SpecialSymbol) and symbol.name == "NamedTuple":
        work.symbol.named = True
        return True
    return isinstance(symbol, SpecialSymbol) and symbol.name in ("ABC", "Protocol", "Generic")


def is_protocol(work: ClassWork, node: ast.expr) -> bool:
    """Whether a base makes a Protocol of a program's class."""
    symbol = work.outer.symbol_of(node)
    named = isinstance(symbol, SpecialSymbol) and symbol.name == "Protocol"
    return named and not work.outer.is_library


def read_base(declared: Declared, work: ClassWork, node: ast.expr) -> ClassType | None:
    """The base class, with its own base bound."""
    site = work.outer
    symbol = site.symbol_of(node.value if isinstance(node, ast.Subscript) else node)
    if isinstance(symbol, SpecialSymbol) and symbol.name in ENUMS:
        return enum_base(work, node, symbol.name)
    if isinstance(symbol, MissingSymbol):
        return default_base(work)
    if not isinstance(symbol, ClassSymbol):
        known = "is no class" if symbol is not None else "is not known here"
        site.report(node, f"{ast.unparse(node)} {known}", "a class of the program or the library")
        return default_base(work)
    inner = next((each for each in declared.classes.values() if each.symbol is symbol), None)
    if inner is not None:
        if inner is work or (inner.bound and inner.symbol.base is None and not is_object(inner)):
            site.report(node, "classes are each other's bases", "one of them without a base")
            return default_base(work)
        bind_bases(declared, inner)
    builtin = symbol.cls.symbol.startswith("builtins.") and not symbol.cls.symbol.startswith("builtins.exc")
    if builtin and not site.is_library and symbol is not site.program.builtins.get("object"):
        site.report(
            node, f"a class below {symbol.cls.name}", f"a class with a field that is a {symbol.cls.name}"
        )
        return default_base(work)
    if isinstance(node, ast.Subscript) or not symbol.parameters:
        base = to_type(site, node) if isinstance(node, ast.Subscript) else ClassType(symbol.cls)
        return base if isinstance(base, ClassType) else default_base(work)
    base = to_type(site, node)
    return base if isinstance(base, ClassType) else default_base(work)


def enum_base(work: ClassWork, node: ast.expr | ast.ClassDef, name: str) -> ClassType | None:
    """The library's class behind an Enum."""
    module = work.outer.program.modules.get("builtins.enums")
    found = module.names.get(name) if module is not None else None
    if isinstance(found, ClassSymbol):
        return ClassType(found.cls)
    work.outer.report(node, f"{name} is not in the language", "Enum, and the value by `.value`")
    return default_base(work)


def is_object(work: ClassWork) -> bool:
    """Whether it is the root of the classes."""
    return work.symbol is work.outer.program.builtins.get("object")


def default_base(work: ClassWork) -> ClassType | None:
    """`object`."""
    found = work.outer.program.builtins.get("object")
    if not isinstance(found, ClassSymbol) or found is work.symbol:
        return None
    return ClassType(found.cls)


def kind_of(work: ClassWork) -> str:
    """How instances lie in memory."""
    cls = work.symbol.cls
    if cls.symbol.startswith("builtins.") and cls.name in BLOBS | ARRAYS:
        return "blob" if cls.name in BLOBS else "array"
    return "instance"
