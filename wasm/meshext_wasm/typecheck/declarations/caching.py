"""`functools.cache` and `lru_cache`: a function around one of the module, and a dict of what it gave."""

from __future__ import annotations

import ast
import copy

from meshext_wasm.tree.program import Global
from meshext_wasm.tree.types import ClassType, TupleType
from meshext_wasm.typecheck.declarations.annotations import to_type
from meshext_wasm.typecheck.declarations.declare import make_function
from meshext_wasm.typecheck.declarations.declared import Declared, Definition, FunctionWork
from meshext_wasm.typecheck.meanings.symbols import MissingSymbol, SpecialSymbol
from meshext_wasm.typecheck.meanings.synthesis import write_code

DECORATORS = ("cache", "lru_cache")
DEFAULT = 128
"""How many results `lru_cache` keeps where nothing is said."""
BODY = """
def cached():
    if KEY in CACHE:
        FOUND = CACHE.pop(KEY) if LIMITED else CACHE[KEY]
        if LIMITED:
            CACHE[KEY] = FOUND
        return FOUND
    FOUND = INNER(KEY)
    if LIMITED and BUILTINS.len(CACHE) >= MOST:
        for OLDEST in CACHE:
            del CACHE[OLDEST]
            break
    CACHE[KEY] = FOUND
    return FOUND
"""


def declare_caches(declared: Declared) -> None:
    """Put the caches around the functions of modules that ask for one; refuse other decorators."""
    for work in list(declared.functions):
        if work.place.is_library or work.place.classes:
            continue
        for decorator in work.node.decorator_list:
            if isinstance(work.place.symbol_of(decorator), MissingSymbol):
                continue
            size = size_of(work, decorator)
            if size is None or len(work.node.decorator_list) > 1:
                hint = "a plain function, and the decorator's work in it"
                work.place.report(decorator, "a decorator of a function is not in the language", hint)
            else:
                wrap(declared, work, size)
            break


def size_of(work: FunctionWork, decorator: ast.expr) -> int | None:
    """How many results a decorator keeps, 0 for all; None where it is no cache."""
    call = decorator if isinstance(decorator, ast.Call) else None
    symbol = work.place.symbol_of(call.func if call is not None else decorator)
    if not isinstance(symbol, SpecialSymbol) or symbol.name not in DECORATORS:
        return None
    if call is None:
        return DEFAULT if symbol.name == "lru_cache" else 0
    given = [*call.args, *(each.value for each in call.keywords if each.arg == "maxsize")]
    if symbol.name == "cache" or len(given) != len(call.args) + len(call.keywords) or len(given) > 1:
        return None
    match given:
        case []:
            return DEFAULT
        case [ast.Constant(value=None)]:
            return 0
        case [ast.Constant(value=int(size))] if size > 0:
            return size
    return None


def wrap(declared: Declared, work: FunctionWork, size: int) -> None:
    """Another function with the statements, and the first one asks the cache before it calls it."""
    node, site, args = work.node, work.place, work.node.args
    statements = site.source.tree.body
    if node not in statements:
        site.report(
            node.decorator_list[0], "a cached function inside of a block", "it at the top of the module"
        )
        return
    if args.vararg or args.kwarg or isinstance(node, ast.AsyncFunctionDef):
        site.report(node.decorator_list[0], "a cache of any number of arguments", "parameters one by one")
        return
    names = [each.arg for each in [*args.posonlyargs, *args.args, *args.kwonlyargs]]
    inner = copy.copy(node)
    every = [ast.copy_location(ast.arg(each.arg, each.annotation), each) for each in every_of(args)]
    inner.args = ast.arguments([], every, None, [], [], None, [])
    inner.decorator_list = []
    hidden, table = f"[{node.name}]", f"[cache of {node.name}]"
    symbol = make_function(site, inner, f"{site.path}.{node.name}.<uncached>")
    symbol.name = node.name
    site.module.names[hidden] = symbol
    declared.functions.append(FunctionWork(symbol, inner, site))
    statements.insert(statements.index(node) + 1, inner)
    declare_table(work, table)
    numbers = {"MOST": ast.Constant(size), "LIMITED": ast.Constant(size > 0)}
    parts = {name: ast.copy_location(each, node) for name, each in numbers.items()}
    written = write_code(BODY, node, parts)
    assert isinstance(written, Definition)
    hidden_names = {"CACHE": table, "INNER": hidden, "FOUND": "[found]", "OLDEST": "[oldest]"}
    node.body = [Renamed(node, names, hidden_names).visit(each) for each in written.body]
    node.decorator_list = []


def every_of(args: ast.arguments) -> list[ast.arg]:
    """All parameters in order."""
    return [*args.posonlyargs, *args.args, *args.kwonlyargs]


def place(node: ast.AST, name: str) -> ast.Name:
    """A name that no program can write."""
    return ast.copy_location(ast.Name(name, ast.Load()), node)


def declare_table(work: FunctionWork, name: str) -> None:
    """The dict of results by arguments, made where the function is defined."""
    site, node = work.place, work.node
    given = [each.annotation for each in every_of(node.args)]
    if node.returns is None or any(each is None for each in given):
        return
    key = TupleType(tuple(to_type(site, each) for each in given if each is not None))
    type_ = ClassType(site.program.builtin_class("dict"), (key, to_type(site, node.returns)))
    variable = Global(f"{site.path}.{name}", type_)
    site.module.module.globals.append(variable)
    site.module.names[name] = variable
    made = ast.Assign([ast.Name(name, ast.Store())], ast.Dict([], []))
    for each in ast.walk(made):
        ast.copy_location(each, node)
    body = site.source.tree.body
    body.insert(body.index(node), made)


class Renamed(ast.NodeTransformer):
    """Names that no program can write, and `KEY` as the tuple of the parameters or a call's arguments."""

    def __init__(self, node: ast.AST, names: list[str], hidden: dict[str, str]) -> None:
        self.node = node
        self.names = names
        self.hidden = hidden

    def parts(self) -> list[ast.expr]:
        """The parameters, read."""
        return [place(self.node, each) for each in self.names]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`INNER(KEY)` gets the parameters themselves."""
        if isinstance(node.func, ast.Name) and node.func.id == "INNER":
            node.args = self.parts()
            self.visit(node.func)
            return node
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The tuple, or a name that is hidden."""
        if node.id != "KEY":
            node.id = self.hidden.get(node.id, node.id)
            return node
        return ast.copy_location(ast.Tuple(self.parts(), ast.Load()), self.node)
