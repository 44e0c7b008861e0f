"""Learning curves further out: how they may go on, and what rules fitted to fewer people promised."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics.extrapolation import Line, PowerLaw
from monkey_transfer.metrics.written import rows_of
from monkey_transfer.plots import style

# Mark, line and curve; a forecast is no curve.
_RULES: dict[str, tuple[str, str, type[PowerLaw] | type[Line] | None]] = {
    "power law": ("+", "--", PowerLaw),
    "last slope": ("x", ":", Line),
    "forecast": ("d", "", None),
}
_BESIDE = 0.03  # of the span of people, between what rules promise of the same
_COLUMNS = 3


@style.figure
def extrapolations(tried: pd.DataFrame, scores: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """One panel for each arm: its scores, and what rules fitted to the smaller numbers of people promise of the larger.

    Parameters
    ----------
    tried : rows of :func:`monkey_transfer.measure.forecast.extrapolations` of one ``tried_on``.
    scores : rows of one metric of the scores' table, as in :func:`monkey_transfer.plots.learning.by_people`.

    Raises StudyError if there is no row, or two rows are of one arm, rule and numbers of people, fitted and held back.
    """
    style.refuse_double(tried, ("arm", "rule", "fitted_to", "people"), "a figure of extrapolations")

    def draw(axes: Axes, arm: str, own: pd.DataFrame, colour: str) -> None:
        _measured(axes, own, colour)
        _promised(axes, tried[tried["arm"] == arm], np.log(own["people"].max() / own["people"].min()))

    drawn = _by_arm(list(tried["arm"].unique()), scores, title, draw)
    style.set_title(drawn, "What curves fitted to fewer people promised", rendered)
    return drawn


@style.figure
def forecasts(table: pd.DataFrame, scores: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """One panel for each arm: its scores, and how the curve may go on with up to twice the people.

    Parameters
    ----------
    table : :func:`monkey_transfer.measure.forecast.forecasts`. Where it has no interval the curve goes on without one.
    scores : as of :func:`extrapolations`.

    Raises StudyError if there is no row, or two rows are of one arm and number of people more.
    """
    style.refuse_double(table, ("arm", "more"), "a figure of forecasts")

    def draw(axes: Axes, arm: str, own: pd.DataFrame, colour: str) -> None:
        _measured(axes, own, colour)
        further = table[table["arm"] == arm].sort_values("more")
        at, score = np.append(0, further["more"]) + further["people"].iloc[0], further["score"].iloc[0]
        low, value, high = (score + np.append(0, further[end]) for end in ("low", "value", "high"))
        axes.fill_between(at, low, high, color=colour, alpha=0.2, lw=0, label="95 % interval of the gain")
        axes.plot(at, value, "--", color=style.INK, lw=1.2, label="forecast")

    drawn = _by_arm(list(table["arm"].unique()), scores, title, draw)
    style.set_title(drawn, "How the curves may go on with up to twice the people", rendered)
    return drawn


def _by_arm(
    arms: Sequence[str],
    scores: pd.DataFrame,
    title: str,
    draw: Callable[[Axes, str, pd.DataFrame, str], None],
) -> Figure:
    """A panel for each arm, where ``draw`` gets the axes, the arm, its scores and its colour."""
    columns = min(_COLUMNS, len(arms))
    rows = math.ceil(len(arms) / columns)
    size = style.WIDTH, 2.7 * rows + 0.9
    drawn, grid = subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    colours = style.arm_colours(arms)
    panels = grid.ravel()
    for axes, arm in zip(panels, arms, strict=False):
        draw(axes, arm, scores[scores["arm"] == arm].sort_values("people"), colours[arm])
        axes.set_title(style.words(arm))
    for axes in panels[len(arms) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(f"{title} (%)")
    for axes in panels[max(0, len(arms) - columns) : len(arms)]:
        axes.set_xlabel("labelled people")
        axes.tick_params(labelbottom=True)
    panels[0].set_xscale("log")
    style.plain_log(panels[0].xaxis)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower right", ncols=len(labels))  # the footnote is to the left
    style.footnote(drawn, style.how_sure(scores[scores["arm"].isin(arms)]))
    return drawn


def _measured(axes: Axes, scores: pd.DataFrame, colour: str) -> None:
    """An arm's scores."""
    axes.vlines(scores["people"], scores["low"], scores["high"], color=colour, lw=2)
    axes.plot(scores["people"], scores["value"], "o", color=colour, ms=5, label="measured")


def _promised(axes: Axes, tried: pd.DataFrame, span: float) -> None:
    """What rules promised of an arm; ``span`` is that of its people, on the logarithmic scale."""
    look: dict[str, Any] = {"color": style.INK, "lw": 1.2}
    for place, (rule, (mark, dashes, curve)) in enumerate(_RULES.items()):
        own = tried[tried["rule"] == rule]
        at = own["people"] * np.exp(_BESIDE * span * (place + 1))
        axes.vlines(at, own["promised_low"], own["promised_high"], **look)
        axes.plot(at, own["promised"], mark, color=style.INK, ms=6)
        axes.plot([], [], dashes, marker=mark, label=rule, **look)
        if curve is None:
            continue
        for row in rows_of(own):
            people = np.geomspace(row.fitted_from if curve is PowerLaw else row.fitted_to, row.people, 60)
            fitted = curve(*(np.array([getattr(row, name)]) for name in curve._fields))
            axes.plot(people, fitted.score(people)[0], dashes, **look)
