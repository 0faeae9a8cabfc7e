"""`try`: handlers, and `finally`, whose statements are copied once for each way out that is used.

A copy for each way keeps what is written on each path exact, and no run-time choice is needed at its end.
"""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build import statements
from meshext_wasm.ir.build.body import Around, Body, FinalAround
from meshext_wasm.ir.build.variables import write_variable
from meshext_wasm.tree import statements as tree
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep


def build_try(body: Body, node: tree.Try) -> None:
    """The whole statement."""
    after = body.label("after")
    if node.final:
        around = FinalAround(handler=body.label("final"), final=node.final)
        body.around.append(around)
        build_handled(body, node)
        body.around.pop()
        statements.build_statements(body, node.final)
        body.jump(node.loc, after)
        build_exits(body, node.loc, around)
    else:
        build_handled(body, node)
        body.jump(node.loc, after)
    body.start(after)


def build_handled(body: Body, node: tree.Try) -> None:
    """Body, `else` and handlers; goes on after them in an open block."""
    if not node.handlers:
        statements.build_statements(body, [*node.body, *node.otherwise])
        return
    handler, after = body.label("handler"), body.label("tried")
    body.around.append(Around(handler=handler))
    statements.build_statements(body, node.body)
    body.around.pop()
    statements.build_statements(body, node.otherwise)
    body.jump(node.loc, after)
    build_handlers(body, node, handler, after)
    body.start(after)


def build_handlers(body: Body, node: tree.Try, label: str, after: str) -> None:
    """Catch, then the first handler whose class fits; else on with the exception."""
    body.start(label, handler=True)
    caught = catch(body, node.loc)
    for each in node.handlers:
        fits, further = body.label("except"), body.label("further")
        test = body.temporary(Rep.BOOL)
        classes = tuple(cls.symbol for cls in each.classes)
        body.emit(ir.InstanceTest, each.loc, caught, result=test, classes=classes)
        body.branch(each.loc, test, fits, further)
        body.start(fits)
        write_variable(body, each.loc, each.variable, caught)
        statements.build_statements(body, each.body)
        body.jump(each.loc, after)
        body.start(further)
    raise_again(body, node.loc, caught)


def catch(body: Body, loc: Loc) -> ir.Register:
    """The pending exception, which is pending no longer."""
    caught = body.temporary(Rep.VALUE)
    body.block.instructions.append(ir.Catch(loc=loc, result=caught, error=ir.LEAVE))
    return caught


def raise_again(body: Body, loc: Loc, caught: ir.Register) -> None:
    """On with an exception that was caught here."""
    body.end(ir.Raise(loc=loc, operands=(caught,), error=body.error, again=True))


def exit_of(body: Body, around: FinalAround, way: str) -> str:
    """The block that runs a `finally` and then goes on by `way`."""
    if way not in around.exits:
        around.exits[way] = body.label(f"final.{way}")
    return around.exits[way]


def build_exits(body: Body, loc: Loc, around: FinalAround) -> None:
    """The copies of a `finally`: for an exception, then for each other way out."""
    body.start(around.handler, handler=True)
    caught = catch(body, loc)
    statements.build_statements(body, around.final)
    raise_again(body, loc, caught)
    for way, label in around.exits.items():
        body.start(label)
        statements.build_statements(body, around.final)
        if way == "return":
            statements.give_back(body, loc, around.kept)
        else:
            statements.leave_loop(body, loc, way)
