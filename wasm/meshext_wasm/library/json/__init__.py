"""json: loads and dumps."""

from __future__ import annotations

from meshext_wasm.library.json.decoder import JSONDecodeError, loads
from meshext_wasm.library.json.encoder import dumps

__all__ = ["JSONDecodeError", "dumps", "loads"]
