"""Numbers as tables, sentences and figures write them: with their interval, and equal digits in a column."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

_PERCENT, _RATIO, _PIXELS, _DEGREES = 1, 2, 1, 1
_OF_ANGLES = ("bias", "deviation", "lower_limit", "upper_limit", "mae", "rms", "undefined")


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, by the names of the table's columns."""
    yield from table.itertuples(index=False)


def digits_of(metric: str) -> int:
    """Digits after the point: one for percent, pixels and degrees, two for ratios and for lengths in yardsticks."""
    if metric in _OF_ANGLES:
        return _DEGREES
    if metric.startswith(("pck", "errors/")):
        return _PERCENT
    return _PIXELS if "rmse" in metric or metric == "mean_distance" else _RATIO


def bracketed(row: Any, metric: str) -> str:
    """An estimate such as '39.3 [36.9, 41.7]'; its note in the brackets where it has no interval."""
    return _written(row.value, row, f"z.{digits_of(metric)}f")


def signed(row: Any) -> str:
    """A difference such as '+1.2 [+0.4, +2.0]'; its note in the brackets where it has no interval."""
    return _written(row.difference, row, f"+z.{digits_of(row.metric)}f")


def in_points(row: Any) -> str:
    """What a score gains or loses, ``value`` in points, such as '+1.2 [+0.4, +2.0]'; its note likewise."""
    return _written(row.value, row, "+z.1f")


def equivalent(row: Any, fewest: int, most: int) -> str:
    """People that a control needs, such as '420 [310 to more than 1,000]'; it learnt ``fewest`` to ``most``."""

    def said(people: float) -> str:
        if people == 0:
            return f"fewer than {fewest:,}"
        return f"more than {most:,}" if people > most else f"{people:,.0f}"

    if math.isnan(row.equivalent):
        return "not known"
    found, low, high = (said(people) for people in (row.equivalent, row.low, row.high))
    if math.isnan(row.low):
        return f"{found} [{row.note}]"
    return found if low == high else f"{found} [{low} to {high}]"


def _written(value: float, row: Any, form: str) -> str:
    if math.isnan(value):
        return "undefined"
    return f"{value:{form}} [{row.note if math.isnan(row.low) else f'{row.low:{form}}, {row.high:{form}}'}]"
