"""Find filters that may let a body flow past: Envoy must not hold their bodies whole from the beginning.

Measured on Envoy 1.40: what was configured as BUFFERED is refused beyond the buffer although the service
then asks for no body at all, and what is made BUFFERED later hangs there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

SKIPS = "skip_body"

FOREIGN = frozenset({*sys.stdlib_module_names, "meshext"})
"""Packages that call no hook's methods: Python's own and this one."""


def may_skip(cls: type) -> bool:
    """Whether a filter may let a body by.

    One that is called in ways that can not be seen here still works, for bodies that Envoy has room for.
    """
    return mentions(cls, SKIPS)


def mentions(cls: type, wanted: str) -> bool:
    """Whether a method of the class uses that name, or a function, class or module that one of them names."""
    waiting = list(methods(cls))
    seen = set(waiting)
    while waiting:
        function = waiting.pop()
        names = set(names_in(function.__code__))
        if wanted in names:
            return True
        for found in (each for value in values_in(function, names) for each in functions_at(value, names)):
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    return False


def methods(cls: type) -> Iterator[FunctionType]:
    """The class's own methods and those it inherits, accessors of properties included."""
    for base in cls.__mro__:
        if not is_foreign(base.__module__):
            for value in vars(base).values():
                inner = getattr(value, "fget", None) or getattr(value, "__func__", value)
                if isinstance(inner, FunctionType):
                    yield inner


def values_in(function: FunctionType, names: set[str]) -> Iterator[object]:
    """What those names are to a function: globals, and what it closes over."""
    for name in names:
        yield function.__globals__.get(name)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet assigned
            continue


def functions_at(value: object, names: set[str]) -> Iterator[FunctionType]:
    """A function, the methods of a class, or what is named of a module."""
    if isinstance(value, FunctionType) and not is_foreign(value.__module__):
        yield value
    elif isinstance(value, type):
        yield from methods(value)
    elif isinstance(value, ModuleType) and not is_foreign(value.__name__):
        for name in names & vars(value).keys():
            found = vars(value)[name]
            if not isinstance(found, ModuleType):
                yield from functions_at(found, names)


def names_in(code: CodeType) -> Iterator[str]:
    """Names of attributes and globals in the code and in what is defined inside of it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def is_foreign(module: str | None) -> bool:
    """Whether a module can not be a filter's or one of its helpers'."""
    return module is None or module.partition(".")[0] in FOREIGN
