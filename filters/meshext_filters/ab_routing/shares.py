"""Shares in percent, in steps of 0.1 %, as whole tenths."""

from __future__ import annotations

WHOLE = 1000  # tenths of a percent


def tenths(field: str, percent: float) -> int:
    """A percentage in tenths; ValueError for what is no multiple of 0.1, or out of reach."""
    if not 0 <= percent <= 100:
        raise ValueError(f"{field} {percent:g} is no share; write percent from 0 to 100")
    count = round(percent * 10)
    if abs(percent * 10 - count) > 1e-6:
        raise ValueError(f"{field} {percent:g}: shares go in steps of 0.1 %; write {max(count, 1) / 10:g}")
    return count


def to_tenths(shares: dict[str, float]) -> dict[str, int]:
    """Shares that were checked, as whole tenths."""
    return {name: round(percent * 10) for name, percent in shares.items()}


def check_sum(field: str, shares: dict[str, float], *, whole: bool = True) -> None:
    """Shares make 100 % together; with `whole` false, 100 % at most."""
    total = sum(to_tenths(shares).values())
    if total > WHOLE or (whole and total < WHOLE):
        wanted = "make them 100" if whole else "100 is the most"
        raise ValueError(
            f"{field}: {' + '.join(f'{each:g}' for each in shares.values())} is {total / 10:g} %; {wanted}"
        )
