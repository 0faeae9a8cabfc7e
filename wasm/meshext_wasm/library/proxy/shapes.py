"""What a configuration has to look like, and reading it so: `meshext.config` inside the module.

The shapes of a `Config` are written for the build from the same Model that the SDK reads; so is what makes
its instance. A value that does not fit is refused with its path, what was expected, and what to write.
"""

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.proxy.problems import MOST_PROBLEMS, Problems, below, mistakes, name_of, one_line
from meshext_wasm.library.proxy.secrets import is_secret_name, note_texts, redact
from meshext_wasm.library.proxy.wording import (
    as_number,
    as_truth,
    as_whole,
    likely,
    quoted,
    shown,
    unknown_key,
)
from meshext_wasm.library.raw import virtual


class Shape:
    """`described` is what is expected, in words, `example` what could be written, as JSON."""

    def __init__(self, described: str, example: str) -> None:
        self.described = described
        self.example = example

    @virtual
    def fits(self, value: object) -> bool:
        """Whether a value is of this kind; what is inside of it is looked at when it is read."""
        raise NotImplementedError

    @virtual
    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """What the value becomes; where it does not fit, a problem is noted and the result means nothing."""
        self.refuse(value, place, secret, problems)
        return None

    def refuse(self, value: object, place: str, secret: bool, problems: Problems) -> None:
        """Note that a value does not fit."""
        problems.note(place, self.mismatch(value, secret))

    def mismatch(self, value: object, secret: bool) -> str:
        """What was expected, what was found, and what to write."""
        advice = self.advise(value, secret) or f"write for example {self.example}"
        return f"expected {self.described}, got {shown(value, secret)}; {advice}"

    @virtual
    def advise(self, value: object, secret: bool) -> str:
        """Advice for a value that is right but for the way it is written; "" when it is just wrong."""
        return ""


class Scalar(Shape):
    """One of JSON's simple values: `kind` is str, int, float, bool or null."""

    def __init__(self, kind: str, described: str, example: str) -> None:
        super().__init__(described, example)
        self.kind = kind

    def fits(self, value: object) -> bool:
        """By its type; `true` is no number, and an int has 64 bits."""
        if self.kind == "str":
            return isinstance(value, str)
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "null":
            return value is None
        if isinstance(value, bool):
            return False
        if self.kind == "int":
            return isinstance(value, int) and -9223372036854775808 <= value <= 9223372036854775807
        if isinstance(value, int):
            return True
        return isinstance(value, float) and value - value == 0.0

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """The value; a float where one is wanted."""
        if not self.fits(value):
            self.refuse(value, place, secret, problems)
            return None
        if self.kind == "float" and isinstance(value, int):
            return float(value)
        return value

    def advise(self, value: object, secret: bool) -> str:
        """By what it could be."""
        if self.kind == "str":
            return quoted(value, secret)
        if secret:
            return ""
        if self.kind == "int":
            return as_whole(value)
        if self.kind == "float":
            return as_number(value)
        if self.kind == "bool":
            return as_truth(value)
        return ""


class Choice(Shape):
    """One of some values: `written` are what may stand there, `values` what each becomes."""

    def __init__(self, written: list[object], values: list[object], described: str, example: str) -> None:
        super().__init__(described, example)
        self.written = written
        self.values = values

    def find(self, value: object) -> int:
        """Which option is written like this, -1 for none; `true` is not 1, and 1.0 is not 1."""
        for at in range(len(self.written)):
            if kind_of(self.written[at]) == kind_of(value) and self.written[at] == value:
                return at
        return -1

    def fits(self, value: object) -> bool:
        """Whether it is an option."""
        return self.find(value) >= 0

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """What the option becomes."""
        at = self.find(value)
        if at < 0:
            self.refuse(value, place, secret, problems)
            return None
        return self.values[at]

    def advise(self, value: object, secret: bool) -> str:
        """The option that was probably meant."""
        if secret or not isinstance(value, str):
            return ""
        options: list[str] = []
        for option in self.written:
            if isinstance(option, str):
                options.append(option)
        guess = likely(value, options)
        if guess is None:
            return ""
        return f"did you mean {guess!r}?"


class ListOf(Shape):
    """A list of one kind of item; a tuple of them with `as_tuple`."""

    def __init__(self, item: Shape, as_tuple: bool, described: str, example: str) -> None:
        super().__init__(described, example)
        self.item = item
        self.as_tuple = as_tuple

    def fits(self, value: object) -> bool:
        """Any list."""
        return isinstance(value, list)

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """Every item by the item's shape."""
        if not isinstance(value, list):
            self.refuse(value, place, secret, problems)
            return None
        made: list[object] = []
        for item in value:
            made.append(self.item.read(item, f"{place}[{len(made)}]", secret, problems))
        if self.as_tuple:
            return tuple(made)
        return made


class TupleOf(Shape):
    """A list of fixed length."""

    def __init__(self, items: list[Shape], described: str, example: str) -> None:
        super().__init__(described, example)
        self.items = items

    def fits(self, value: object) -> bool:
        """Any list; its length is looked at when it is read."""
        return isinstance(value, list)

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """Each item by its own shape."""
        if not isinstance(value, list):
            self.refuse(value, place, secret, problems)
            return None
        if len(value) != len(self.items):
            problems.note(
                place, f"expected {self.described}, got {len(value)}; write for example {self.example}"
            )
            return None
        made: list[object] = []
        for item in value:
            at = len(made)
            made.append(self.items[at].read(item, f"{place}[{at}]", secret, problems))
        return tuple(made)


class DictOf(Shape):
    """A mapping with free keys."""

    def __init__(self, key: Shape, value: Shape, described: str, example: str) -> None:
        super().__init__(described, example)
        self.key = key
        self.value = value

    def fits(self, value: object) -> bool:
        """Any mapping."""
        return isinstance(value, dict)

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """Keys and values by their shapes."""
        if not isinstance(value, dict):
            self.refuse(value, place, secret, problems)
            return None
        made: dict[object, object] = {}
        for name, item in value.items():
            below_secret = secret or is_secret_name(str(name))
            if below_secret:
                note_texts(item, problems.secrets)
            key = name
            if not self.key.fits(name):
                problems.note(place, f"key: {self.key.mismatch(name, secret)}")
            else:
                key = self.key.read(name, place, secret, problems)
            found = self.value.read(item, below(place, name_of(name, secret)), below_secret, problems)
            if key in made:
                said = f"key {shown(name, secret)} means the same as an earlier key"
                problems.note(place, f"{said}; keep one of them")
            made[key] = found
        return made


class OneOf(Shape):
    """Alternatives that differ in what is written."""

    def __init__(self, options: list[Shape], described: str, example: str) -> None:
        super().__init__(described, example)
        self.options = options

    def fits(self, value: object) -> bool:
        """Whether an option fits."""
        for option in self.options:
            if option.fits(value):
                return True
        return False

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """By the first option that fits."""
        for option in self.options:
            if option.fits(value):
                return option.read(value, place, secret, problems)
        self.refuse(value, place, secret, problems)
        return None

    def advise(self, value: object, secret: bool) -> str:
        """That of the first option which has some."""
        for option in self.options:
            advice = option.advise(value, secret)
            if advice:
                return advice
        return ""


class Field:
    """One field of a dataclass. `missing` says what is wrong where a required one is not there."""

    def __init__(self, name: str, shape: Shape, missing: str, secret: bool) -> None:
        self.name = name
        self.shape = shape
        self.missing = missing
        self.secret = secret


class Record(Shape):
    """A dataclass; a class below this one knows how to make it."""

    def __init__(self, name: str, fields: list[Field], example: str) -> None:
        super().__init__("a mapping", example)
        self.name = name
        self.fields = fields

    def fits(self, value: object) -> bool:
        """Any mapping."""
        return isinstance(value, dict)

    @virtual
    def make(self, values: dict[str, object]) -> object:
        """The instance, from the values of the fields that are there."""
        raise NotImplementedError

    def read(self, value: object, place: str, secret: bool, problems: Problems) -> object:
        """Each field by its shape, then the instance."""
        if not isinstance(value, dict):
            self.refuse(value, place, secret, problems)
            return None
        before = len(problems.lines)
        for name in value:
            if self.find(name) is None:
                self.refuse_key(name_of(name, secret), place, problems)
        values: dict[str, object] = {}
        for field in self.fields:
            at = below(place, field.name)
            if field.name in value:
                found = value[field.name]
                if secret or field.secret:
                    note_texts(found, problems.secrets)
                values[field.name] = field.shape.read(found, at, secret or field.secret, problems)
            elif field.missing:
                problems.note(at, field.missing)
        if len(problems.lines) > before:
            return None
        try:
            return self.make(values)
        except ValueError as refusal:
            for text in mistakes(refusal):
                said = one_line(text) or f"refused by {self.name} without a reason"
                problems.note(place, redact(said, problems.secrets))
        except Exception as bug:
            reason = one_line(f"{type_name(bug)}: {bug}")
            said = f"{self.name} raised {reason} (a refusal would be a ValueError)"
            problems.note(place, redact(said, problems.secrets))
        return None

    def find(self, name: object) -> Field | None:
        """The field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        return None

    def refuse_key(self, name: str, place: str, problems: Problems) -> None:
        """Note that no field has that name; beyond a hundred mistakes nobody reads what was meant."""
        if len(problems.lines) >= MOST_PROBLEMS:
            problems.note(below(place, name), "unknown key")
            return
        known: list[str] = []
        for field in self.fields:
            known.append(field.name)
        problems.note(below(place, name), unknown_key(name, known))


def kind_of(value: object) -> int:
    """A number for each kind of JSON's simple values."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 2
    if isinstance(value, float):
        return 3
    if isinstance(value, str):
        return 4
    return 5
