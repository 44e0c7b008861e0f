"""What the controls show: accuracy against labelled people, pairs of arms, and what monkeys are worth in people.

Every function says in the figure's title where the pictures are rendered: ``rendered`` has no default, so
that nobody forgets it.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.plots.style import (
    GREY,
    INK,
    PALE,
    WIDTH,
    arm_colours,
    figure,
    headline,
    legend_beside,
    plain_log,
    words,
)


@figure
def by_people(points: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """Score against labelled people; bands and bars are intervals over people and training seeds.

    Drawn are the arms that learnt several numbers of people, and the benchmark; all, where none learnt several.

    Parameters
    ----------
    points : :attr:`monkey_transfer.controls.Controls.points`.
    title : of the score, for the axis.
    """
    drawn, axes = subplots(figsize=(WIDTH, 4.2))
    if _on_a_curve(points).any():
        points = points[_on_a_curve(points) | (points["arm"] == "benchmark")]
    for arm, colour in arm_colours(points["arm"].unique()).items():
        own = points[points["arm"] == arm].sort_values("people")
        if len(own) > 1:
            axes.fill_between(own["people"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
        else:
            axes.vlines(own["people"], own["low"], own["high"], color=colour, lw=2)
        axes.plot(own["people"], own["score"], "o-", color=colour, ms=5.5, label=words(arm))
    axes.set(xscale="log", xlabel="labelled people (training and validation)", ylabel=f"{title} (%)")
    people = points["people"]
    axes.set_xlim(people.min() / 1.15, people.max() * 1.15)
    axes.set_xticks(sorted(people.unique()), [f"{number:,}" for number in sorted(people.unique())])
    axes.minorticks_off()
    legend_beside(axes)
    headline(drawn, "Accuracy against labelled people", rendered)
    return drawn


@figure
def contrasts(contrasts: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """Differences of arms that learn the same people, at every number of them.

    Grey where nothing can be said; light bars reach as far as two seeds of one of the two arms differ.

    Parameters
    ----------
    contrasts : :attr:`monkey_transfer.controls.Controls.contrasts`.
    title : of the score, for the axis.
    """
    rows = [f"{_pair(row)}, {row['people']:,}" for row in contrasts.to_dict("records")]
    return _differences(contrasts, rows, title, "Arms that learn the same people, by their number", rendered)


@figure
def comparisons(comparisons: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """Differences of pairs of arms, each at its largest number of people, drawn as :func:`contrasts`.

    Parameters
    ----------
    comparisons : :attr:`monkey_transfer.results.Results.comparisons`.
    title : of the score, for the axis.
    """
    rows = [_pair(row) for row in comparisons.to_dict("records")]
    return _differences(comparisons, rows, title, "Arm against arm", rendered)


@figure
def equivalents(equivalents: pd.DataFrame, control: str, *, rendered: bool) -> Figure:
    """How many people the control needs for what another arm reaches; on the dashed line it needs as many.

    Drawn are the arms that learnt several numbers of people. Arrows point to where a bound lies beyond the numbers of
    people that the control learnt.

    Parameters
    ----------
    equivalents : :attr:`monkey_transfer.controls.Controls.equivalents`.
    control : name of the control, for the axis.
    """
    drawn, axes = subplots(figsize=(WIDTH, 4.2))
    equivalents = equivalents[_on_a_curve(equivalents)]
    sizes = np.sort(equivalents["people"].unique())
    least, most = sizes[0] / 1.6, sizes[-1] * 1.6
    axes.plot([least, most], [least, most], "--", color=GREY, lw=1)
    arms = arm_colours(equivalents["arm"].unique())
    for place, (arm, colour) in enumerate(arms.items()):
        aside = 1.03 ** (place - (len(arms) - 1) / 2)
        own = equivalents[equivalents["arm"] == arm].sort_values("people")
        for row in own.to_dict("records"):
            _bounded(axes, row["people"] * aside, row, (least, most), colour)
        inside = own[np.isfinite(own["equivalent"]) & (own["equivalent"] > 0)]
        axes.plot(inside["people"] * aside, inside["equivalent"], "o", color=colour, ms=6)
        axes.plot([], [], "o-", color=colour, label=words(arm))
    axes.set(xscale="log", yscale="log", xlim=(least, most), ylim=(least, most))
    axes.set(xlabel="labelled people of the arm", ylabel=f"labelled people that\n{words(control)} needs")
    plain_log(axes.xaxis)
    plain_log(axes.yaxis)
    legend_beside(axes)
    headline(drawn, "Worth in labelled people", rendered)
    return drawn


@figure
def joint_differences(joints: pd.DataFrame, pair: tuple[str, str], title: str, *, rendered: bool) -> Figure:
    """Difference of two arms joint by joint, with intervals over people and seeds; grey where zero is inside.

    Parameters
    ----------
    joints : :attr:`monkey_transfer.controls.Controls.joints`.
    pair : names of the two arms, for the axis.
    title : of the score, for the axis.
    """
    drawn, axes = subplots(figsize=(WIDTH, 3))
    axes.axhline(0, color=INK, lw=1)
    for x, row in enumerate(joints.to_dict("records")):
        colour = INK if row["low"] > 0 or row["high"] < 0 else GREY
        axes.plot([x, x], [row["low"], row["high"]], color=colour, lw=2)
        axes.plot(x, row["difference"], "o", color=colour, ms=6)
    axes.set_xticks(range(len(joints)), joints["joint"])
    axes.set_ylabel(f"difference in {title}\n(points)")
    axes.grid(axis="x", visible=False)
    headline(drawn, f"{words(pair[0])} minus {words(pair[1])}, joint by joint", rendered)
    return drawn


def _on_a_curve(table: pd.DataFrame) -> pd.Series:
    """Rows of arms that learnt several numbers of people."""
    return table.groupby("arm")["people"].transform("nunique") > 1


def _bounded(axes: Axes, x: float, row: dict, limits: tuple[float, float], colour: str) -> None:
    """A vertical interval; an arrow head where it leaves the axes."""
    low, high = (float(np.clip(row[end], limits[0] * 1.04, limits[1] / 1.04)) for end in ("low", "high"))
    axes.plot([x, x], [low, high], color=colour, lw=2)
    if row["high"] > limits[1]:
        axes.plot(x, high, "^", color=colour, ms=6)
    if row["low"] < limits[0]:
        axes.plot(x, low, "v", color=colour, ms=6)


def _pair(row: dict) -> str:
    return f"{words(row['arm_a'])} minus {words(row['arm_b'])}"


def _differences(table: pd.DataFrame, names: list[str], title: str, heading: str, rendered: bool) -> Figure:
    drawn, axes = subplots(figsize=(WIDTH, 0.3 * len(table) + 1.4))
    axes.axvline(0, color=INK, lw=1)
    beside = axes.get_yaxis_transform()
    for y, row in enumerate(table.to_dict("records")):
        colour = INK if row["verdict"] in ("higher", "lower") else GREY
        if np.isfinite(row["spread"]):
            axes.barh(y, 2 * row["spread"], left=-row["spread"], height=0.7, color=PALE, zorder=0)
        axes.plot([row["low"], row["high"]], [y, y], color=colour, lw=2)
        axes.plot(row["difference"], y, "o", color=colour, ms=6)
        axes.text(1.01, y, _signed(row), transform=beside, va="center", fontsize=9.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"difference in {title}, points (light: from seed to seed; grey: undecided)")
    headline(drawn, heading, rendered)
    return drawn


def _signed(row: dict) -> str:
    text = f"{row['difference']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
    return text.replace("-", "\N{MINUS SIGN}")
