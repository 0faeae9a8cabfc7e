"""collections.abc: what can be iterated."""

from meshext_wasm.library.builtins.generators import Generator
from meshext_wasm.library.builtins.iteration import AbstractSet as Set
from meshext_wasm.library.builtins.iteration import Collection, Iterable, Iterator, Mapping, Sequence

__all__ = ["Collection", "Generator", "Iterable", "Iterator", "Mapping", "Sequence", "Set"]
