"""collections: defaultdict, Counter, OrderedDict and deque."""

from meshext_wasm.library.collections.counters import Counter
from meshext_wasm.library.collections.deques import deque
from meshext_wasm.library.collections.dicts import OrderedDict, defaultdict

__all__ = ["Counter", "OrderedDict", "defaultdict", "deque"]
