"""What a configuration has to look like, and reading it so: `meshext.config` inside the module.

The shapes of a `Config` are written for the build from the same Model that the SDK reads; so is what makes
its instance. A value that does not fit is refused with its path, what was expected, and what to write.
"""

from meshext_wasm.library.raw import virtual

SHOWN = 60
MOST_PROBLEMS = 100
REDACTED = "<redacted>"


class Problems:
    """Every mistake that was found, a line for each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, place: str, problem: str) -> None:
        """One more mistake, at a path ("" for the whole)."""
        if place:
            self.lines.append(f"{place}: {problem}")
        else:
            self.lines.append(problem)

    def text(self) -> str:
        """All of them, a hundred at most."""
        more = len(self.lines) - MOST_PROBLEMS
        if more > 0:
            return "; ".join(self.lines[:MOST_PROBLEMS]) + f"; and {more} more mistakes"
        return "; ".join(self.lines)


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
        found = shown(value)
        if secret:
            found = REDACTED
        problems.note(place, f"expected {self.described}, got {found}; write for example {self.example}")


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
            key = name
            if not self.key.fits(name):
                problems.note(
                    place,
                    f"key: expected {self.key.described}, got {shown(name)}; write for example "
                    f"{self.key.example}",
                )
            else:
                key = self.key.read(name, place, secret, problems)
            if key in made:
                problems.note(place, f"key {shown(name)} means the same as an earlier key; keep one of them")
            made[key] = self.value.read(item, below(place, str(name)), secret, problems)
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


class Field:
    """One field of a dataclass. `missing` says what is wrong where a required one is not there."""

    def __init__(self, name: str, shape: Shape, missing: str, secret: bool) -> None:
        self.name = name
        self.shape = shape
        self.missing = missing
        self.secret = secret


class Record(Shape):
    """A dataclass; a class below this one knows how to make it."""

    def __init__(self, fields: list[Field], example: str) -> None:
        super().__init__("a mapping", example)
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
                problems.note(below(place, str(name)), self.unknown())
        values: dict[str, object] = {}
        for field in self.fields:
            at = below(place, field.name)
            if field.name in value:
                found = value[field.name]
                values[field.name] = field.shape.read(found, at, secret or field.secret, problems)
            elif field.missing:
                problems.note(at, field.missing)
        if len(problems.lines) > before:
            return None
        try:
            return self.make(values)
        except ValueError as refusal:
            problems.note(place, one_line(str(refusal)) or "refused without a reason")
        return None

    def find(self, name: object) -> Field | None:
        """The field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        return None

    def unknown(self) -> str:
        """What is said of a key that no field has."""
        if len(self.fields) == 0:
            return "unknown key; this mapping has no keys, write {}"
        names: list[str] = []
        for field in self.fields:
            names.append(field.name)
        return f"unknown key; known keys: {', '.join(names)}"


def below(place: str, name: str) -> str:
    """The path of a key."""
    if place:
        return f"{place}.{name}"
    return name


def one_line(text: str) -> str:
    """The text without line ends."""
    return " ".join(text.split())


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


def shown(value: object) -> str:
    """A value that was found, short enough for one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        if value:
            return "true"
        return "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    if len(text) > SHOWN:
        return text[: SHOWN - 3] + "..."
    return text
