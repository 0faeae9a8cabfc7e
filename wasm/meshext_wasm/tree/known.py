"""What the compiler itself needs from the run-time library, by symbol; nothing else is spelled elsewhere."""

from __future__ import annotations

from typing import Final

CELL: Final = "builtins.cell"
FUNCTION: Final = "builtins.function"
TYPE: Final = "builtins.type"
OBJECT: Final = "builtins.object"
NONE: Final = "builtins.NoneType"
INT: Final = "builtins.int"
BOOL: Final = "builtins.bool"
FLOAT: Final = "builtins.float"
STR: Final = "builtins.str"
BYTES: Final = "builtins.bytes"
TUPLE: Final = "builtins.tuple"
ARRAY: Final = "builtins.array"

UNBOUND_LOCAL: Final = "builtins.errors.unbound_local"
"""(name: str) -> never: UnboundLocalError."""
UNBOUND_FREE: Final = "builtins.errors.unbound_free"
"""(name: str) -> never: NameError, a captured variable without a value."""
UNSET_ATTRIBUTE: Final = "builtins.errors.unset_attribute"
"""(instance: object, name: str) -> never: AttributeError."""
EXHAUSTED: Final = "builtins.limits.Exhausted"
MORE: Final = "builtins.memory.more"
"""(bytes: word): makes room on the heap for so many bytes from `heap.top` on, or raises MemoryError."""
RECURSION: Final = "builtins.errors.recursion"
"""() -> never: RecursionError, the stack is used up."""
