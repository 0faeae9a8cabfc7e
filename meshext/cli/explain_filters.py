"""The filters of a running mesh in `meshext explain --workload`: whom a request meets beside its policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from meshext.policy.asked import NOT_REACHED, REFUSES, FilterAnswer
from meshext.policy.compiled import ReadyRule


def settle(answers: Sequence[FilterAnswer], *, allowed: bool) -> tuple[FilterAnswer, ...]:
    """The answers where policies have decided: what stands behind them never sees what they refuse."""
    if allowed:
        return tuple(answers)
    return tuple(
        each if each.before else replace(each, outcome=NOT_REACHED, status=None, why="") for each in answers
    )


def find_refusal(answers: Sequence[FilterAnswer]) -> FilterAnswer | None:
    """The filter that ends the request."""
    return next((each for each in answers if each.outcome == REFUSES), None)


def tell_refusal(answer: FilterAnswer) -> str:
    """Why the request ends there, in one line."""
    status = f" answers {answer.status}" if answer.status is not None else " refuses"
    return f"{answer.named} ({answer.filter}){status}" + (f": {answer.why}" if answer.why else "")


def filter_data(answers: Sequence[FilterAnswer]) -> dict[str, object]:
    """The same as plain data; nothing where there are no filters."""
    told = [
        {
            "named": each.named,
            "filter": each.filter,
            "outcome": each.outcome,
            "status": each.status,
            "why": each.why,
        }
        for each in answers
    ]
    return {"filters": told} if told else {}


def filter_lines(answers: Sequence[FilterAnswer]) -> Iterator[str]:
    """The same for people."""
    from meshext.cli.output import format_table, heading, to_line

    if answers:
        rows = [
            (
                f"{each.named} ({each.filter})",
                f"{each.outcome} with {each.status}" if each.status is not None else each.outcome,
                to_line(each.why),
            )
            for each in answers
        ]
        yield ""
        yield heading("filters")
        yield from format_table([("filter", "outcome", "why"), *rows], indent="  ")


def custom_data(rules: Sequence[ReadyRule]) -> dict[str, object]:
    """The CUSTOM rules that match, as plain data; nothing where nobody is asked."""
    told = [
        {"policy": each.policy.full_name, "rule": each.number, "provider": each.policy.provider}
        for each in rules
    ]
    return {"asked": told} if told else {}


def custom_line(rule: ReadyRule) -> str:
    """One line for people."""
    policy = rule.policy
    by = f"CUSTOM {policy.full_name} rule {rule.number}"
    return f"first {policy.provider} is asked, by {by}: it may refuse too"
