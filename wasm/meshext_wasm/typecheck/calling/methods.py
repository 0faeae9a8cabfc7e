"""Methods that were found: whether they take arguments of a type, calls of them, and methods as values."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Call, CallMethod, Expression, MakeFunction
from meshext_wasm.tree.program import Function, Variable
from meshext_wasm.tree.statements import Assign, Evaluate, Return
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, NeverType, RawType, Rep, Type
from meshext_wasm.typecheck.calling.arguments import Given, NoMatch, bind, given_of
from meshext_wasm.typecheck.meanings.dispatching import over_union
from meshext_wasm.typecheck.meanings.generics import Bindings, solve, substitute, unify, variables_of
from meshext_wasm.typecheck.meanings.making import call_known, constant, narrow, read, refuse, sequence
from meshext_wasm.typecheck.meanings.plain_values import (
    as_iterable,
    as_iterator,
    plain,
    plain_fits,
    plain_type,
)
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    Kind,
    Overloads,
    Program,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import (
    READ_ONLY,
    class_view,
    display,
    is_assignable,
    is_dynamic,
    members_of,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


WRITING = frozenset(
    "append appendleft extend extendleft insert add update setdefault symmetric_difference_update "
    "__setitem__ __setslice__ __iadd__ __ior__ __ixor__".split()
)
"""Methods of containers that put something in."""


def refuse_borrowed(body: Body, node: ast.AST, name: str, receiver: Expression) -> Expression | None:
    """Refuse to put something into a container whose items may be known otherwise elsewhere."""
    view = class_view(body.program, receiver.type)
    if view is None or not view.borrowed or name not in WRITING or body.function.outside:
        return None
    kind = view.cls.name
    reason = f"this {kind} may hold other items than what is put in, as only a test told what it is"
    return refuse(body, node, reason, f"a copy of it: {kind}(...)")


def lent(body: Body, node: ast.AST, symbol: FunctionSymbol, index: int, expression: Expression) -> Expression:
    """An argument as the library's function sees it: that only reads the containers it is given."""
    parameter = symbol.signature.parameters[index].type
    if is_dynamic(expression.type) and isinstance(parameter, ClassType) and parameter.cls.name == "Iterable":
        from meshext_wasm.typecheck.statements.iteration import iterator_of

        return iterator_of(body, node, expression) if symbol.function.outside else expression
    if isinstance(parameter, ClassType) and parameter.cls.name == "Iterator":
        expression = as_iterator(body, node, expression)
    elif isinstance(parameter, ClassType) and parameter.cls.name in READ_ONLY:
        expression = as_iterable(body, node, expression)
    type_ = expression.type
    reads = symbol.function.outside and isinstance(symbol.signature.parameters[index].type, ClassType)
    if not (reads and isinstance(type_, ClassType) and type_.borrowed):
        return expression
    return narrow(expression, replace(type_, borrowed=False))


def receiver_bindings(body: Body, symbol: FunctionSymbol, subject: Expression) -> Bindings:
    """What the class's parameters stand for in this subject."""
    from meshext_wasm.typecheck.expressions.attributes import bindings_of

    view = class_view(body.program, subject.type)
    if view is None or symbol.owner is None:
        return {}
    return bindings_of(body.program, view, symbol.owner)


def accepts(
    body: Body, found: FunctionSymbol | Overloads, subject: Expression, arguments: list[Expression]
) -> bool:
    """Whether the method takes these positional arguments."""
    if isinstance(found, Overloads):
        return any(accepts(body, each, subject, arguments) for each in found.alternatives)
    try:
        filled = bind(ast.Pass(), found.name, found.signature, given_of(ast.Pass(), arguments))
    except NoMatch:
        return False
    bindings = receiver_bindings(body, found, subject)
    return fits(body, found, bindings, [(each.index, each.argument.expression) for each in filled])


def fits(
    body: Body,
    symbol: FunctionSymbol,
    bindings: Bindings,
    arguments: list[tuple[int, Expression | None]],
) -> bool:
    """Whether arguments are assignable to their parameters; those not checked yet count as such."""
    from meshext_wasm.tree.expressions import Constant
    from meshext_wasm.typecheck.meanings.conversions import fits_literal

    bindings = {name: each for name, each in bindings.items() if not isinstance(each, NeverType)}
    learned = dict(bindings)
    own = own_variables(symbol) - set(bindings)
    node = ast.Pass()
    arguments = [(index, each and lent(body, node, symbol, index, each)) for index, each in arguments]
    for index, expression in arguments:
        if expression is not None:
            unify(
                body.program,
                substitute(symbol.signature.parameters[index].type, bindings),
                expression.type,
                learned,
            )
    for index, expression in arguments:
        wanted = solve(symbol.signature.parameters[index].type, learned, own)
        if expression is None:
            if not any(isinstance(each, CallableType) for each in getattr(wanted, "items", (wanted,))):
                return False
        elif isinstance(wanted, RawType) and isinstance(expression, Constant):
            continue
        elif not is_assignable(body.program, expression.type, wanted) and not (
            (isinstance(expression, Constant) and fits_literal(expression, wanted))
            or plain_fits(body.program, expression.type, wanted)
        ):
            return False
    return True


def own_variables(symbol: FunctionSymbol) -> frozenset[str]:
    """The type parameters of a signature."""
    found: frozenset[str] = variables_of(symbol.signature.result)
    for each in symbol.signature.parameters:
        found |= variables_of(each.type)
    return found


def call_found(
    body: Body,
    node: ast.AST,
    found: FunctionSymbol | Overloads,
    subject: Expression,
    arguments: list[Expression],
) -> Expression:
    """Call a method that was found, with arguments that are there already."""
    from meshext_wasm.typecheck.calling import functions

    given = given_of(node, arguments)
    return functions.call_symbol(body, node, found, given, receiver=subject)


def call_method(
    body: Body,
    node: ast.AST,
    subject: Expression,
    name: str,
    arguments: list[Expression] | Given,
    expected: Type | None = None,
) -> Expression:
    """`subject.name(arguments)` for one class or each of several."""
    from meshext_wasm.typecheck.calling import functions
    from meshext_wasm.typecheck.expressions.attributes import is_visible, unknown

    given = arguments if isinstance(arguments, Given) else given_of(node, arguments)

    def call_one(one: Expression) -> Expression:
        program = body.program
        if (shared := call_of_class(body, node, one, name, given)) is not None:
            return shared
        view = class_view(program, one.type)
        symbol = program.class_symbol(view.cls) if view else None
        member = find_member(program, symbol, name) if symbol else None
        if symbol is None or not is_visible(body, symbol, name):
            member = None
        if isinstance(member, FunctionSymbol | Overloads):
            first = member.alternatives[0] if isinstance(member, Overloads) else member
            if first.binding is Binding.STATIC:
                made = functions.call_symbol(body, node, member, given, expected=expected)
                return sequence([Evaluate(loc=one.loc, value=one)], made)
            own = class_of(body, node, one) if first.binding is Binding.CLASS else one
            return functions.call_symbol(body, node, member, given, receiver=own, expected=expected)
        if member is None and is_float_method(program, one.type, subject.type, name):
            text = constant(program, one.loc, name)
            return call_known(body, body.loc(node), "builtins.errors.unset_attribute", one, text)
        if member is None and plain_type(program, one.type) is not None:
            return call_method(body, node, plain(body, node, one), name, given, expected)
        if member is None:
            return unknown(body, node, one.type, name)
        return refuse(body, node, f"{display(one.type)}.{name} is no method", "call a method")

    return over_union(body, node, subject, call_one)


def call_of_class(body: Body, node: ast.AST, one: Expression, name: str, given: Given) -> Expression | None:
    """`cls.method(...)` of a class that is a value; None where that is no method which all classes share."""
    from meshext_wasm.typecheck.calling import functions

    cls = one.type.cls if isinstance(one.type, ClassObjectType) else None
    if cls is None:
        return None
    owner = body.program.class_symbol(cls)
    member = find_member(body.program, owner, name)
    if not isinstance(member, FunctionSymbol) or is_again_below(body.program, owner, name):
        return None
    if member.binding is Binding.STATIC:
        made = functions.call_symbol(body, node, member, given)
        return sequence([Evaluate(loc=one.loc, value=one)], made)
    if member.binding is not Binding.CLASS:
        return None
    return functions.call_symbol(body, node, member, given, receiver=one)


def is_again_below(program: Program, owner: ClassSymbol, name: str) -> bool:
    """Whether a class below has a member of that name itself."""
    for cls, symbol in program.classes.items():
        above = cls.base
        while above is not None and name in symbol.members:
            if above is owner.cls:
                return True
            above = above.base
    return False


def class_of(body: Body, node: ast.AST, one: Expression) -> Expression:
    """The class of an instance, for a class method that is called on it."""
    cls = one.type.cls if isinstance(one.type, ClassType | ClassObjectType) else None
    if isinstance(one.type, ClassObjectType):
        return one
    made = call_known(body, body.loc(node), "builtins.objects.type_of", one)
    return narrow(made, ClassObjectType(cls))


def is_float_method(program: Program, one: Type, whole: Type, name: str) -> bool:
    """Whether it is an int among floats that lacks what a float has: AttributeError, as an annotated `float`
    that holds an int gives it."""
    floats = ClassType(program.builtin_class("float"))
    return (
        one == ClassType(program.builtin_class("int"))
        and floats in members_of(whole)
        and find_member(program, program.class_symbol(floats.cls), name) is not None
    )


def call_own(body: Body, node: ast.AST, subject: Expression, name: str, *arguments: Expression) -> Expression:
    """A method that the compiler needs of a class that has it, whether or not a program may name it."""
    from meshext_wasm.typecheck.expressions.operators import find_operator

    found = find_operator(body.program, subject.type, name)
    assert found is not None, name
    return call_found(body, node, found, subject, [*arguments])


def bound(body: Body, node: ast.AST, found: FunctionSymbol | Overloads, subject: Expression) -> Expression:
    """A method as a value: a function that remembers the instance."""
    symbol = found.alternatives[0] if isinstance(found, Overloads) else found
    loc = body.loc(node)
    if symbol.waits:
        return refuse(body, node, f"{symbol.name} is async and no value", f"await {symbol.name}(...)")
    bindings = receiver_bindings(body, symbol, subject)
    needed = [each for each in symbol.signature.parameters if each.default is None]
    if any(each.kind not in (Kind.NORMAL, Kind.POSITIONAL) for each in symbol.signature.parameters):
        return refuse(body, node, f"{symbol.name} is no plain function value", "a lambda that calls it")
    instance = body.temporary(".self", subject.type)
    instance.cell = True
    parameters = [Variable(f".{each.name}", substitute(each.type, bindings), Rep.VALUE) for each in needed]
    result = substitute(symbol.signature.result, bindings)
    function = Function(
        symbol=f"{body.function.symbol}.<locals>.{symbol.name}:{loc.line}:{loc.column}",
        loc=loc,
        parameters=parameters,
        captures=[instance],
        result_type=result,
        outside=True,
    )
    arguments = [read(loc, each) for each in parameters]
    call = call_found(body, node, symbol, read(loc, instance), arguments)
    from meshext_wasm.typecheck.meanings.conversions import to_value

    function.body = [Return(loc=loc, value=to_value(body, call, node))]
    type_ = CallableType(tuple(each.type for each in parameters), result)
    made = MakeFunction(loc=loc, type=type_, function=function)
    return sequence([Assign(loc=loc, variable=instance, value=subject)], made)


def direct(
    body: Body, node: ast.AST, symbol: FunctionSymbol, arguments: list[Expression], type_: Type
) -> Expression:
    """The call itself: by the table of the class where it has to be, else of the function."""
    loc = body.loc(node)
    if (
        symbol.method is not None
        and symbol.binding in (Binding.METHOD, Binding.PROPERTY)
        and is_open(body, arguments[0])
    ):
        return CallMethod(
            loc=loc,
            type=type_,
            rep=symbol.method.result,
            method=symbol.method,
            subject=arguments[0],
            arguments=tuple(arguments[1:]),
        )
    function = symbol.function
    return Call(loc=loc, type=type_, rep=function.result, function=function, arguments=tuple(arguments))


def is_open(body: Body, subject: Expression) -> bool:
    """Whether a subclass may have its own method."""
    view = class_view(body.program, subject.type)
    if view is None:
        return True
    symbol = body.program.class_symbol(view.cls)
    return symbol.open or symbol.base is None
