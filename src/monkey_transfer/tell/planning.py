"""How many seeds the next study would need, as a reader of chapter 6 sees it: a table, and what it says in words."""

import math
from typing import Any

import pandas as pd

from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.planning import MOST_SEEDS, POWER, bounds_of_deviation
from monkey_transfer.metrics.written import rows_of


def planning_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.planning.planning` for reading."""
    if table.empty:
        return pd.DataFrame({"seeds of the next study": ["the profile asks no primary question"]})
    margin = f"{results.study.profile.margin:g} points"
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "pair": [f"{row.arm_a} - {row.arm_b}" for row in rows_of(table)],
            "test people": [f"{people:,}" for people in table["test_people"]],
            "seeds scatter, points": [
                row.note or f"{row.sd_seeds:.1f} [{row.sd_seeds_low:.1f} to {row.sd_seeds_high:.1f}]"
                for row in rows_of(table)
            ],
            "people, points": [row.note or f"{row.sd_people:.1f}" for row in rows_of(table)],
            f"seeds to find {margin}": [_seeds(row, "different") for row in rows_of(table)],
            f"seeds to show less than {margin}": [_seeds(row, "equivalent") for row in rows_of(table)],
        }
    )


def on_seeds(results: Results, table: pd.DataFrame) -> str:
    """How many seeds the next study would need, question by question, and how well that is known."""
    profile = results.study.profile
    if table.empty:
        return "The profile asks no primary question before its runs, so there is none to plan a next study for."
    questions = [list(rows_of(rows)) for _, rows in table.groupby(["arm_a", "arm_b"], sort=False)]
    lines = [
        f"- **{rows[0].question}** {_plan_in_words(rows, profile.margin)} (`{rows[0].arm_a}` minus `{rows[0].arm_b}`)"
        for rows in questions
    ]
    if table["note"].ne("").all():
        return "\n".join(lines)
    least, most = bounds_of_deviation(len(profile.seeds))
    number = len(profile.questions)
    asked = "question" if number == 1 else "questions"
    return "\n".join(lines) + (
        f"\n\nEnough is what claims the truth in {100 * POWER:.0f} % of studies, at the {100 * LEVEL:g} % of this one "
        f"over its {number} {asked}. In brackets is what {len(profile.seeds)} seeds leave open: they may truly "
        f"scatter {least:.1f} to {most:.1f} times as much as was seen. More than {MOST_SEEDS} are not looked for."
    )


def _plan_in_words(rows: list[Any], margin: float) -> str:
    """Of one question, for each number of test people."""
    if rows[0].note:
        return f"Not planned: {rows[0].note}."
    finds, shows = (_on_people(rows, what) for what in ("different", "equivalent"))
    return (
        f"A difference of {margin:g} points is found with {finds}. Where there is none, that it is less than "
        f"{margin:g} points is shown with {shows}."
    )


def _on_people(rows: list[Any], what: str) -> str:
    """Such as '6 [3 to 40] seeds on 1,000 test people, or 5 [3 to 30] on 2,000'."""
    needed = [_seeds(row, what, "no number of") for row in rows]
    more = [
        f"or {'' if needed[place] == needed[0] else f'{needed[place]} '}on {row.test_people:,}"
        for place, row in enumerate(rows)
        if place
    ]
    return ", ".join([f"{needed[0]} seeds on {rows[0].test_people:,} test people", *more])


def _seeds(row: Any, what: str, never: str = f"more than {MOST_SEEDS}: not by seeds alone") -> str:
    """Such as '6 [3 to more than 100]'; ``never`` is said of what endless seeds would not do."""
    if row.note:
        return str(row.note)
    if getattr(row, f"best_{what}") < POWER:
        return never
    found, low, high = (
        f"more than {MOST_SEEDS}" if math.isinf(number) else f"{number:.0f}"
        for number in (getattr(row, f"seeds_{what}{end}") for end in ("", "_low", "_high"))
    )
    return found if low == high else f"{found} [{low} to {high}]"
