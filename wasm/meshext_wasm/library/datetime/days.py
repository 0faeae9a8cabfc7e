"""The Gregorian calendar, carried on before and behind its time: dates to numbers of days and back.

Day 1 is the first of January of the year 1, a Monday.
"""

from __future__ import annotations

MINYEAR = 1
MAXYEAR = 9999
LAST_DAY = 3652059
EPOCH = 719163
"""The first of January 1970."""
BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
"""Days of an ordinary year before each month, and all of them."""


def is_leap(year: int) -> bool:
    """Whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_before_year(year: int) -> int:
    """Days before the first of January of a year."""
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400


def days_before_month(year: int, month: int) -> int:
    """Days of a year before a month."""
    return BEFORE[month - 1] + (1 if month > 2 and is_leap(year) else 0)


def days_in_month(year: int, month: int) -> int:
    """How many days a month has."""
    return BEFORE[month] - BEFORE[month - 1] + (1 if month == 2 and is_leap(year) else 0)


def number_of_day(year: int, month: int, day: int) -> int:
    """The number of a date."""
    return days_before_year(year) + days_before_month(year, month) + day


def date_of_number(number: int) -> tuple[int, int, int]:
    """Year, month and day of a number."""
    cycles, rest = divmod(number - 1, 146097)
    centuries, rest = divmod(rest, 36524)
    fours, rest = divmod(rest, 1461)
    years, rest = divmod(rest, 365)
    year = cycles * 400 + centuries * 100 + fours * 4 + years + 1
    if years == 4 or centuries == 4:
        return year - 1, 12, 31
    month = (rest + 50) >> 5
    if days_before_month(year, month) > rest:
        month -= 1
    return year, month, rest - days_before_month(year, month) + 1


def check_date(year: int, month: int, day: int) -> None:
    """ValueError for what is no date."""
    if year < MINYEAR or year > MAXYEAR:
        raise ValueError(f"year {year} is out of range")
    if month < 1 or month > 12:
        raise ValueError("month must be in 1..12")
    if day < 1 or day > days_in_month(year, month):
        raise ValueError("day is out of range for month")


def check_time(hour: int, minute: int, second: int, microsecond: int) -> None:
    """ValueError for what is no time of day."""
    if hour < 0 or hour > 23:
        raise ValueError("hour must be in 0..23")
    if minute < 0 or minute > 59:
        raise ValueError("minute must be in 0..59")
    if second < 0 or second > 59:
        raise ValueError("second must be in 0..59")
    if microsecond < 0 or microsecond > 999999:
        raise ValueError("microsecond must be in 0..999999")


def first_week(year: int) -> int:
    """The number of the Monday of a year's first week, the one with its first Thursday (ISO 8601)."""
    first = number_of_day(year, 1, 1)
    weekday = (first + 6) % 7
    return first - weekday + (7 if weekday > 3 else 0)


def week_of_number(number: int, year: int) -> tuple[int, int, int]:
    """Year, week and weekday (1 to 7) as ISO 8601 counts them, of a day in a year."""
    monday = first_week(year)
    if number < monday:
        year -= 1
        monday = first_week(year)
    elif number >= first_week(year + 1):
        year += 1
        monday = first_week(year)
    week, weekday = divmod(number - monday, 7)
    return year, week + 1, weekday + 1


def number_of_week(year: int, week: int, weekday: int) -> int:
    """The number of a day of a week; ValueError for what is none."""
    if year < MINYEAR or year > MAXYEAR:
        raise ValueError(f"Year is out of range: {year}")
    if week < 1 or week > 53 or (week == 53 and first_week(year) + 364 >= first_week(year + 1)):
        raise ValueError(f"Invalid week: {week}")
    if weekday < 1 or weekday > 7:
        raise ValueError(f"Invalid day: {weekday} (range is [1, 7])")
    return first_week(year) + (week - 1) * 7 + weekday - 1
