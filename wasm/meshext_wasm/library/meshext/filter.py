"""The base class of every policy. Its hooks are found when the module is built, not called through it."""

from meshext_wasm.library.meshext.needs import ASKED, Needs


class Filter:
    """See `meshext.Filter`."""

    @classmethod
    def needs(cls, config: object) -> Needs:
        """What the class needs by its hooks and attributes alone."""
        return ASKED.needs
