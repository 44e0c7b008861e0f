"""What is said of more people than were learnt, in the answer and as a reader of chapter 6 sees it."""

import math
from types import SimpleNamespace
from typing import Any

import pandas as pd

from monkey_transfer.measure.forecast import FEWEST_TO_TRY, FORECAST, HELPS, LITTLE, OPEN, forecasts
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.extrapolation import FEWEST_SIZES
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.tell.words import chapters, counted, listed, score_name, score_title

# Times the people that were held back: further out no number of people is written.
_FAR = 10


def how_many_more(results: Results) -> list[str]:
    """The section of the answer on more people; none where no arm has a curve."""
    table = forecasts(results)
    return [] if table.empty else [f"## How many more {counted(results.study)}?", on_forecasts(results, table)]


def on_forecasts(results: Results, table: pd.DataFrame) -> str:
    """What more people would bring the network to take, or the best that has a curve, and whether the curve can say."""
    if table.empty:
        return f"No arm learnt {FEWEST_SIZES} numbers of people or more: there is no curve that could go on."
    people, chosen = counted(results.study), results.choice.arm
    known = chosen in set(table["arm"])
    arm = chosen if known else str(table.loc[table["score"].idxmax(), "arm"])
    *fewer, twice = rows_of(table[table["arm"] == arm])
    asked = [f"{row.more:,} more {people} expect {in_points(row)}, with" for row in fewer[-1:]]
    expect = "" if asked else f" {people} expect"
    which = ", chosen by validation" if known else ", the best arm that has a curve"
    return (
        f"With {''.join(f'{part} ' for part in asked)}twice as many{expect} {in_points(twice)} points of "
        f"{score_title(results.study.profile)} (`{arm}`{which}: {twice.score:.1f} % with {twice.people:,} labelled "
        f"{people}). {_verdict(results, twice)}"
    )


def _verdict(results: Results, twice: Any) -> str:
    """What follows from the interval of twice as many people."""
    if twice.note:
        return f"How far that may be off is not known: {twice.note}."
    profile, people = results.study.profile, counted(results.study)
    said = {
        LITTLE: f"So twice as many bring less than {profile.margin:g} points, the smallest difference of interest.",
        OPEN: f"This curve cannot say whether more {people} help: it allows anything from no gain to {twice.high:.1f} "
        "points.",
        HELPS: f"So more {people} help.",
    }[twice.says]
    return f"{said} The intervals also hold how far such curves miss{chapters(profile, 'docs/metrics.md')}."


def forecast_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.forecast.forecasts` for reading."""
    if table.empty:
        return pd.DataFrame({"forecasts": [f"no arm learnt {FEWEST_SIZES} numbers of people"]})
    margin = results.study.profile.margin
    says = {LITTLE: f"less than {margin:g} points", OPEN: "cannot say whether they help", HELPS: "they help", "": ""}
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "arm": table["arm"],
            "labelled people": [f"{people:,}" for people in table["people"]],
            f"{score_title(results.study.profile)}, %": [f"{score:.1f}" for score in table["score"]],
            "more people": [f"{more:,}" for more in table["more"]],
            "expected, points": [in_points(row) for row in rows_of(table)],
            "the curve says": [says[row.says] for row in rows_of(table)],
        }
    )


def extrapolation_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.forecast.extrapolations` for reading."""
    if table.empty:
        return pd.DataFrame({"extrapolations": [f"no arm learnt {FEWEST_TO_TRY} numbers of people"]})
    score = score_name(results.study.profile)
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "tried on": table["tried_on"],
            "arm": table["arm"],
            "rule": table["rule"],
            "fitted to people": [f"{row.fitted_from:,} to {row.fitted_to:,}" for row in rows_of(table)],
            "held back": [f"{people:,}" for people in table["people"]],
            "promised, %": [bracketed(_part(row, "promised"), score) for row in rows_of(table)],
            "measured, %": [bracketed(_part(row, "measured"), score) for row in rows_of(table)],
            "promised too much, points": [in_points(_part(row, "miss")) for row in rows_of(table)],
            "held": table["held"].replace("", "no interval"),
            "people it asks for as much": [_asked_for(row) for row in rows_of(table)],
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
    said = (
        f"**The {rule}** missed by {missed.mean():.1f} points of {score_title(results.study.profile)} on average, "
        f"{worst['miss']:+.1f} at worst (`{worst['arm']}`), and promised too much in {(rows['miss'] > 0).sum()} of "
        f"{len(rows)}. The step that it was asked about brought {rows['brought'].mean():+.1f} on average."
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
    own = table[(table["arm"] == arm) & (table["tried_on"] == "target") & (table["rule"] != FORECAST)]
    rows = own[own["people"] == own["people"].max()]
    told = [f"{_asked_for(row)} by the {row.rule} fitted up to {row.fitted_to:,}" for row in rows_of(rows)]
    return (
        f"Asked how many labelled people `{arm}` needs for the {rows['measured'].iloc[0]:.1f} % that it has with "
        f"{rows['people'].iloc[0]:,}, the answer would have been {listed(told)}."
    )


def _part(row: Any, name: str) -> SimpleNamespace:
    """A number of the table with its bounds, as it is written."""
    value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return SimpleNamespace(value=value, low=low, high=high, note=row.note)


def _asked_for(row: Any) -> str:
    """How many people a rule asks for what was measured, such as '640 [500 to no number]'; nothing of a forecast."""

    def said(people: float) -> str:
        if math.isinf(people):
            return "no number"
        return f"more than {_FAR * row.people:,}" if people > _FAR * row.people else f"{people:,.0f}"

    part = _part(row, "people_promised")
    if math.isnan(part.value):
        return ""
    if math.isnan(part.low):
        return f"{said(part.value)} [{row.note}]"
    low, high = said(part.low), said(part.high)
    return said(part.value) if low == high else f"{said(part.value)} [{low} to {high}]"
