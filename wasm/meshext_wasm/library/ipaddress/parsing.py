"""Texts of addresses to numbers and back (RFC 4291, RFC 5952)."""

from __future__ import annotations

HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
GROUPS = 8


class AddressValueError(ValueError):
    """A text that is no address."""


class NetmaskValueError(ValueError):
    """A text that is no netmask."""


def parse_four(text: str) -> int:
    """The number of `192.0.2.1`."""
    if text == "":
        raise AddressValueError("Address cannot be empty")
    parts = text.split(".")
    if len(parts) != 4:
        raise AddressValueError(f"Expected 4 octets in {text!r}")
    number = 0
    for part in parts:
        problem = octet_problem(part)
        if problem != "":
            raise AddressValueError(f"{problem} in {text!r}")
        number = number * 256 + int(part)
    return number


def octet_problem(text: str) -> str:
    """What is wrong with one of the four numbers; empty where nothing is."""
    if text == "":
        return "Empty octet not permitted"
    if not (text.isascii() and text.isdigit()):
        return f"Only decimal digits permitted in {text!r}"
    if len(text) > 3:
        return f"At most 3 characters permitted in {text!r}"
    if text != "0" and text[0] == "0":
        return f"Leading zeros are not permitted in {text!r}"
    return f"Octet {int(text)} (> 255) not permitted" if int(text) > 255 else ""


def show_four(number: int) -> str:
    """A number as `192.0.2.1`."""
    return ".".join([str(number >> shift & 255) for shift in (24, 16, 8, 0)])


def parse_six(text: str) -> int:
    """The number of `2001:db8::1`, without a zone."""
    if text == "":
        raise AddressValueError("Address cannot be empty")
    parts = text.split(":")
    if len(parts) < 3:
        raise AddressValueError(f"At least 3 parts expected in {text!r}")
    if "." in parts[-1]:
        parts = with_groups(parts, text)
    if len(parts) > GROUPS + 1:
        raise AddressValueError(f"At most {GROUPS} colons permitted in {text!r}")
    gap = find_gap(parts, text)
    head, tail, missing = len(parts), 0, 0
    if gap >= 0:
        head, tail, missing = around_gap(parts, gap, text)
    else:
        check_whole(parts, text)
    number = 0
    for part in parts[:head]:
        number = number << 16 | group_of(part, text)
    number <<= 16 * missing
    for part in parts[len(parts) - tail :]:
        number = number << 16 | group_of(part, text)
    return number


def with_groups(parts: list[str], text: str) -> list[str]:
    """The groups, an IPv4 address at the end made two of them."""
    last = parts[-1]
    try:
        number = parse_four(last)
    except AddressValueError as error:
        raise AddressValueError(f"{error} in {text!r}") from None
    return [*parts[:-1], f"{number >> 16 & 0xFFFF:x}", f"{number & 0xFFFF:x}"]


def find_gap(parts: list[str], text: str) -> int:
    """Where `::` stands, -1 where it does not."""
    found = -1
    for index in range(1, len(parts) - 1):
        if parts[index] == "":
            if found >= 0:
                raise AddressValueError(f"At most one '::' permitted in {text!r}")
            found = index
    return found


def around_gap(parts: list[str], gap: int, text: str) -> tuple[int, int, int]:
    """How many groups stand before `::` and behind it, and how many it stands for."""
    head, tail = gap, len(parts) - gap - 1
    if parts[0] == "":
        head -= 1
        if head > 0:
            raise AddressValueError(f"Leading ':' only permitted as part of '::' in {text!r}")
    if parts[-1] == "":
        tail -= 1
        if tail > 0:
            raise AddressValueError(f"Trailing ':' only permitted as part of '::' in {text!r}")
    missing = GROUPS - head - tail
    if missing < 1:
        raise AddressValueError(f"Expected at most {GROUPS - 1} other parts with '::' in {text!r}")
    return head, tail, missing


def check_whole(parts: list[str], text: str) -> None:
    """An address without `::` has all its groups."""
    if len(parts) != GROUPS:
        raise AddressValueError(f"Exactly {GROUPS} parts expected without '::' in {text!r}")
    if parts[0] == "":
        raise AddressValueError(f"Leading ':' only permitted as part of '::' in {text!r}")
    if parts[-1] == "":
        raise AddressValueError(f"Trailing ':' only permitted as part of '::' in {text!r}")


def group_of(part: str, text: str) -> int:
    """The number of one group."""
    for each in part:
        if each not in HEXADECIMAL:
            raise AddressValueError(f"Only hex digits permitted in {part!r} in {text!r}")
    if len(part) > 4:
        raise AddressValueError(f"At most 4 characters permitted in {part!r} in {text!r}")
    return int(part, 16)


def show_six(number: int) -> str:
    """A number in its shortest form: the longest run of zeros is `::`."""
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    start, size = longest_zeros(groups)
    if size < 2:
        return ":".join(groups)
    return ":".join(groups[:start]) + "::" + ":".join(groups[start + size :])


def longest_zeros(groups: list[str]) -> tuple[int, int]:
    """Where the first of the longest runs of zeros begins, and how long it is."""
    best, size = -1, 0
    index = 0
    while index < len(groups):
        end = index
        while end < len(groups) and groups[end] == "0":
            end += 1
        if end - index > size:
            best, size = index, end - index
        index = end + 1
    return best, size


def prefix_problem(text: str) -> bool:
    """Whether a text is no plain number, as the length of a prefix has to be."""
    return not (text.isascii() and text.isdigit())
