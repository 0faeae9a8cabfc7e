"""Second step: what imported names mean."""

from __future__ import annotations

from meshext_wasm.source.imports import KNOWN, Import, unit_name
from meshext_wasm.source.loading import Loaded, describe_missing
from meshext_wasm.tree.program import Module
from meshext_wasm.typecheck.calling import spelled
from meshext_wasm.typecheck.declarations.declared import Declared, Site
from meshext_wasm.typecheck.meanings.refusals import IMPORTED
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    MissingSymbol,
    ModuleSymbol,
    RawSymbol,
    SpecialSymbol,
    Symbol,
)

SPECIAL = {
    "typing": "Annotated Any Callable ClassVar Final Generic Literal Never NoReturn Optional Protocol Self "
    "TypeAlias TypeVar Union assert_never cast final overload override runtime_checkable TYPE_CHECKING "
    "NamedTuple NewType TypedDict ParamSpec",
    "dataclasses": "dataclass field replace asdict astuple fields",
    "enum": "Enum IntEnum StrEnum Flag IntFlag auto unique",
    "abc": "ABC abstractmethod ABCMeta",
    "__future__": "annotations",
    "collections.abc": "Callable",
    "functools": "cache lru_cache partial total_ordering",
    spelled.MODULE: spelled.NAMES,
}
"""Names that the checker knows itself, some of them of modules that the library has too."""
OLDER = {
    **{name: name.lower() for name in ("Dict", "List", "Set", "Tuple", "FrozenSet", "Type")},
    "AbstractSet": "collections.abc.Set",
    "Text": "str",
    **{name: f"collections.{name}" for name in ("Counter", "OrderedDict")},
    "DefaultDict": "collections.defaultdict",
    "Deque": "collections.deque",
    "Match": "re.Match",
    "Pattern": "re.Pattern",
}
"""Names that `typing` has for classes of elsewhere."""
CHECKER = "isinstance issubclass super type callable property classmethod staticmethod"


def bind_imports(declared: Declared, loaded: Loaded, *, report: bool) -> None:
    """Give every imported name its meaning, as far as it is known already."""
    for source in loaded.modules:
        bind_site(declared.sites[source.name], loaded, report=report)


def bind_site(site: Site, loaded: Loaded, *, report: bool) -> None:
    """The imports of one module, and the names that the checker gives a module of the library."""
    if site.is_library:
        for name in SPECIAL.get(site.module.name, "").split():
            site.module.names.setdefault(name, special(site.module.name, name))
    for each in loaded.imports[site.source.name]:
        bind_import(site, each, report=report)


def bind_import(site: Site, each: Import, *, report: bool) -> None:
    """One import statement. Names that it does not find are missing from then on, so that what they are used
    for is no mistake of its own."""
    module = unit_name(each.module)
    names = site.module.names if each.function is None else site.unit.imported.setdefault(each.function, {})
    missing = dict.fromkeys(
        [here for _, here in each.names] or [each.bound.partition(".")[0]], MissingSymbol()
    )
    if report and each.function is not None and not is_loaded(site, module):
        site.report(each.node, *describe_missing(each.module))
        names.update(missing)
        return
    if not each.names:
        bind_module(site, names, module, each.bound)
        if report and not is_loaded(site, module):
            names.update({here: symbol for here, symbol in missing.items() if here not in names})
        return
    for name, here in each.names:
        found = find_name(site, module, name) if name != "*" else None
        if found is not None:
            names[here] = found
        elif report:
            names[here] = missing[here]
            refuse_name(site, each, module, name)


def refuse_name(site: Site, each: Import, module: str, name: str) -> None:
    """Refuse a name that a module does not have; that there is no such module is reported already."""
    if name == "*":
        site.report(each.node, "import * hides which names there are", f"from {module} import a, b")
    elif is_loaded(site, module) and (module or any(find_name(site, "", other) for other, _ in each.names)):
        place = next((a for a in each.node.names if a.name == name), each.node)
        reason = f"{each.module or 'the package'} has no {name} that is compiled"
        site.report(place, *IMPORTED.get((module, name), (reason, "one of the names that it has")))


def is_loaded(site: Site, module: str) -> bool:
    """Whether a module was found; one that was not is reported already."""
    return module in site.program.modules or module in KNOWN or module in ("raw", "")


def bind_module(site: Site, names: dict[str, Symbol], module: str, bound: str) -> None:
    """`import a.b` binds `a`, `import a.b as c` binds `c`."""
    found = find_module(site, module)
    if found is None:
        return
    if bound != module or "." not in module:
        names[bound] = found
        return
    top, *rest = module.split(".")
    outer = find_module(site, top) or ModuleSymbol(top, Module(top, ""))
    names[top] = outer
    for index, part in enumerate(rest):
        name = ".".join([top, *rest[: index + 1]])
        inner = find_module(site, name) or ModuleSymbol(name, Module(name, ""))
        outer.names.setdefault(part, inner)
        outer = inner


def find_module(site: Site, module: str) -> ModuleSymbol | None:
    """A module of the program or library, or one that the checker knows."""
    if module in site.program.modules:
        return site.program.modules[module]
    if module == "raw" and site.is_library:
        return None
    if module not in SPECIAL:
        return None
    made = ModuleSymbol(module, Module(module, ""))
    for name in SPECIAL[module].split():
        found = find_name(site, module, name)
        if found is not None:
            made.names[name] = found
    return made


def find_name(site: Site, module: str, name: str) -> Symbol | None:
    """What a name of a module means."""
    if module == "raw" and site.is_library:
        return RawSymbol(name)
    if name in SPECIAL.get(module, "").split():
        return special(module, name)
    if module in ("typing", "typing_extensions"):
        return find_name(site, "typing", name) if module != "typing" else from_abc(site, name)
    found = site.program.modules.get(module)
    if found is not None and name in found.names:
        return found.names[name]
    return site.program.modules.get(f"{module}.{name}" if module else name)


def special(module: str, name: str) -> SpecialSymbol:
    """A name that the checker knows itself; those of `operator` are told from others, such as `abs`."""
    return SpecialSymbol(f"{module}.{name}" if module == spelled.MODULE else name)


def from_abc(site: Site, name: str) -> Symbol | None:
    """`typing` has the classes of `collections.abc` too, and the older names of others."""
    if name in OLDER:
        module, _, own = OLDER[name].rpartition(".")
        return find_name(site, module, own) if module else site.program.builtins.get(own)
    found = site.program.modules.get("collections.abc")
    return found.names.get(name) if found is not None else None


def fill_builtins(declared: Declared) -> None:
    """The names that every module has: those of the library's `builtins`, the built-in classes, the
    exceptions, and what the checker knows itself."""
    program = declared.unit.program
    for name in ("builtins.exceptions", "builtins"):
        module = program.modules.get(name)
        for key, symbol in (module.names if module else {}).items():
            fixed = isinstance(program.builtins.get(key), ClassSymbol)
            if not fixed and not isinstance(symbol, ModuleSymbol | RawSymbol | SpecialSymbol):
                program.builtins[key] = symbol
    for name in CHECKER.split():
        program.builtins.setdefault(name, SpecialSymbol(name))
