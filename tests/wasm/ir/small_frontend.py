"""A frontend for the IR's own tests: ints, loops, functions and exceptions, every local checked.

It keeps these tests apart from the real one, and is small enough to be seen right.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from meshext_wasm.tree import expressions as e
from meshext_wasm.tree import known
from meshext_wasm.tree import statements as s
from meshext_wasm.tree.program import Class, Function, Loc, Module, Unit, Variable
from meshext_wasm.tree.types import ObjectType, Rep

ANY = ObjectType()
NOWHERE = Loc("small.py", 1, 0, 1, 0)
BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "floordiv", ast.Mod: "mod"}
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
CELL = Class(known.CELL, "cell", NOWHERE, None, kind="array")
EXCEPTION = Class("builtins.exceptions.Exception", "Exception", NOWHERE, None)
CLASSES = {
    "Exception": EXCEPTION,
    "ZeroDivisionError": Class(
        "builtins.exceptions.ZeroDivisionError", "ZeroDivisionError", NOWHERE, EXCEPTION
    ),
    "KeyError": Class("builtins.exceptions.KeyError", "KeyError", NOWHERE, EXCEPTION),
    "UnboundLocalError": Class(
        "builtins.exceptions.UnboundLocalError", "UnboundLocalError", NOWHERE, EXCEPTION
    ),
}


def unit_of(source: str) -> Unit:
    """A unit of one module `m` with the functions of a source text."""
    reader = Reader()
    for node in ast.parse(source).body:
        assert isinstance(node, ast.FunctionDef)
        reader.functions[node.name] = Function(f"m.{node.name}", where(node))
    for node in ast.parse(source).body:
        assert isinstance(node, ast.FunctionDef)
        reader.fill(reader.functions[node.name], node, {})
    own = [each for each in reader.functions.values() if each.body is not None]
    return Unit("m", [Module("m", "small.py", functions=own)])


def where(node: ast.stmt | ast.expr | ast.excepthandler) -> Loc:
    return Loc("small.py", node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)


@dataclass
class Reader:
    functions: dict[str, Function] = field(
        default_factory=lambda: {
            "log": Function("m.log", NOWHERE, parameters=[Variable("value", ANY)], result=Rep.NOTHING)
        }
    )
    function: Function = field(default_factory=lambda: Function("", NOWHERE))
    names: dict[str, Variable] = field(default_factory=dict)

    def fill(
        self, function: Function, node: ast.FunctionDef | ast.Lambda, outer: dict[str, Variable]
    ) -> None:
        before = self.function, self.names
        self.function, self.names = function, dict(outer)
        for each in node.args.args:
            function.parameters.append(self.local(each.arg, checked=False))
        if isinstance(node, ast.Lambda):
            function.body = [s.Return(loc=where(node), value=self.value(node.body))]
        else:
            for name in sorted(assigned(node)):
                if name not in {each.arg for each in node.args.args}:
                    function.locals.append(self.local(name, checked=True))
            shared = set().union(*(free(each) for each in ast.walk(node) if isinstance(each, ast.Lambda)))
            for variable in [*function.parameters, *function.locals]:
                variable.cell = variable.name in shared
            function.body = [*self.block(node.body)]
        self.function, self.names = before

    def local(self, name: str, *, checked: bool) -> Variable:
        self.names[name] = Variable(name, ANY, checked=checked)
        return self.names[name]

    def block(self, nodes: list[ast.stmt]) -> tuple[s.Statement, ...]:
        return tuple(each for node in nodes for each in self.statement(node))

    def statement(self, node: ast.stmt) -> list[s.Statement]:
        loc = where(node)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return [s.Assign(loc=loc, variable=self.names[name], value=self.value(value))]
            case ast.AugAssign(target=ast.Name(id=name)):
                value = ast.copy_location(
                    ast.BinOp(ast.copy_location(ast.Name(name), node), node.op, node.value), node
                )
                return [s.Assign(loc=loc, variable=self.names[name], value=self.value(value))]
            case ast.Expr(value=value):
                return [s.Evaluate(loc=loc, value=self.value(value))]
            case ast.If():
                return [
                    s.If(
                        loc=loc,
                        test=self.test(node.test),
                        then=self.block(node.body),
                        otherwise=self.block(node.orelse),
                    )
                ]
            case ast.While():
                return [
                    s.Loop(
                        loc=loc,
                        test=self.test(node.test),
                        body=self.block(node.body),
                        otherwise=self.block(node.orelse),
                    )
                ]
            case ast.Break():
                return [s.Break(loc=loc)]
            case ast.Continue():
                return [s.Continue(loc=loc)]
            case ast.Pass():
                return []
            case ast.Return(value=value):
                return [s.Return(loc=loc, value=None if value is None else self.value(value))]
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name))):
                made = e.MakeInstance(loc=loc, type=ANY, cls=CLASSES[name])
                return [s.Raise(loc=loc, value=made)]
            case ast.Try():
                return [self.attempt(node)]
        raise AssertionError(ast.dump(node))

    def attempt(self, node: ast.Try) -> s.Statement:
        handlers = []
        for each in node.handlers:
            assert isinstance(each.type, ast.Name)
            variable = Variable("caught", ANY)
            self.function.locals.append(variable)
            handlers.append(
                s.Handler(
                    loc=where(each),
                    classes=(CLASSES[each.type.id],),
                    variable=variable,
                    body=self.block(each.body),
                )
            )
        return s.Try(
            loc=where(node),
            body=self.block(node.body),
            handlers=tuple(handlers),
            otherwise=self.block(node.orelse),
            final=self.block(node.finalbody),
        )

    def value(self, node: ast.expr) -> e.Expression:
        loc = where(node)
        match node:
            case ast.Constant(value=int(value)):
                return e.Constant(loc=loc, type=ANY, value=value)
            case ast.Name(id=name) if name in self.names:
                return e.Local(loc=loc, type=ANY, variable=self.names[name])
            case ast.Name(id=name):
                return e.MakeFunction(loc=loc, type=ANY, function=self.functions[name])
            case ast.BinOp(left=left, op=op, right=right):
                return e.Intrinsic(
                    loc=loc,
                    type=ANY,
                    name=f"int.{BINARY[type(op)]}",
                    arguments=(self.value(left), self.value(right)),
                )
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return e.Intrinsic(loc=loc, type=ANY, name="int.neg", arguments=(self.value(operand),))
            case ast.IfExp():
                return e.Conditional(
                    loc=loc,
                    type=ANY,
                    test=self.test(node.test),
                    then=self.value(node.body),
                    otherwise=self.value(node.orelse),
                )
            case ast.NamedExpr(target=ast.Name(id=name)):
                write = s.Assign(loc=loc, variable=self.names[name], value=self.value(node.value))
                return e.Sequence(
                    loc=loc,
                    type=ANY,
                    statements=(write,),
                    result=e.Local(loc=loc, type=ANY, variable=self.names[name]),
                )
            case ast.Lambda():
                inner = Function(f"{self.function.symbol}.<locals>.<lambda>", loc)
                inner.captures = [self.names[name] for name in sorted(free(node)) if name in self.names]
                self.fill(inner, node, self.names)
                return e.MakeFunction(loc=loc, type=ANY, function=inner)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in self.functions:
                function = self.functions[name]
                return e.Call(
                    loc=loc,
                    type=ANY,
                    rep=function.result,
                    function=function,
                    arguments=tuple(map(self.value, arguments)),
                )
            case ast.Call(func=callee, args=arguments):
                return e.CallValue(
                    loc=loc, type=ANY, callee=self.value(callee), arguments=tuple(map(self.value, arguments))
                )
        return e.Convert(loc=loc, type=ANY, subject=self.test(node))

    def test(self, node: ast.expr) -> e.Expression:
        loc = where(node)
        match node:
            case ast.Constant(value=bool(value)):
                return e.Constant(loc=loc, type=ANY, rep=Rep.BOOL, value=value)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.bool_of(loc, f"int.{COMPARE[type(op)]}", self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.bool_of(loc, "bool.not", self.test(operand))
            case ast.BoolOp(op=op, values=[first, *others]):
                rest = others[0] if len(others) == 1 else ast.copy_location(ast.BoolOp(op, others), node)
                fixed = e.Constant(loc=loc, type=ANY, rep=Rep.BOOL, value=isinstance(op, ast.Or))
                ways = (fixed, self.test(rest)) if fixed.value else (self.test(rest), fixed)
                return e.Conditional(
                    loc=loc, type=ANY, rep=Rep.BOOL, test=self.test(first), then=ways[0], otherwise=ways[1]
                )
        zero = e.Constant(loc=loc, type=ANY, value=0)
        return self.bool_of(loc, "int.ne", self.value(node), zero)

    def bool_of(self, loc: Loc, name: str, *arguments: e.Expression) -> e.Expression:
        return e.Intrinsic(loc=loc, type=ANY, rep=Rep.BOOL, name=name, arguments=arguments)


def assigned(node: ast.AST) -> set[str]:
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def free(node: ast.Lambda) -> set[str]:
    read = {each.id for each in ast.walk(node.body) if isinstance(each, ast.Name)}
    return read - {each.arg for each in node.args.args}
