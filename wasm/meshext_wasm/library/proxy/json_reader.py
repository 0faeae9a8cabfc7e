"""JSON (RFC 8259) to dict, list, str, int, float, bool and None, for configurations: a key given twice is
refused, and so are NaN and anything behind the value."""

ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
SPACE = " \t\n\r"
DEEPEST = 100


class Reader:
    """Reads one text; ValueError says where it is not JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def fail(self, reason: str) -> ValueError:
        """The refusal, at this place."""
        line = self.text.count("\n", 0, self.at) + 1
        column = self.at - self.text.rfind("\n", 0, self.at)
        return ValueError(f"line {line}, column {column}: not JSON: {reason}")

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while self.at < len(self.text) and self.text[self.at] in SPACE:
            self.at += 1
        if self.at >= len(self.text):
            return ""
        return self.text[self.at]

    def document(self) -> object:
        """The whole text."""
        value = self.value()
        if self.peek() != "":
            raise self.fail("extra data")
        return value

    def value(self) -> object:
        """Any value."""
        char = self.peek()
        if char == "{" or char == "[":
            self.depth += 1
            if self.depth > DEEPEST:
                raise self.fail("nested too deeply")
            found: object = None
            if char == "{":
                found = self.mapping()
            else:
                found = self.items()
            self.depth -= 1
            return found
        if char == '"':
            return self.string()
        if char == "-" or (char != "" and char in "0123456789"):
            return self.number()
        if self.word("true"):
            return True
        if self.word("false"):
            return False
        if self.word("null"):
            return None
        raise self.fail("expecting value")

    def word(self, word: str) -> bool:
        """Whether this word stands here; then it is passed over."""
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def mapping(self) -> dict[str, object]:
        """An object."""
        made: dict[str, object] = {}
        self.at += 1
        if self.peek() == "}":
            self.at += 1
            return made
        while True:
            if self.peek() != '"':
                raise self.fail("expecting property name enclosed in double quotes")
            name = self.string()
            if name in made:
                raise self.fail(f"key {name!r} was already given; keep one of them")
            if self.peek() != ":":
                raise self.fail("expecting ':' delimiter")
            self.at += 1
            made[name] = self.value()
            if not self.goes_on("}"):
                return made

    def items(self) -> list[object]:
        """An array."""
        made: list[object] = []
        self.at += 1
        if self.peek() == "]":
            self.at += 1
            return made
        while True:
            made.append(self.value())
            if not self.goes_on("]"):
                return made

    def goes_on(self, closing: str) -> bool:
        """Whether another item follows; passes over the comma or the end."""
        char = self.peek()
        if char != "," and char != closing:
            raise self.fail("expecting ',' delimiter")
        self.at += 1
        return char == ","

    def string(self) -> str:
        """A string."""
        pieces: list[str] = []
        self.at += 1
        start = self.at
        while True:
            if self.at >= len(self.text):
                raise self.fail("unterminated string")
            char = self.text[self.at]
            if char < " ":
                raise self.fail("invalid control character")
            if char == '"' or char == "\\":
                piece = self.text[start : self.at]
                self.at += 1
                if char == '"':
                    return "".join([*pieces, piece]) if pieces else piece
                pieces += [piece, self.escape()]
                start = self.at
            else:
                self.at += 1

    def escape(self) -> str:
        """What an escape stands for."""
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == "u":
            return self.unicode_escape()
        if char not in ESCAPES:
            raise self.fail("invalid \\escape")
        return ESCAPES[char]

    def unicode_escape(self) -> str:
        """One character of four digits, or of two such escapes that are a surrogate pair."""
        high = self.four_digits()
        if 0xD800 <= high < 0xDC00 and self.text.startswith("\\u", self.at):
            before = self.at
            self.at += 2
            low = self.four_digits()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + (high - 0xD800) * 1024 + (low - 0xDC00))
            self.at = before
        return chr(high)

    def four_digits(self) -> int:
        """A number of four hexadecimal digits."""
        number = 0
        for char in self.text[self.at : self.at + 4]:
            digit = "0123456789abcdef".find(char.lower())
            if digit < 0:
                raise self.fail("invalid \\uXXXX escape")
            number = number * 16 + digit
        if self.at + 4 > len(self.text):
            raise self.fail("invalid \\uXXXX escape")
        self.at += 4
        return number

    def number(self) -> int | float:
        """An integer, or a float where it has a point or an exponent."""
        start = self.at
        if self.text[self.at] == "-":
            self.at += 1
        first = self.at
        self.digits()
        if self.text[first] == "0" and self.at - first > 1:
            raise self.fail("a number begins with 0")
        whole = True
        if self.text.startswith(".", self.at):
            whole = False
            self.at += 1
            self.digits()
        if self.at < len(self.text) and self.text[self.at] in "eE":
            whole = False
            self.at += 1
            if self.at < len(self.text) and self.text[self.at] in "+-":
                self.at += 1
            self.digits()
        text = self.text[start : self.at]
        if whole:
            return int(text)
        return float(text)

    def digits(self) -> None:
        """Pass over digits, at least one."""
        before = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        if self.at == before:
            raise self.fail("expecting a digit")
