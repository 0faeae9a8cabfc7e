"""What the SDK raises in a filter's hands; names and texts are the SDK's."""


class MeshextError(Exception):
    """Root of what the SDK raises. `HeaderError` and `UndeclaredError` are below it too for those who catch
    or test it (`typecheck/meanings/narrowing.py`), though a class here has one base."""


class HeaderError(ValueError):
    """A header name or value, request line or status that is not legal HTTP (RFC 9110 section 5)."""


class UndeclaredError(LookupError):
    """An attribute or metadata namespace was used that the class does not declare."""


class UnsupportedError(MeshextError):
    """A runtime can not carry what a filter asks for."""


class StoreError(MeshextError):
    """The store can not carry out what was asked."""


class StoreUnavailable(StoreError):
    """Other workers were quicker too often."""


class SpecError(MeshextError):
    """A filter's class asks for something that makes no sense."""
