"""The built-in names: the modules that declare them.

A name of a program means what `@builtin`, `@alternative` or a class of `exceptions` says. The imports are
what puts the modules into the library; nothing of them is needed to have run before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshext_wasm.library.builtins import (  # noqa: F401
        adapters,
        bool_class,
        bytes_core,
        bytes_form,
        bytes_search,
        bytes_split,
        decoding,
        dict_views,
        dicts,
        encoding,
        errors,
        exceptions,
        float_class,
        formatting,
        functions,
        int_bytes,
        int_class,
        iteration,
        lists,
        machinery,
        memory,
        number_functions,
        objects,
        percent,
        ranges,
        sets,
        text_case,
        text_core,
        text_form,
        text_repr,
        text_search,
        text_split,
        text_strip,
        text_tests,
        tuples,
    )
    from meshext_wasm.library.builtins.missing import NotImplemented  # noqa: A004, F401
