"""Text to float, correctly rounded."""

from __future__ import annotations

from meshext_wasm.library.builtins.ascii import drop_spaces, skip_spaces
from meshext_wasm.library.builtins.decimals import plain
from meshext_wasm.library.builtins.doubles import of_int, ratio
from meshext_wasm.library.builtins.powers import power_int
from meshext_wasm.library.builtins.text import text_length
from meshext_wasm.library.raw import double, load8, value_address, word

DIGITS_MOST = 800  # more change nothing but whether there is a rest


class Scanner:
    """What was read of a number: its digits as an int, and the power of ten that they stand before."""

    digits: int
    exponent: int
    count: int
    at: int
    end: int

    def __init__(self, start: word, end: word) -> None:
        self.digits = 0
        self.exponent = 0
        self.count = 0
        self.at = int(start)
        self.end = int(end)

    def here(self) -> int:
        """The character at hand, in lower case; 0 at the end."""
        if self.at >= self.end:
            return 0
        found = int(load8(word(self.at)))
        return found | 32 if 65 <= found <= 90 else found

    def read_digits(self, fraction: bool) -> bool:
        """Take digits with single underscores among them; whether that is what stands there."""
        start = self.at
        after_digit = False
        while True:
            found = self.here()
            if found == 95 and after_digit:
                after_digit = False
            elif 48 <= found <= 57:
                self.take(found - 48, fraction)
                after_digit = True
            else:
                return after_digit or self.at == start
            self.at += 1

    def take(self, digit: int, fraction: bool) -> None:
        """One digit more; those that no double can tell apart only count as a rest."""
        if self.count < DIGITS_MOST:
            self.digits = self.digits * 10 + digit
            if self.digits > 0:
                self.count += 1
            if fraction:
                self.exponent -= 1
        else:
            if digit > 0 and self.digits % 10 == 0:
                self.digits += 1
            if not fraction:
                self.exponent += 1

    def read_exponent(self) -> bool:
        """Take `e` and its number, if there is one; whether it is whole."""
        if self.here() != 101:
            return True
        self.at += 1
        sign = self.here()
        if sign == 43 or sign == 45:
            self.at += 1
        power = 0
        start = self.at
        after_digit = False
        while True:
            found = self.here()
            if found == 95 and after_digit:
                after_digit = False
            elif 48 <= found <= 57:
                if power < 100000000:
                    power = power * 10 + found - 48
                after_digit = True
            else:
                self.exponent += -power if sign == 45 else power
                return after_digit and self.at > start
            self.at += 1


def parse_float(text: str) -> float:
    """`float(text)`."""
    start = plain(text)
    result = parse(start, start + text_length(value_address(text)))
    if result is None:
        raise ValueError(f"could not convert string to float: {text!r}")
    return result


def parse(start: word, end: word) -> float | None:
    """The float that stands between two addresses, spaces around it left out, or None."""
    scanner = Scanner(skip_spaces(start, end), drop_spaces(start, end))
    sign = scanner.here()
    if sign == 43 or sign == 45:
        scanner.at += 1
    result = parse_name(scanner)
    if result is None:
        result = parse_number(scanner)
    if result is None or scanner.at != scanner.end:
        return None
    return -result if sign == 45 else result


def parse_name(scanner: Scanner) -> float | None:
    """`inf`, `infinity` or `nan` up to the end."""
    for name in ("inf", "infinity", "nan"):
        if scanner.end - scanner.at == len(name) and stands(scanner.at, name):
            scanner.at = scanner.end
            infinity = double(1e308) * 10.0
            return float(infinity - infinity if name == "nan" else infinity)
    return None


def stands(at: int, name: str) -> bool:
    """Whether an ASCII name stands at an address, in either case."""
    letters = value_address(name) + 24
    index = word(0)
    while index < text_length(value_address(name)):
        if load8(word(at) + index) | 32 != load8(letters + index):
            return False
        index = index + 1
    return True


def parse_number(scanner: Scanner) -> float | None:
    """Digits, a point, an exponent."""
    start = scanner.at
    if not scanner.read_digits(False):
        return None
    found = scanner.at - start
    if scanner.here() == 46:
        scanner.at += 1
        start = scanner.at
        if not scanner.read_digits(True):
            return None
        found += scanner.at - start
    if found == 0 or not scanner.read_exponent():
        return None
    return float(value_of_decimal(scanner.digits, scanner.exponent, scanner.count))


def value_of_decimal(digits: int, exponent: int, count: int) -> double:
    """The double next to digits times a power of ten; infinity where that is too large."""
    if digits == 0 or exponent + count < -330:
        return double(0.0)
    if exponent + count > 310:
        return double(1e308) * 10.0
    if count <= 15 and -22 <= exponent <= 22:
        scale = power_of_ten(exponent if exponent >= 0 else -exponent)
        number = of_int(digits)
        return number * scale if exponent >= 0 else number / scale
    if exponent >= 0:
        return of_int(digits * power_int(10, exponent))
    return ratio(digits, power_int(10, -exponent))


def power_of_ten(exponent: int) -> double:
    """Up to 22, where it is exact."""
    result = double(1.0)
    while exponent > 0:
        result = result * 10.0
        exponent -= 1
    return result
