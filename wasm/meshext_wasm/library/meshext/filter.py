"""The base class of every policy. Its hooks are found when the module is built, not called through it."""

from meshext_wasm.library.meshext.needs import ASKED, Needs
from meshext_wasm.library.meshext.store import Store


class Filter:
    """See `meshext.Filter`. `store` is there once the filter is made."""

    store: Store

    @classmethod
    def needs(cls, config: object) -> Needs:
        """What the class needs by its hooks and attributes alone."""
        return ASKED.needs
