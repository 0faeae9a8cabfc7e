"""Equal values become one, and nothing else does."""

from __future__ import annotations

from meshext_wasm.build.sharing import Sharing
from meshext_wasm.tree.program import Class, Loc
from meshext_wasm.tree.types import ClassType, LiteralType, TupleType, UnionType
from meshext_wasm.typecheck.meanings.symbols import AliasSymbol, ModuleSymbol, Symbol


def shared(**names: Symbol) -> dict[str, Symbol]:
    module = ModuleSymbol("m", None, names)  # type: ignore[arg-type]
    Sharing().share({"m": module})
    return module.names


def cls(name: str) -> Class:
    return Class(f"m.{name}", name, Loc("m.py", 1, 0, 1, 0), None)


def test_equal_types_become_one_wherever_they_stand() -> None:
    one = cls("A")
    found = shared(
        a=AliasSymbol(UnionType((ClassType(one), TupleType((ClassType(one),))))),
        b=AliasSymbol(UnionType((ClassType(one), TupleType((ClassType(one),))))),
    )
    a, b = found["a"], found["b"]
    assert isinstance(a, AliasSymbol)
    assert isinstance(b, AliasSymbol)
    assert a.type is b.type
    assert a.type == UnionType((ClassType(one), TupleType((ClassType(one),))))


def test_classes_of_one_name_and_literals_of_other_types_stay_apart() -> None:
    base = ClassType(cls("int"))
    found = shared(
        a=AliasSymbol(ClassType(cls("A"))),
        b=AliasSymbol(ClassType(cls("A"))),
        c=AliasSymbol(LiteralType(1, base)),
        d=AliasSymbol(LiteralType(True, base)),
    )
    types = [each.type for each in found.values() if isinstance(each, AliasSymbol)]
    assert len({id(each) for each in types}) == 4
    assert [type(each.value) for each in types if isinstance(each, LiteralType)] == [int, bool]
