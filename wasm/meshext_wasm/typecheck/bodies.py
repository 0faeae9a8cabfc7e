"""Last step: the bodies of modules and functions, each checked in rounds until its types are settled."""

from __future__ import annotations

import ast
from collections.abc import Callable

from meshext_wasm.scope.scopes import build_scopes
from meshext_wasm.tree.expressions import Expression, IsInstance
from meshext_wasm.tree.statements import Return, WriteGlobal
from meshext_wasm.tree.types import ClassType, NeverType, ObjectType, Rep, Type
from meshext_wasm.typecheck.declarations.declare import decorator_names
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.declarations.fields import CONSTRUCTORS, self_name, written
from meshext_wasm.typecheck.declarations.layout import COMPARISONS, in_order
from meshext_wasm.typecheck.declarations.signatures import NO_RESULT
from meshext_wasm.typecheck.meanings.body import Body
from meshext_wasm.typecheck.meanings.conversions import to_type
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.facts import Facts
from meshext_wasm.typecheck.meanings.making import class_type, constant, read
from meshext_wasm.typecheck.meanings.rounds import LIMIT, Rounds
from meshext_wasm.typecheck.meanings.symbols import AliasSymbol, Binding, ClassSymbol
from meshext_wasm.typecheck.meanings.synthesis import Ready, write_code
from meshext_wasm.typecheck.meanings.unions import members_of
from meshext_wasm.typecheck.statements import yielding
from meshext_wasm.typecheck.statements.kinds import check_block, check_end

UNSETTLED = "the types of the variables in here grow without end"


def run_rounds(rounds: Rounds, check: Callable[[], Body], node: ast.AST) -> Body:
    """Check again until nothing new is found; what the last round reported counts."""
    for _ in range(LIMIT):
        rounds.start()
        body = check()
        if rounds.finish():
            return body
    body.report(node, UNSETTLED, "annotate the variables that hold themselves")
    return body


def keep_reports(declared: Declared, rounds: Rounds) -> None:
    """The reports of the last round."""
    for each in rounds.reports:
        declared.unit.collector.add(each)


def check_functions(declared: Declared) -> None:
    """Every function of the unit."""
    for work in declared.functions:
        try:
            keep_reports(declared, check_function(declared, work))
        except RecursionError:
            work.place.report(work.node, "nested too deeply", "smaller expressions, kept in variables")


def check_function(declared: Declared, work: FunctionWork) -> Rounds:
    """One function, as the node of its source says; Rounds has what was reported."""
    rounds = Rounds(declared.unit.program)
    function, node = work.symbol.function, work.node
    names = decorator_names(node)
    if "host" in names and work.place.is_library:
        function.host = decorator_text(node, "host")
        function.body = None
        return rounds
    if "export" in names and work.place.is_library:
        function.export = decorator_text(node, "export")
    function.raises = not ("nothrow" in names and work.place.is_library)
    if node not in declared.unit.scopes:
        declared.unit.scopes |= build_scopes(node)
    for variable in function.parameters:
        rounds.variables[id(node), variable.name] = variable
        rounds.keys.add(variable)
        rounds.declared[variable] = variable.type
        variable.cell = variable.name in declared.unit.scopes[node].cells
    body = run_rounds(rounds, lambda: check_once(declared, work, rounds), node)
    if body.yields:
        yielding.split(body, node, body.item or NeverType())
    return rounds


def decorator_text(node: Definition, name: str) -> str:
    """The text in `@host("proxy_log")`."""
    for each in node.decorator_list:
        match each:
            case ast.Call(func=ast.Name(id=found), args=[ast.Constant(value=str(text))]) if found == name:
                return text
    return ""


def check_once(declared: Declared, work: FunctionWork, rounds: Rounds) -> Body:
    """One round."""
    function, node = work.symbol.function, work.node
    function.locals.clear()
    function.captures.clear()
    names = frozenset(each.name for each in function.parameters)
    body = Body(
        unit=declared.unit,
        module=work.place.module,
        function=function,
        rounds=rounds,
        own=declared.unit.scopes[node],
        owner=work.symbol.owner,
        result=work.symbol.signature.result if says_result(work) else None,
        facts=Facts(assigned=names),
        waits=work.symbol.waits,
    )
    if yielding.is_generator(node):
        yielding.begin(body, node, work.symbol.signature.result)
    with body.collect() as statements:
        check_nodes(body, work)
        check_end(body, node)
    function.body = statements
    return body


def says_result(work: FunctionWork) -> bool:
    """Whether the result is annotated, or that of a constructor; if not, that is reported already."""
    return work.node.returns is not None or work.node.name in NO_RESULT


def check_nodes(body: Body, work: FunctionWork) -> None:
    """The statements of a function; an abstract one has none."""
    owner = work.symbol.owner
    if "abstractmethod" in decorator_names(work.node) or (owner is not None and owner.protocol):
        check_block(body, [abstract_failure(work.node)])
    else:
        check_block(body, [*guard_comparison(work), *work.node.body])


def guard_comparison(work: FunctionWork) -> list[ast.stmt]:
    """Any value may be compared: one that the method does not take is not its business."""
    symbol, node = work.symbol, work.node
    if symbol.name not in COMPARISONS or work.place.is_library or len(symbol.signature.parameters) != 1:
        return []
    other = symbol.signature.parameters[0]
    if isinstance(other.type, ObjectType | NeverType):
        return []
    if not isinstance(other.type, ClassType) or other.type.arguments:
        work.place.report(node, f"{other.name} of {node.name} is no plain class", f"{other.name}: object")
        return []
    cls, variable = other.type.cls, symbol.function.parameters[1]

    def test(body: Body) -> Expression:
        boolean, loc = class_type(body.program, "bool"), body.loc(node)
        return IsInstance(loc=loc, type=boolean, rep=Rep.BOOL, subject=read(loc, variable), classes=(cls,))

    text = "if TEST:\n    pass\nelse:\n    return BUILTINS.NotImplemented"
    return [write_code(text, node, {"TEST": Ready(test)})]


def abstract_failure(node: ast.AST) -> ast.stmt:
    """An abstract method can not be reached, as its class can not be made."""
    made = ast.Raise(ast.Name("builtins:NotImplementedError", ast.Load()), None)
    for each in ast.walk(made):
        ast.copy_location(each, node)
    return made


# ---- modules


def check_modules(declared: Declared, *, final: bool = False) -> None:
    """The bodies of all modules, in the order in which they run."""
    for site in declared.sites.values():
        rounds = Rounds(declared.unit.program)
        inferred = declared.inferred.get(site.module.name, set())
        rounds.keys |= inferred
        run_rounds(rounds, lambda: module_once(declared, site, rounds), site.source.tree)  # noqa: B023
        if final:
            keep_reports(declared, rounds)


def module_once(declared: Declared, site: Site, rounds: Rounds) -> Body:
    """One round over the statements of a module."""
    function = site.module.module.body
    assert function is not None
    function.locals.clear()
    body = Body(
        unit=declared.unit,
        module=site.module,
        function=function,
        rounds=rounds,
        inferred=declared.inferred.get(site.module.name, set()),
    )
    with body.collect() as statements:
        for node in site.source.tree.body:
            module_statement(declared, body, node)
        none = constant(declared.unit.program, function.loc, None)
        body.emit(Return(loc=function.loc, value=none))
    function.body = statements
    return body


def module_statement(declared: Declared, body: Body, node: ast.stmt) -> None:
    """A statement of a module: definitions only evaluate their defaults."""
    if isinstance(node, ast.Import | ast.ImportFrom) or not body.facts.live:
        return
    if isinstance(node, Definition):
        write_defaults(declared, body, node)
    elif isinstance(node, ast.ClassDef):
        write_class(declared, body, node)
    elif not is_alias(body, node):
        check_block(body, [node])


def is_alias(body: Body, node: ast.stmt) -> bool:
    """Whether an assignment only gives a type a name."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            found = body.module.names.get(name)
            same = isinstance(found, ClassSymbol) and body.symbol_of(value) is found
            return same or isinstance(found, AliasSymbol)
    return False


def write_defaults(declared: Declared, body: Body, node: ast.stmt) -> None:
    """Defaults that are no literals, evaluated where the function is defined."""
    for variable, value in declared.defaults.get(node, []):
        made = to_type(body, check_expression(body, value, variable.type), variable.type, value)
        body.emit(WriteGlobal(loc=body.loc(value), variable=variable, value=made))


def write_class(declared: Declared, body: Body, node: ast.ClassDef) -> None:
    """The variables of a class, and the defaults of its methods."""
    work = declared.classes.get(node)
    if work is None:
        return
    with body.scope(work.symbol.members):
        for each in node.body:
            if isinstance(each, Definition | ast.AnnAssign):
                write_defaults(declared, body, each)
            elif isinstance(each, ast.ClassDef):
                write_class(declared, body, each)
        for target, value in work.variables:
            variable = work.symbol.members[target.id]
            expected = getattr(variable, "type", None) if variable not in body.inferred else None
            body.assign_name(target, check_expression(body, value, expected))


# ---- fields without annotation


def infer_fields(declared: Declared) -> None:
    """Types of fields that are only assigned: from the method that sets them, until nothing changes."""
    works = [each for each in in_order(declared) if each.inferred]
    slots = {each.symbol.fields[name]: each for each in works for name in each.inferred}
    declared.unit.open_fields = set(slots)
    for _ in range(LIMIT):
        before = {slot: slot.type for slot in slots}
        for work in works:
            infer_class(declared, work)
        if before == {slot: slot.type for slot in slots}:
            break
    declared.unit.open_fields = set()
    for slot, work in slots.items():
        if has_never(slot.type):
            report_field(work, slot.name)


def infer_class(declared: Declared, work: ClassWork) -> None:
    """The fields of one class: from a constructor, else from the first method that writes them."""
    left = set(work.inferred)
    for each in sorted(methods(declared, work), key=lambda each: each.node.name not in CONSTRUCTORS):
        names = {node.attr for node, _ in written(each.node)} & left
        if names:
            declared.unit.open_fields = {work.symbol.fields[name] for name in names}
            check_function(declared, each)
            left -= names
    declared.unit.open_fields = set()


def methods(declared: Declared, work: ClassWork) -> list[FunctionWork]:
    """The methods of a class that have an instance."""
    return [
        each
        for each in declared.functions
        if each.symbol.owner is work.symbol
        and each.symbol.binding in (Binding.METHOD, Binding.PROPERTY)
        and each.node in work.body
    ]


def has_never(type_: Type) -> bool:
    """Whether a type has a part that nothing told."""
    if isinstance(type_, ClassType):
        return any(has_never(each) for each in type_.arguments)
    return isinstance(type_, NeverType) or any(
        has_never(each) for each in members_of(type_) if each is not type_
    )


def report_field(work: ClassWork, name: str) -> None:
    """A field whose type nothing tells."""
    for method in work.node.body:
        if isinstance(method, Definition):
            for node, _ in written(method):
                if node.attr == name:
                    hint = f"{self_name(method)}.{name}: list[str] = [], or whatever it holds"
                    work.outer.report(node, f"nothing says what {name} holds", hint, follows=True)
                    return
