"""logging: lines in the proxy's log. Levels, names and %-arguments are CPython's; handlers, filters and
formatters are the proxy's own business, so they are not there."""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.percent import format_percent
from meshext_wasm.library.proxy.host import log as log_line
from meshext_wasm.library.proxy.quota import QUOTA, shortened
from meshext_wasm.library.proxy.traceback import format_sites

NOTSET = 0
DEBUG = 10
INFO = 20
WARNING = 30
ERROR = 40
CRITICAL = 50


def getLevelName(level: int) -> str:  # noqa: N802 - CPython's name
    """What a level is called."""
    match level:
        case 10:
            return "DEBUG"
        case 20:
            return "INFO"
        case 30:
            return "WARNING"
        case 40:
            return "ERROR"
        case 50:
            return "CRITICAL"
        case 0:
            return "NOTSET"
        case _:
            return f"Level {level}"


def proxy_level(level: int) -> int:
    """The proxy's level: 0 trace, 1 debug, 2 info, 3 warning, 4 error, 5 critical."""
    return 0 if level < DEBUG else 5 if level >= CRITICAL else level // 10


class Logger:
    """Writes lines under a name. A level of its own leaves out what is below it; the proxy has one too."""

    name: str
    level: int

    def __init__(self, name: str, level: int = NOTSET) -> None:
        self.name = name
        self.level = level

    def setLevel(self, level: int) -> None:  # noqa: N802
        """Leave out what is below this level."""
        self.level = level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        """Whether a line of this level is given to the proxy."""
        return level >= self.level

    def log(self, level: int, msg: object, *args: object) -> None:
        """A line of any level."""
        if self.isEnabledFor(level) and QUOTA.take():
            log_line(proxy_level(level), shortened(self.name + ": " + message_of(msg, args)))

    def debug(self, msg: object, *args: object) -> None:
        """For those who look for a fault."""
        self.log(DEBUG, msg, *args)

    def info(self, msg: object, *args: object) -> None:
        """What happened."""
        self.log(INFO, msg, *args)

    def warning(self, msg: object, *args: object) -> None:
        """What should not happen."""
        self.log(WARNING, msg, *args)

    def error(self, msg: object, *args: object) -> None:
        """What failed."""
        self.log(ERROR, msg, *args)

    def critical(self, msg: object, *args: object) -> None:
        """What makes all fail."""
        self.log(CRITICAL, msg, *args)

    def exception(self, msg: object, *args: object, exc_info: BaseException | None = None) -> None:
        """What failed, with the traceback of the exception that is being handled."""
        if not self.isEnabledFor(ERROR) or not QUOTA.take():
            return
        text = message_of(msg, args) + format_sites()
        if exc_info is not None:
            text += "\n" + type_name(exc_info)
            if str(exc_info) != "":
                text += ": " + str(exc_info)
        log_line(proxy_level(ERROR), shortened(self.name + ": " + text))


def message_of(msg: object, args: tuple[object, ...]) -> str:
    """The text of a line. Arguments that do not fit the template stand behind it: logging never raises."""
    text = str(msg)
    if len(args) == 0:
        return text
    try:
        return format_percent(text, args[0] if len(args) == 1 and isinstance(args[0], dict) else args)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        return f"{text} {args!r} (logging: {error})"


class Loggers:
    """Every logger by its name."""

    known: dict[str, Logger]

    def __init__(self) -> None:
        self.known = {}

    def get(self, name: str) -> Logger:
        """The logger of a name, always the same."""
        found = self.known.get(name)
        if found is None:
            found = Logger(name)
            self.known[name] = found
        return found


LOGGERS = Loggers()


def getLogger(name: str = "root") -> Logger:  # noqa: N802
    """The logger of a name."""
    return LOGGERS.get(name)


def debug(msg: object, *args: object) -> None:
    """A line of the root logger."""
    getLogger().debug(msg, *args)


def info(msg: object, *args: object) -> None:
    """A line of the root logger."""
    getLogger().info(msg, *args)


def warning(msg: object, *args: object) -> None:
    """A line of the root logger."""
    getLogger().warning(msg, *args)


def error(msg: object, *args: object) -> None:
    """A line of the root logger."""
    getLogger().error(msg, *args)


def critical(msg: object, *args: object) -> None:
    """A line of the root logger."""
    getLogger().critical(msg, *args)


def exception(msg: object, *args: object, exc_info: BaseException | None = None) -> None:
    """A line of the root logger with the traceback of the exception that is being handled."""
    getLogger().exception(msg, *args, exc_info=exc_info)
