"""Where `self.store` keeps its data when one process is not enough: the supervisor's memory, or Redis."""

from __future__ import annotations

from meshext.stores.opening import check_store, open_store

__all__ = ["check_store", "open_store"]
