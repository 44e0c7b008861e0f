"""Learning curves further out: what rules fitted to few people promise, beside what was measured."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics.extrapolation import LastSlope, PowerLaw
from monkey_transfer.metrics.written import rows_of
from monkey_transfer.plots import style

_RULES: dict[str, tuple[type[PowerLaw] | type[LastSlope], str]] = {
    "power law": (PowerLaw, "--"),
    "last slope": (LastSlope, ":"),
}
_BESIDE = 0.03  # of the span of people, between what two rules promise of the same
_COLUMNS = 3


@style.figure
def extrapolations(tried: pd.DataFrame, scores: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """One panel for each arm: its scores, and what rules fitted to the smaller numbers of people promise of the larger.

    Parameters
    ----------
    tried : rows of :func:`monkey_transfer.measure.planning.extrapolations`.
    scores : rows of one metric of the scores' table, as in :func:`monkey_transfer.plots.learning.by_people`.

    Raises StudyError if there is no row, or two rows are of one arm, rule and numbers of people, fitted and held back.
    """
    style.refuse_double(tried, ("arm", "rule", "fitted_to", "people"), "a figure of extrapolations")
    arms = list(tried["arm"].unique())
    columns = min(_COLUMNS, len(arms))
    rows = math.ceil(len(arms) / columns)
    size = style.WIDTH, 2.7 * rows + 0.9
    drawn, grid = subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    colours = style.arm_colours(arms)
    panels = grid.ravel()
    for axes, arm in zip(panels, arms, strict=False):
        _draw(axes, tried[tried["arm"] == arm], scores[scores["arm"] == arm], colours[arm])
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
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    style.footnote(drawn, style.how_sure(scores[scores["arm"].isin(arms)]))
    style.set_title(drawn, "What curves fitted to fewer people promised", rendered)
    return drawn


def _draw(axes: Axes, tried: pd.DataFrame, scores: pd.DataFrame, colour: str) -> None:
    """An arm's panel."""
    scores = scores.sort_values("people")
    span = np.log(scores["people"].max() / scores["people"].min())
    axes.vlines(scores["people"], scores["low"], scores["high"], color=colour, lw=2)
    axes.plot(scores["people"], scores["value"], "o", color=colour, ms=5, label="measured")
    for place, (rule, (curve, dashes)) in enumerate(_RULES.items()):
        own = tried[tried["rule"] == rule]
        at = own["people"] * np.exp(_BESIDE * span * (place + 1))
        axes.vlines(at, own["promised_low"], own["promised_high"], color=style.INK, lw=1.2)
        axes.plot(at, own["promised"], "x" if place else "+", color=style.INK, ms=6)
        for row in rows_of(own):
            people = np.geomspace(row.fitted_from if curve is PowerLaw else row.fitted_to, row.people, 60)
            fitted = curve(*(np.array([getattr(row, name)]) for name in curve._fields))
            axes.plot(people, fitted.score(people)[0], dashes, color=style.INK, lw=1.2)
        axes.plot(
            [],
            [],
            dashes,
            marker="x" if place else "+",
            color=style.INK,
            lw=1.2,
            label=rule,
        )
