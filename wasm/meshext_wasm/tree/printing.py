"""The core language as text, for people and golden tests; nothing reads it back.

Temporaries, whose names start with a dot, are numbered; what is a raw number, a FLOAT or a BOOL says so only
where it is converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshext_wasm.tree.expressions import (
    Call,
    CallMethod,
    CallValue,
    ClassValue,
    Conditional,
    Constant,
    Convert,
    Expression,
    Intrinsic,
    IsInstance,
    Local,
    MakeArray,
    MakeFunction,
    MakeInstance,
    Narrow,
    ReadField,
    ReadGlobal,
    Unset,
)
from meshext_wasm.tree.expressions import Sequence as SequenceExpression
from meshext_wasm.tree.program import Function, Unit, Variable
from meshext_wasm.tree.statements import (
    Assign,
    Break,
    Continue,
    Evaluate,
    If,
    Loop,
    Raise,
    Renew,
    Return,
    Statement,
    Try,
    WriteField,
    WriteGlobal,
    Yield,
)
from meshext_wasm.tree.types import Rep

INDENT = "    "


def print_unit(unit: Unit) -> str:
    """All functions of a unit."""
    functions = [each for module in unit.modules for each in module.functions]
    bodies = [module.body for module in unit.modules if module.body is not None]
    return "\n".join(print_function(each) for each in [*functions, *bodies])


def print_function(function: Function) -> str:
    """One function and those that are written inside of it."""
    printer = Printer()
    parameters = ", ".join(printer.declare(each) for each in function.parameters)
    captures = "".join(f" [{', '.join(map(printer.name, function.captures))}]" if function.captures else "")
    lines = [f"def {function.symbol}({parameters}){captures} -> {function.result.value}:"]
    if function.body is None:
        lines[0] += " ..."
    else:
        lines += printer.block(function.body, 1)
    inner = [print_function(each) for each in printer.functions]
    return "\n".join([*lines, "", *inner])


class Printer:
    """The names of one function's variables, and the functions that are met in it."""

    def __init__(self) -> None:
        self.names: dict[Variable, str] = {}
        self.functions: list[Function] = []

    def name(self, variable: Variable) -> str:
        """A name that only this variable has."""
        if variable not in self.names:
            temporary = variable.name.startswith(".")
            base = f"${len(self.names)}" if temporary else variable.name
            while base in self.names.values():
                base += "'"
            self.names[variable] = base
        return self.names[variable]

    def declare(self, variable: Variable) -> str:
        """A parameter."""
        rep = "" if variable.rep is Rep.VALUE else f": {variable.rep.value}"
        return f"{self.name(variable)}{rep}"

    def block(self, statements: Iterable[Statement], depth: int) -> list[str]:
        """Statements, one or more lines each."""
        lines = [line for each in statements for line in self.statement(each, depth)]
        return lines or [INDENT * depth + "pass"]

    def statement(self, statement: Statement, depth: int) -> list[str]:
        """One statement."""
        simple = self.simple(statement)
        if simple is not None:
            return [INDENT * depth + simple]
        lines: list[tuple[str, Sequence[Statement]]] = []
        match statement:
            case If(test=test, then=then, otherwise=otherwise):
                lines = [(f"if {self.text(test)}:", then), ("else:", otherwise)]
            case Loop(test=test, body=body, step=step, otherwise=otherwise):
                lines = [(f"while {self.text(test)}:", body), ("step:", step), ("else:", otherwise)]
            case Try(body=body, handlers=handlers, otherwise=otherwise, final=final):
                lines = [("try:", body)]
                for each in handlers:
                    classes = ", ".join(cls.symbol for cls in each.classes)
                    lines.append((f"except {classes} as {self.name(each.variable)}:", each.body))
                lines += [("else:", otherwise), ("finally:", final)]
        return [
            line
            for number, (head, body) in enumerate(lines)
            if number == 0 or body or head.startswith("except")
            for line in [INDENT * depth + head, *self.block(body, depth + 1)]
        ]

    def simple(self, statement: Statement) -> str | None:
        """A statement of one line."""
        match statement:
            case Assign(variable=variable, value=value):
                return f"{self.name(variable)} = {self.text(value)}"
            case Renew(variable=variable):
                return f"renew {self.name(variable)}"
            case WriteGlobal(variable=target, value=value):
                return f"global {target.symbol} = {self.text(value)}"
            case WriteField(subject=subject, field=field, value=value):
                return f"{self.text(subject)}.{field.name} = {self.text(value)}"
            case Evaluate(value=value):
                return self.text(value)
            case Return(value=given):
                return f"return {self.text(given)}" if given is not None else "return"
            case Yield(value=value):
                return f"yield {self.text(value)}"
            case Raise(value=value, again=again):
                return f"raise{' again' if again else ''} {self.text(value)}"
            case Break():
                return "break"
            case Continue():
                return "continue"
        return None

    def text(self, expression: Expression) -> str:
        """An expression on one line."""
        match expression:
            case Constant(value=value):
                return repr(value)
            case Unset():
                return "unset"
            case Local(variable=variable):
                return self.name(variable) + ("?" if variable.checked else "")
            case ReadGlobal(variable=read):
                return f"global {read.symbol}"
            case ReadField(subject=subject, field=field, checked=checked):
                return f"{self.text(subject)}.{field.name}{'?' if checked else ''}"
            case Narrow(subject=subject):
                return self.text(subject)
            case Convert(subject=subject, rep=rep):
                return f"{rep.value}({self.text(subject)})"
            case Conditional(test=test, then=then, otherwise=otherwise):
                return f"({self.text(then)} if {self.text(test)} else {self.text(otherwise)})"
            case SequenceExpression(statements=statements, result=result):
                inner = "; ".join(" ".join(line.strip() for line in self.statement(s, 0)) for s in statements)
                return f"{{{inner}; {self.text(result)}}}"
        return self.call(expression)

    def call(self, expression: Expression) -> str:
        """What has arguments, and what makes something."""
        match expression:
            case Call(function=function, arguments=arguments):
                return f"{function.symbol}({self.several(arguments)})"
            case CallMethod(method=method, subject=subject, arguments=arguments):
                return f"{self.text(subject)}.{method.name}!({self.several(arguments)})"
            case CallValue(callee=callee, arguments=arguments):
                return f"({self.text(callee)})({self.several(arguments)})"
            case Intrinsic(name=name, arguments=arguments):
                return f"{name}({self.several(arguments)})"
            case MakeFunction(function=function):
                inner = ".<locals>." in function.symbol or function.resuming is not None
                if inner and function not in self.functions:
                    self.functions.append(function)
                return f"function {function.symbol}"
            case ClassValue(cls=cls):
                return f"class {cls.symbol}"
            case MakeInstance(cls=cls):
                return f"new {cls.symbol}"
            case MakeArray(cls=cls, items=items):
                return f"new {cls.symbol}[{self.several(items)}]"
            case IsInstance(subject=subject, classes=classes):
                return f"isinstance({self.text(subject)}, {', '.join(each.symbol for each in classes)})"
        raise AssertionError(type(expression).__name__)

    def several(self, expressions: Iterable[Expression]) -> str:
        """Arguments."""
        return ", ".join(map(self.text, expressions))
