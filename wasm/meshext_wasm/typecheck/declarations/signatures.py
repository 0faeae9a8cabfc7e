"""What functions take and give."""

from __future__ import annotations

import ast
from dataclasses import replace

from meshext_wasm.tree.expressions import Expression, ReadGlobal
from meshext_wasm.tree.program import Global, Variable
from meshext_wasm.tree.types import ClassType, NeverType, NoneType, RawType, Rep, Type, rep_of
from meshext_wasm.typecheck.declarations.annotations import to_type
from meshext_wasm.typecheck.declarations.declare import decorator_names
from meshext_wasm.typecheck.declarations.declared import Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.declarations.reading import as_read
from meshext_wasm.typecheck.meanings.making import constant
from meshext_wasm.typecheck.meanings.symbols import Binding, ClassSymbol, Kind, Parameter, Signature
from meshext_wasm.typecheck.meanings.synthesis import Ready
from meshext_wasm.typecheck.meanings.unions import is_assignable

NO_RESULT = frozenset({"__init__", "__post_init__"})


def declare_signature(declared: Declared, work: FunctionWork) -> None:
    """Read a function's parameters and result."""
    symbol, node, place = work.symbol, work.node, work.place
    first = self_type(work)
    given = list(parameters(node))
    if symbol.binding is not Binding.FUNCTION and symbol.binding is not Binding.STATIC:
        if not given or given[0][1] not in (Kind.NORMAL, Kind.POSITIONAL):
            place.report(node, f"{node.name} has no parameter for its {first_name(work)}", first_name(work))
            given = [(ast.arg(first_name(work)), Kind.NORMAL, None), *given]
        name = given.pop(0)[0].arg
        symbol.function.parameters.append(Variable(name, first, rep_of(first)))
    found = [read_parameter(declared, work, *each) for each in given]
    result = read_result(work)
    symbol.signature = Signature(tuple(found), result)
    for each in found:
        type_ = inside_type(place, each)
        symbol.function.parameters.append(Variable(each.name, type_, rep_of(type_)))
    symbol.function.result_type = result
    symbol.function.result = result_rep(work, result)


def inside_type(place: Site, parameter: Parameter) -> Type:
    """The type of a parameter for the function itself: a tuple for `*`, a dict for `**`."""
    program = place.program
    if parameter.kind is Kind.STAR:
        return ClassType(program.builtin_class("tuple"), (parameter.type,))
    if parameter.kind is Kind.STARSTAR:
        text = ClassType(program.builtin_class("str"))
        return ClassType(program.builtin_class("dict"), (text, parameter.type))
    return parameter.type


def first_name(work: FunctionWork) -> str:
    """What the first parameter of a function of a class is called."""
    return "cls" if work.symbol.binding is Binding.CLASS else "self"


def self_type(work: FunctionWork) -> Type:
    """The type of the first parameter."""
    from meshext_wasm.tree.types import ClassObjectType

    owner = work.symbol.owner
    if owner is None:
        return NoneType()
    if work.symbol.binding is Binding.CLASS:
        return ClassObjectType(owner.cls)
    return instance_type(owner, work.place)


def instance_type(owner: ClassSymbol, place: Site) -> Type:
    """What `self` is."""
    from meshext_wasm.tree.types import ObjectType

    if owner is place.program.builtins.get("object"):
        return ObjectType()
    if owner is place.program.builtins.get("NoneType"):
        return NoneType()
    return ClassType(owner.cls, tuple(owner.parameters))


Given = tuple[ast.arg, Kind, ast.expr | None]


def parameters(node: Definition) -> list[Given]:
    """All parameters in order, each with its kind and default."""
    args = node.args
    plain = [(each, Kind.POSITIONAL) for each in args.posonlyargs] + [
        (each, Kind.NORMAL) for each in args.args
    ]
    missing = len(plain) - len(args.defaults)
    found: list[Given] = [
        (each, kind, args.defaults[index - missing] if index >= missing else None)
        for index, (each, kind) in enumerate(plain)
    ]
    if args.vararg:
        found.append((args.vararg, Kind.STAR, None))
    found += [(each, Kind.KEYWORD, d) for each, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    if args.kwarg:
        found.append((args.kwarg, Kind.STARSTAR, None))
    return found


def read_parameter(
    declared: Declared, work: FunctionWork, node: ast.arg, kind: Kind, default: ast.expr | None
) -> Parameter:
    """One parameter: it needs an annotation, and its default must fit that."""
    place = work.place
    type_: Type = NeverType()
    if node.annotation is None:
        place.report(node, f"nothing says what {node.arg} is", f"{node.arg}: int, or what it is")
    else:
        type_ = to_type(place, node.annotation)
        if kind not in (Kind.STAR, Kind.STARSTAR):
            type_ = as_read(declared, work, node.arg, type_)
    if default is None:
        return Parameter(node.arg, type_, kind)
    symbol = work.symbol.function.symbol
    return Parameter(node.arg, type_, kind, read_default(declared, place, symbol, work.node, default, type_))


def read_default(
    declared: Declared, place: Site, symbol: str, key: ast.AST, node: ast.expr, type_: Type
) -> Expression:
    """A literal as it is; anything else is evaluated once, where the function is defined, into a variable of
    the module that nobody else sees."""
    from meshext_wasm.typecheck.meanings.conversions import fits_literal, raw_literal

    if isinstance(node, Ready):
        return node.build(place)  # type: ignore[arg-type]
    value = literal_of(node)
    if value is not ...:
        made = constant(place.program, place.loc(node), value)  # type: ignore[arg-type]
        if isinstance(type_, RawType):
            return raw_literal(made, type_)
        if fits_literal(made, type_):
            return replace(made, type=type_)
        if place.is_library or isinstance(type_, NeverType) or is_assignable(place.program, made.type, type_):
            return made
    variable = Global(f"{symbol}.<default {len(place.module.module.globals)}>", type_)
    place.module.module.globals.append(variable)
    declared.defaults.setdefault(key, []).append((variable, node))
    return ReadGlobal(loc=place.loc(node), type=type_, variable=variable)


def literal_of(node: ast.expr) -> object:
    """The value of a literal, a negative number included; Ellipsis for anything else."""
    match node:
        case ast.Constant(value=value) if not isinstance(value, complex):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return ...


def read_result(work: FunctionWork) -> Type:
    """The annotated result."""
    node, place = work.node, work.place
    if node.returns is not None:
        return to_type(place, node.returns)
    if node.name in NO_RESULT:
        return NoneType()
    place.report(named(node), f"nothing says what {node.name} gives", "-> None, or what it returns")
    return NeverType()


def named(node: Definition) -> ast.AST:
    """A node that covers just the name in `def name`."""
    keyword = "async def " if isinstance(node, ast.AsyncFunctionDef) else "def "
    start = node.col_offset + len(keyword)
    return ast.Pass(
        lineno=node.lineno,
        col_offset=start,
        end_lineno=node.lineno,
        end_col_offset=start + len(node.name.encode()),
    )


def result_rep(work: FunctionWork, result: Type) -> Rep:
    """Raw results as they are; nothing for library functions that deal with raw numbers and give None."""
    if not isinstance(result, NoneType) or not work.place.is_library:
        return rep_of(result)
    raw = any(isinstance(each.type, RawType) for each in work.symbol.signature.parameters)
    outside = {"host", "export"} & set(decorator_names(work.node))
    return Rep.NOTHING if raw or outside else Rep.VALUE
