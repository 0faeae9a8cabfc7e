"""The built-in exceptions, by the names and with the bases of CPython.

The module shadows the names it declares, so nothing is raised here; `errors` raises.
"""

# ruff: noqa: A001 - these are the built-in classes

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name


class BaseException:
    """Root of what can be raised. The arguments of the constructor are its `args`."""

    args: tuple[object, ...]
    __cause__: BaseException | None
    __context__: BaseException | None
    __suppress_context__: bool

    def __init__(self, *args: object) -> None:
        prepare(self, args)

    def __str__(self) -> str:
        if len(self.args) == 0:
            return ""
        if len(self.args) == 1:
            return str(self.args[0])
        return repr(self.args)

    def __repr__(self) -> str:
        name = type_name(self)
        if len(self.args) == 1:
            return f"{name}({self.args[0]!r})"
        return name + repr(self.args)


def prepare(error: BaseException, args: tuple[object, ...]) -> None:
    """Give a new exception its arguments, as `BaseException.__new__` does before any `__init__`."""
    error.args = args
    error.__cause__ = None
    error.__context__ = None
    error.__suppress_context__ = False


class SystemExit(BaseException):
    """A request to leave the program."""


class KeyboardInterrupt(BaseException):
    """Interrupted by the user."""


class GeneratorExit(BaseException):
    """A generator is closed."""


class Exception(BaseException):
    """Root of what programs catch."""


class StopIteration(Exception):
    """An iterator has no more; `value` is what a generator returned."""

    value: object

    def __init__(self, *args: object) -> None:
        prepare(self, args)
        self.value = args[0] if len(args) > 0 else None


class StopAsyncIteration(Exception):
    """An asynchronous iterator has no more."""


class ArithmeticError(Exception):
    """Root of the arithmetic failures."""


class FloatingPointError(ArithmeticError):
    """A floating point operation failed."""


class OverflowError(ArithmeticError):
    """A result is too large."""


class ZeroDivisionError(ArithmeticError):
    """Division by zero."""


class AssertionError(Exception):
    """An assertion does not hold."""


class AttributeError(Exception):
    """No such attribute, or it has no value."""


class BufferError(Exception):
    """A buffer can not be used so."""


class EOFError(Exception):
    """No more input."""


class ImportError(Exception):
    """A module can not be imported."""


class ModuleNotFoundError(ImportError):
    """No such module."""


class LookupError(Exception):
    """Root of index and key failures."""


class IndexError(LookupError):
    """No item at this index."""


class KeyError(LookupError):
    """No such key; its text is the key's repr."""

    def __str__(self) -> str:
        if len(self.args) == 1:
            return repr(self.args[0])
        return super().__str__()


class MemoryError(Exception):
    """No memory left."""


class NameError(Exception):
    """No such name."""


class UnboundLocalError(NameError):
    """A local variable has no value yet."""


class ReferenceError(Exception):
    """What was referred to is gone."""


class RuntimeError(Exception):
    """A failure of no other class."""


class NotImplementedError(RuntimeError):
    """Left to a subclass."""


class RecursionError(RuntimeError):
    """Calls nest too deeply."""


class SystemError(Exception):
    """A failure of the interpreter itself."""


class TypeError(Exception):
    """A value of the wrong class."""


class ValueError(Exception):
    """A value of the right class that will not do."""


class UnicodeError(ValueError):
    """Root of the encoding failures."""


class UnicodeDecodeError(UnicodeError):
    """Bytes that are no text in an encoding; `start` and `end` say which."""

    encoding: str
    object: bytes
    start: int
    end: int
    reason: str

    def __init__(self, encoding: str, data: bytes, start: int, end: int, reason: str) -> None:
        prepare(self, (encoding, data, start, end, reason))
        self.encoding = encoding
        self.object = data
        self.start = start
        self.end = end
        self.reason = reason

    def __str__(self) -> str:
        if self.end - self.start == 1:
            which = f"byte 0x{self.object[self.start]:02x} in position {self.start}"
        else:
            which = f"bytes in position {self.start}-{self.end - 1}"
        return f"'{self.encoding}' codec can't decode {which}: {self.reason}"


class UnicodeEncodeError(UnicodeError):
    """Text that has no bytes in an encoding; `start` and `end` say which."""

    encoding: str
    object: str
    start: int
    end: int
    reason: str

    def __init__(self, encoding: str, text: str, start: int, end: int, reason: str) -> None:
        prepare(self, (encoding, text, start, end, reason))
        self.encoding = encoding
        self.object = text
        self.start = start
        self.end = end
        self.reason = reason

    def __str__(self) -> str:
        if self.end - self.start == 1:
            which = f"character '{escaped(ord(self.object[self.start]))}' in position {self.start}"
        else:
            which = f"characters in position {self.start}-{self.end - 1}"
        return f"'{self.encoding}' codec can't encode {which}: {self.reason}"


def escaped(point: int) -> str:
    """A character as the messages of UnicodeEncodeError show it."""
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


class Warning(Exception):
    """Root of the warnings."""


class UserWarning(Warning):
    """A warning of a program."""


class DeprecationWarning(Warning):
    """Something is going away."""


class RuntimeWarning(Warning):
    """Doubtful behaviour."""


class OSError(Exception):
    """A failure of the system: a number, its text and maybe a file's name, or any arguments."""

    errno: object
    strerror: object
    filename: object

    def __init__(self, *args: object) -> None:
        told = len(args) == 2 or len(args) == 3
        prepare(self, args[:2] if told else args)
        self.errno = args[0] if told else None
        self.strerror = args[1] if told else None
        self.filename = args[2] if len(args) == 3 else None

    def __str__(self) -> str:
        if len(self.args) != 2:
            return super().__str__()
        told = f"[Errno {self.errno}] {self.strerror}"
        return told if self.filename is None else f"{told}: {self.filename!r}"


class BlockingIOError(OSError):
    """The operation would block."""


class ChildProcessError(OSError):
    """A child process failed."""


class ConnectionError(OSError):
    """Root of the connection failures."""


class BrokenPipeError(ConnectionError):
    """The other side has closed."""


class ConnectionAbortedError(ConnectionError):
    """The connection was aborted."""


class ConnectionRefusedError(ConnectionError):
    """The connection was refused."""


class ConnectionResetError(ConnectionError):
    """The connection was reset."""


class FileExistsError(OSError):
    """There is such a file already."""


class FileNotFoundError(OSError):
    """No such file."""


class InterruptedError(OSError):
    """A call was interrupted."""


class IsADirectoryError(OSError):
    """A folder where a file is wanted."""


class NotADirectoryError(OSError):
    """A file where a folder is wanted."""


class PermissionError(OSError):
    """Not allowed."""


class ProcessLookupError(OSError):
    """No such process."""


class TimeoutError(OSError):
    """It took too long."""
