"""The SDK's surface, compiled: what `from meshext import ...` finds in a filter that becomes a module."""

from meshext_wasm.library.meshext.actions import Respond as Respond
from meshext_wasm.library.meshext.cookies import Cookies as Cookies
from meshext_wasm.library.meshext.errors import HeaderError as HeaderError
from meshext_wasm.library.meshext.errors import MeshextError as MeshextError
from meshext_wasm.library.meshext.errors import SpecError as SpecError
from meshext_wasm.library.meshext.errors import StoreError as StoreError
from meshext_wasm.library.meshext.errors import StoreUnavailable as StoreUnavailable
from meshext_wasm.library.meshext.errors import UndeclaredError as UndeclaredError
from meshext_wasm.library.meshext.errors import UnsupportedError as UnsupportedError
from meshext_wasm.library.meshext.exchange import Exchange as Exchange
from meshext_wasm.library.meshext.filter import Filter as Filter
from meshext_wasm.library.meshext.headers import Headers as Headers
from meshext_wasm.library.meshext.limits import Limit as Limit
from meshext_wasm.library.meshext.limits import Outcome as Outcome
from meshext_wasm.library.meshext.metadata import Metadata as Metadata
from meshext_wasm.library.meshext.metrics import Counter as Counter
from meshext_wasm.library.meshext.metrics import Gauge as Gauge
from meshext_wasm.library.meshext.metrics import Histogram as Histogram
from meshext_wasm.library.meshext.needs import Needs as Needs
from meshext_wasm.library.meshext.peer import Peer as Peer
from meshext_wasm.library.meshext.query import Query as Query
from meshext_wasm.library.meshext.request import Request as Request
from meshext_wasm.library.meshext.response import Response as Response
from meshext_wasm.library.meshext.store import Store as Store
