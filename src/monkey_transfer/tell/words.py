"""Numbers as a reader sees them: with their interval, equal digits in a column, and the names that figures use."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from monkey_transfer.metrics.pckh import SCORE_NAME, SCORE_TITLE
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.opening import Study

_PERCENT, _RATIO, _PIXELS = 1, 2, 1


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, by the names of the table's columns."""
    yield from table.itertuples(index=False)


def digits_of(metric: str) -> int:
    """Digits after the point: one for percent and pixels, two for ratios and for lengths in yardsticks."""
    if metric.startswith(("pck", "errors/")):
        return _PERCENT
    return _PIXELS if "rmse" in metric or metric == "mean_distance" else _RATIO


def bracketed(row: Any, metric: str) -> str:
    """An estimate such as '39.3 [36.9, 41.7]'; its note in the brackets where it has no interval."""
    if pd.isna(row.value):
        return "undefined"
    digits = digits_of(metric)
    return f"{row.value:z.{digits}f} {_bounds(row.low, row.high, row.note, f'z.{digits}f')}"


def signed(row: Any) -> str:
    """A difference such as '+1.2 [+0.4, +2.0]'; its note in the brackets where it has no interval."""
    if pd.isna(row.difference):
        return "undefined"
    digits = digits_of(row.metric)
    return f"{row.difference:+z.{digits}f} {_bounds(row.low, row.high, row.note, f'+z.{digits}f')}"


def _bounds(low: float, high: float, note: str, form: str) -> str:
    return f"[{note}]" if pd.isna(low) else f"[{low:{form}}, {high:{form}}]"


def score_name(profile: Profile) -> str:
    """Name of the profile's PCK score among the metrics."""
    return SCORE_NAME[profile.yardstick]


def score_title(profile: Profile) -> str:
    """Title of the profile's PCK score, such as PCKh@0.5."""
    return SCORE_TITLE[profile.yardstick]


def tested(study: Study) -> str:
    """Such as '200 rendered test people'."""
    return f"{len(study.test_people):,} {'rendered ' if study.rendered else ''}test people"


def seeds_in_words(study: Study) -> str:
    """Such as '5 seeds' or 'one seed'."""
    count = len(study.profile.seeds)
    return f"{count} seeds" if count > 1 else "one seed"


def listed(words: Iterable[str]) -> str:
    """Such as 'a, b and c'."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def markdown(table: pd.DataFrame) -> str:
    """A table as markdown, its cells as they are written; columns of numbers are right-aligned."""
    aligned = ["right" if _is_number(table[column]) else "left" for column in table]
    return table.to_markdown(index=False, disable_numparse=True, colalign=aligned)


def _is_number(column: pd.Series) -> bool:
    return column.astype(str).str.match(r"^[-+\u2212]?[\d,.]+( |<br>|$)").all()
