"""contextlib: suppress."""

from __future__ import annotations

from meshext_wasm.library.builtins.objects import is_instance


class suppress:  # noqa: N801  # Python's name
    """`with suppress(KeyError): ...`: an exception of these classes ends the block, and nothing else."""

    def __init__(self, *exceptions: type) -> None:
        self.exceptions = exceptions

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        return error is not None and is_instance(error, self.exceptions)
