"""What the next study would need, as a reader of chapter 6 sees it: tables, and what they say in sentences."""

import math
from types import SimpleNamespace
from typing import Any

import pandas as pd

from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.planning import FEWEST_TO_TRY
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.planning import MOST_SEEDS, POWER, bounds_of_deviation
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.tell.words import listed, score_name, score_title

# Times the people that were held back: further out no number of people is written.
_FAR = 10


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


def extrapolation_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.planning.extrapolations` for reading."""
    if table.empty:
        return pd.DataFrame({"extrapolations": [f"no arm learnt {FEWEST_TO_TRY} numbers of people"]})
    score = score_name(results.study.profile)
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "arm": table["arm"],
            "rule": table["rule"],
            "fitted to people": [f"{row.fitted_from:,} to {row.fitted_to:,}" for row in rows_of(table)],
            "held back": [f"{people:,}" for people in table["people"]],
            "promised, %": [bracketed(_part(row, "promised"), score) for row in rows_of(table)],
            "measured, %": [bracketed(_part(row, "measured"), score) for row in rows_of(table)],
            "promised too much, points": [in_points(_part(row, "miss")) for row in rows_of(table)],
            "held": table["held"].replace("", "no interval"),
            "people it asks for as much": [_people(row) for row in rows_of(table)],
        }
    )


def on_extrapolations(results: Results, table: pd.DataFrame) -> str:
    """Whether curves fitted to few people could be asked how many more are needed."""
    if table.empty:
        return (
            f"No arm learnt {FEWEST_TO_TRY} numbers of people or more, so no curve could be fitted to some of them and "
            "tried on another: nothing is said here of more people than were learnt."
        )
    paragraphs = [
        "\n".join(f"- {_rule_in_words(results, str(rule), rows)}" for rule, rows in table.groupby("rule", sort=False)),
        _control_in_words(results, table),
    ]
    if (table["fitted"] == FEWEST_TO_TRY - 1).any():
        paragraphs.append(
            f"Fitted to {FEWEST_TO_TRY - 1} numbers of people a power law, which has as many of its own, fits nearly "
            "whatever came: nothing is left by which a bad fit would show."
        )
    return "\n\n".join([*paragraphs, _lesson(table)])


def _lesson(table: pd.DataFrame) -> str:
    """What that means for who asks a power law how many more people are needed."""
    law = table[table["rule"] == "power law"]
    if law["held"].eq("").any():
        return "Without intervals nothing can be said of how far such a curve is to be trusted."
    if law["held"].eq("no").any():
        return (
            "So how many more people are needed cannot be read off a power law fitted to few: not even its intervals "
            "hold what comes. Who labels in steps, and looks, is safer."
        )
    further = (law["people"] / law["fitted_to"]).max()
    return (
        f"So a power law could be asked here, as long as its intervals are read with it, for up to {further:.1f} times "
        "the people that it was fitted to; further out nothing was tried."
    )


def _rule_in_words(results: Results, rule: str, rows: pd.DataFrame) -> str:
    """How far a rule missed, what the step brought that it was asked about, and whether its intervals held that."""
    missed = rows["miss"].abs()
    worst = rows.loc[missed.idxmax()]
    brought = [row.measured - _measured(results, row.arm, row.fitted_to) for row in rows_of(rows)]
    said = (
        f"**The {rule}** missed by {missed.mean():.1f} points of {score_title(results.study.profile)} on average, "
        f"{worst['miss']:+.1f} at worst (`{worst['arm']}`), and promised too much in {(rows['miss'] > 0).sum()} of "
        f"{len(rows)}. The step that it was asked about brought {sum(brought) / len(brought):+.1f} on average."
    )
    sure = rows[rows["held"] != ""]
    if sure.empty:
        return f"{said} It has no interval: {listed(dict.fromkeys(rows['note']))}."
    width = (sure["miss_high"] - sure["miss_low"]).mean()
    return (
        f"{said} The 95 % intervals of what it missed by, {width:.1f} points wide on average, held zero in "
        f"{(sure['held'] == 'yes').sum()} of {len(sure)}."
    )


def _control_in_words(results: Results, table: pd.DataFrame) -> str:
    """What somebody would have been told who asked the control's curve, or the first that there is, for people."""
    control = results.study.profile.control
    arm = control if control in set(table["arm"]) else table["arm"].iloc[0]
    rows = table[(table["arm"] == arm) & (table["people"] == table.loc[table["arm"] == arm, "people"].max())]
    told = [f"{_people(row)} by the {row.rule} fitted up to {row.fitted_to:,}" for row in rows_of(rows)]
    return (
        f"Asked how many labelled people `{arm}` needs for the {rows['measured'].iloc[0]:.1f} % that it has with "
        f"{rows['people'].iloc[0]:,}, the answer would have been {listed(told)}."
    )


def _measured(results: Results, arm: str, people: int) -> float:
    """An arm's score with so many people."""
    table = results.table
    own = (table["arm"] == arm) & (table["people"] == people) & (table["metric"] == score_name(results.study.profile))
    return float(table.loc[own, "value"].iloc[0])


def _part(row: Any, name: str) -> SimpleNamespace:
    """A number of the table with its bounds, as it is written."""
    value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return SimpleNamespace(value=value, low=low, high=high, note=row.note)


def _people(row: Any) -> str:
    """How many people a rule asks for what was measured, such as '640 [500 to no number]'."""

    def said(people: float) -> str:
        if math.isinf(people):
            return "no number"
        return f"more than {_FAR * row.people:,}" if people > _FAR * row.people else f"{people:,.0f}"

    part = _part(row, "people_promised")
    if math.isnan(part.low):
        return f"{said(part.value)} [{row.note}]"
    low, high = said(part.low), said(part.high)
    return said(part.value) if low == high else f"{said(part.value)} [{low} to {high}]"
