"""Modules that others made: what Envoy would refuse, or crash on, is refused before anything sees them.

Seen with Envoy 1.40: a module that does not export its memory crashes the whole process at its first call of
the host; other mistakes fail to load with no reason given to the control plane.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from meshext_wasm.abi.functions import CALLBACKS, MODULE, WASI_MODULE
from meshext_wasm.link.encoding import I32, Reader, Signature, sections
from meshext_wasm.link.errors import LinkError, ModuleError
from meshext_wasm.link.symbols import LETTERS, host_function

TYPE, IMPORT, FUNCTION, MEMORY, EXPORT = 1, 2, 3, 5, 7
FUNCTION_KIND, TABLE_KIND, MEMORY_KIND, GLOBAL_KIND, TAG_KIND = 0, 1, 2, 3, 4
MARKERS = ("proxy_abi_version_0_1_0", "proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1")
ALLOCATORS = ("malloc", "proxy_on_memory_allocate")
MOST_PAGES = 16384
"""A GiB: what Envoy gives a module."""
NO_OPS = {
    "pthread_equal": Signature(bytes([I32, I32]), bytes([I32])),
    "emscripten_notify_memory_growth": Signature(bytes([I32]), b""),
}
"""Further imports from `env` that Envoy has for what Emscripten makes."""
WASI_NAMES = (WASI_MODULE, "wasi_unstable")
WASI_KNOWN = frozenset(
    "args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_advise "
    "fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights "
    "fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_dir_name "
    "fd_prestat_get fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write "
    "path_create_directory path_filestat_get path_filestat_set_times path_link path_open path_readlink "
    "path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit random_get "
    "sched_yield sock_accept sock_recv sock_send sock_shutdown".split()
)
"""Functions of WASI that Envoy links; most of them only give an error at run time."""


@dataclass(slots=True)
class Contents:
    """What the check asks of a module. Functions are their types, imports first."""

    types: list[Signature] = field(default_factory=list)
    imports: list[tuple[str, str, int, Signature | None]] = field(default_factory=list)
    functions: list[Signature] = field(default_factory=list)
    pages: int | None = None
    exports: dict[str, tuple[int, int]] = field(default_factory=dict)


def check_module(module: bytes, *, source: str = "module") -> None:
    """ModuleError with every reason why Envoy must not get a module; `source` is where it came from."""
    try:
        contents = parse_module(module, source=source)
    except LinkError as error:
        raise ModuleError([str(error)], source=source) from None
    problems = [
        *check_memory(contents),
        *check_imports(contents),
        *check_exports(contents),
    ]
    if problems:
        raise ModuleError(problems, source=source)


def parse_module(module: bytes, *, source: str) -> Contents:
    """The parts of a module that the check looks at. LinkError for what is none."""
    found = Contents()
    for kind, _, reader in sections(module, source=source):
        if kind == TYPE:
            found.types = [reader.signature() for _ in range(reader.unsigned())]
        elif kind == IMPORT:
            parse_imports(found, reader)
        elif kind == FUNCTION:
            found.functions += [type_at(found, reader) for _ in range(reader.unsigned())]
        elif kind == MEMORY:
            for _ in range(reader.unsigned()):
                found.pages = parse_limits(reader)
        elif kind == EXPORT:
            for _ in range(reader.unsigned()):
                name = reader.name()
                found.exports[name] = (reader.byte(), reader.unsigned())
    return found


def parse_imports(found: Contents, reader: Reader) -> None:
    """Everything that the module wants from the host."""
    for _ in range(reader.unsigned()):
        module, name, kind = reader.name(), reader.name(), reader.byte()
        signature = None
        if kind == FUNCTION_KIND:
            signature = type_at(found, reader)
            found.functions.append(signature)
        elif kind == TABLE_KIND:
            reader.byte()
            parse_limits(reader)
        elif kind == MEMORY_KIND:
            found.pages = parse_limits(reader)
        elif kind == GLOBAL_KIND:
            reader.take(2)
        elif kind == TAG_KIND:
            reader.byte()
            reader.unsigned()
        else:
            raise reader.broken(f"an import of kind {kind}")
        found.imports.append((module, name, kind, signature))


def type_at(found: Contents, reader: Reader) -> Signature:
    """The type that a number means."""
    number = reader.unsigned()
    if number >= len(found.types):
        raise reader.broken(f"a type {number} of {len(found.types)}")
    return found.types[number]


def parse_limits(reader: Reader) -> int:
    """The least size of a memory or table."""
    flags = reader.byte()
    least = reader.unsigned()
    if flags & 1:
        reader.unsigned()
    return least


def check_memory(contents: Contents) -> Iterator[str]:
    """One exported memory, not too large."""
    if contents.exports.get("memory", (None, 0))[0] != MEMORY_KIND:
        yield "it exports no memory called 'memory': Envoy would crash at its first call; export it"
    if contents.pages is not None and contents.pages > MOST_PAGES:
        yield f"it wants {contents.pages} pages of memory at the start; Envoy gives {MOST_PAGES} at most"


def check_imports(contents: Contents) -> Iterator[str]:
    """Every import is a function that Envoy has, with the same type."""
    for module, name, kind, signature in contents.imports:
        if kind != FUNCTION_KIND:
            if kind != MEMORY_KIND:
                yield f"it imports {module}.{name}, which is no function; Envoy has functions only"
            continue
        yield from check_import(module, name, signature)


def check_import(module: str, name: str, signature: Signature | None) -> Iterator[str]:
    """One function that is imported."""
    if module in WASI_NAMES and name in WASI_KNOWN:
        return
    has = NO_OPS.get(name)
    if has is None and module == MODULE:
        known = host_function(name)
        has = known.signature if known is not None and known.module == MODULE else None
    if module != MODULE or has is None:
        yield f"it imports {module}.{name}, which Envoy does not have"
    elif signature != has:
        yield f"it imports {module}.{name} as {signature}; Envoy has {has}"


def check_exports(contents: Contents) -> Iterator[str]:
    """The mark of the ABI, an allocator, and the types of callbacks."""
    functions = {
        name: contents.functions[number]
        for name, (kind, number) in contents.exports.items()
        if kind == FUNCTION_KIND and number < len(contents.functions)
    }
    if not any(each in functions for each in MARKERS):
        yield f"it exports none of {', '.join(MARKERS)}: Envoy would not know its ABI"
    if not any(each in functions for each in ALLOCATORS):
        yield f"it exports neither {' nor '.join(ALLOCATORS)}: Envoy could hand it nothing"
    for name, wanted in expected_types().items():
        if name in functions and functions[name] != wanted:
            yield f"it exports {name} as {functions[name]}; Envoy calls it as {wanted}"


def expected_types() -> Mapping[str, Signature]:
    """The types of callbacks, by name."""
    return {
        name: Signature(
            bytes(LETTERS[each] for each in row.parameters), bytes(LETTERS[each] for each in row.results)
        )
        for name, row in CALLBACKS.items()
    }
