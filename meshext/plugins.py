"""Find a filter class: by file, by module, or by the name under which a distribution offers it.

path/to/file.py:Class     a file; `:Class` may be left out where the file has one filter
package.module:Class      a module that can be imported
name                      an entry point of the group `meshext.filters`
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from meshext import siblings, sources
from meshext.config import check_config_type
from meshext.errors import MeshextError, SpecError
from meshext.filter import Filter, class_needs

GROUP = "meshext.filters"


@dataclass(frozen=True, slots=True)
class Offer:
    """A filter that an installed distribution offers by name; nothing of it is loaded.

    `target` is what can be written in the name's place, `module:Class`; `distribution` and `version` are ""
    where they are not known.
    """

    name: str
    target: str
    distribution: str = ""
    version: str = ""


def find_offers() -> list[Offer]:
    """Every filter that is installed, ours and others', by name."""
    return sorted(set(map(to_offer, entry_points(group=GROUP))), key=lambda offer: (offer.name, offer.target))


def to_offer(point: EntryPoint) -> Offer:
    """What an entry point says."""
    if point.dist is None:
        return Offer(point.name, point.value)
    return Offer(point.name, point.value, point.dist.name, point.dist.version)


def load_filter(spec: str) -> type[Filter]:
    """The class of a spec, checked to be one that can serve; SpecError says in one line what is wrong."""
    place, _, name = spec.rpartition(":") if ":" in spec else (spec, "", "")
    if ":" in spec and not place:
        raise SpecError(f"{spec!r} names no file; write path/to/file.py:Class")
    if place.endswith(".py") or os.sep in place:
        found = find_class(load_file(place), name, spec)
    elif ":" in spec:
        found = find_class(load_module(place, spec), name, spec)
    else:
        found = load_entry_point(spec)
    return check_class(found, spec)


def load_file(place: str) -> ModuleType:
    """The module of a file, loaded anew; its sibling modules can be imported by it."""
    path = Path(place).resolve()
    if not path.is_file():
        raise SpecError(f"{place!r} is not a file; write path/to/file.py:Class")
    if path.suffix != ".py":
        raise SpecError(f"{place!r} can not be imported; a filter's file ends in .py")
    try:
        return siblings.import_beside(path)
    except BaseException as error:
        raise import_failed(place, error) from error


def load_module(place: str, spec: str) -> ModuleType:
    """An importable module; the current folder counts, as with `python -m`."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    sources.load_fresh(place)
    try:
        return importlib.import_module(place)
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name and place.startswith(error.name):
            raise SpecError(
                f"{spec!r}: there is no module {error.name!r}; a file is written file.py:Class"
            ) from error
        raise import_failed(spec, error) from error


def load_entry_point(name: str) -> object:
    """What a distribution offers under that name."""
    points = list(entry_points(group=GROUP))
    found = {point.value: point for point in points if point.name == name}
    if not found:
        offered = sorted({point.name for point in points})
        known = f"the installed ones are {', '.join(offered)}" if offered else "none is installed"
        raise SpecError(f"{name!r} is not a filter's name ({known}); a file is written path/to/file.py:Class")
    if len(found) > 1:
        owners = " and ".join(sorted(describe_owners(points, name)))
        raise SpecError(f"{name!r} is offered by {owners}; write module:Class of the one that is meant")
    [point] = found.values()
    sources.load_fresh(point.module)
    try:
        return point.load()
    except BaseException as error:
        raise import_failed(name, error) from error


def describe_owners(points: list[EntryPoint], name: str) -> Iterator[str]:
    """Who offers a name, with what stands behind it."""
    for offer in {to_offer(point) for point in points if point.name == name}:
        yield f"{offer.distribution or 'an unknown distribution'} ({offer.target})"


def find_class(module: ModuleType, name: str, spec: str) -> object:
    """The class of that (dotted) name; without one, the module's only filter."""
    own = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Filter) and value.__module__ == module.__name__
    ]
    if not name:
        if len(own) == 1:
            return own[0]
        names = ", ".join(cls.__name__ for cls in own) or "none"
        raise SpecError(f"{spec!r}: say which class, as in {spec.rstrip(':')}:Class (filters there: {names})")
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            names = ", ".join(cls.__name__ for cls in own) or "none"
            raise SpecError(f"{spec!r}: there is no {name!r} (filters there: {names})")
        found = getattr(found, part)
    return found


def check_class(found: object, spec: str) -> type[Filter]:
    """A Filter subclass whose hooks, declarations and Config make sense."""
    if not inspect.isclass(found) or not issubclass(found, Filter) or found is Filter:
        what = f"the class {found.__name__}" if inspect.isclass(found) else f"of type {type(found).__name__}"
        raise SpecError(f"{spec!r} is {what}, not a subclass of meshext.Filter")
    class_needs(found)
    config_type = getattr(found, "Config", None)
    if config_type is not None and config_type is not str:
        check_config_type(config_type, owner=found)
    return found


def import_failed(place: str, error: BaseException) -> BaseException:
    """One line for why a filter's code could not be imported, with the author's file and line."""
    if isinstance(error, MeshextError | KeyboardInterrupt):
        return error
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}"
        return SpecError(f"{place!r} does not import: SyntaxError: {error.msg} ({where})")
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<") and file not in (__file__, siblings.__file__, sources.__file__):
            where = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    text = str(error).partition("\n")[0]
    return SpecError(f"{place!r} does not import: {type(error).__name__}: {text}{where}")
