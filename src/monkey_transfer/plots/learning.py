"""Scores against labelled people, and what another arm's labelled people are worth in those of a control."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics import written
from monkey_transfer.plots import style
from monkey_transfer.profiles.arms import MEAN_POSE

# Parts of the axis of people.
_BESIDE = 0.013  # between arms that learnt the same number of people
_BREAK = 0.13  # between nobody and the fewest people
_MARGIN = 0.05
_BEYOND = 1.12  # times the ends of the control's numbers of people
_LABEL = 0.075  # what a number under the axis needs


@style.figure
def by_people(scores: pd.DataFrame, title: str, *, rendered: bool, ceiling: float | None = None) -> Figure:
    """Score against labelled people: arms with several numbers of people are curves, others points.

    Parameters
    ----------
    scores : rows of one metric of the scores' table, ``arm, images, people, value, low, high, seeds, over, note``,
        in percent; the arm ``mean_pose`` is drawn as the floor.
    ceiling : what a second labelling of the same photographs scores, in percent.

    Raises StudyError if no arm but the floor has a row, or two rows are the floor's or of one arm and number of images.
    """
    drawn, axes = subplots(figsize=(style.WIDTH, 4.4))
    draw_by_people(axes, scores, title, ceiling)
    style.subtitle(axes, style.how_sure(scores))
    style.legend_beside(axes)
    style.set_title(drawn, "Accuracy against labelled people", rendered)
    return drawn


def draw_by_people(
    axes: Axes, scores: pd.DataFrame, title: str, ceiling: float | None, counted: str = "people"
) -> None:
    """The axes of :func:`by_people`: curves, points, floor and ceiling, without a legend; people may be ``counted`` as
    something else."""
    floor, learnt = scores[scores["arm"] == MEAN_POSE], scores[scores["arm"] != MEAN_POSE]
    style.refuse_double(learnt, ("arm", "images"), "a figure of scores by people")
    learnt = learnt.assign(place=_side_by_side(learnt["people"]))
    style.draw_arms(axes, learnt, "place", 0, lw=1.8)
    if len(floor):
        style.refuse_double(floor, ("arm",), "the floor in a figure of scores by people")
        axes.axhline(floor["value"].iloc[0], color=style.GREY, ls="--", lw=1.4, label="floor: mean pose")
    if ceiling is not None:
        axes.axhline(ceiling, color=style.INK, ls=":", lw=1.6, label="a second labelling")
    style.percent_from_zero(axes, [*scores[["value", "high"]].to_numpy().ravel(), ceiling or 0])
    axes.set(xlabel=f"labelled {counted} (training and validation)", ylabel=f"{title} (%)")
    _axis_of_people(axes, learnt["people"])


@style.figure
def equivalents(equivalents: pd.DataFrame, control: str, learnt: Sequence[int], *, rendered: bool) -> Figure:
    """How many labelled people the control needs to score as an arm does with its own: one row each.

    The upright stroke is the number of people that the arm learnt: a dot to the right of it says that the control needs
    more. Arrow heads point to where a number or bound lies beyond the numbers of people that the control learnt.

    Parameters
    ----------
    equivalents : ``arm, people, equivalent, low, high, note``; 0: fewer than the control's fewest people,
        infinite: more than its most, NaN: not known.
    control : the control's name.
    learnt : the numbers of labelled people that the control learnt.

    Raises StudyError if there is no row, or two rows are of one arm and number of people.
    """
    style.refuse_double(equivalents, ("arm", "people"), "a figure of equivalents")
    fewest, most = min(learnt), max(learnt)
    ends = (min(fewest, equivalents["people"].min()) / 1.5, max(most, equivalents["people"].max()) * 1.5)
    drawn, axes = subplots(figsize=(style.WIDTH, 0.4 * len(equivalents) + 1.7))
    axes.axvspan(fewest, most, color=style.GREY, alpha=0.15, lw=0, label="numbers that the control learnt")
    colours = style.arm_colours(equivalents["arm"].unique())
    for y, row in enumerate(written.rows_of(equivalents)):
        ends_of_bar = np.clip([row.low, row.high], fewest / _BEYOND, most * _BEYOND)
        axes.plot(ends_of_bar, [y, y], color=colours[row.arm], lw=2)
        for number, mark in ((row.low, ""), (row.high, ""), (row.equivalent, "o")):
            at = np.clip(number, fewest / _BEYOND, most * _BEYOND)
            axes.plot(at, y, {0: "<", np.inf: ">"}.get(number, mark), color=colours[row.arm], ms=6.5)
        axes.plot([row.people] * 2, [y - 0.3, y + 0.3], color=style.INK, lw=1.6)
        text = written.equivalent(row, fewest, most)
        axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9.5)
    axes.plot([], [], color=style.INK, lw=1.6, label="people that the arm learnt")
    axes.plot([], [], "o-", color=style.GREY, lw=2, ms=6, label="as many of the control, with 95 % intervals")
    names = [f"{style.words(row.arm)}, {row.people:,.0f} people" for row in written.rows_of(equivalents)]
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5), xscale="log", xlim=ends)
    axes.set_xlabel(f"labelled people that {style.words(control)} needs for the same score")
    style.plain_log(axes.xaxis)
    axes.grid(axis="y", visible=False)
    drawn.legend(loc="outside lower center", ncols=3)
    style.set_title(drawn, "Worth in labelled people", rendered)
    return drawn


def _span(people: pd.Series) -> float:
    """Logarithm of the most over the fewest people; as if there were four times as many where all are equal."""
    some = people[people > 0]
    return float(np.log(some.max() / some.min())) if some.nunique() > 1 else float(np.log(4))


def _place(people: pd.Series) -> pd.Series:
    """Where a number of people stands on the logarithmic axis: nobody stands to the left of the fewest."""
    some = people[people > 0]
    nobody = (some.min() if len(some) else 1) * np.exp(-_BREAK * _span(people))
    return people.astype(float).where(people > 0, nobody)


def _side_by_side(people: pd.Series) -> pd.Series:
    """Places of rows: those of the same number of people stand beside each other, around it, in their order."""
    alike = people.groupby(people)
    beside = alike.cumcount() - (alike.transform("size") - 1) / 2
    return _place(people) * np.exp(_BESIDE * _span(people) * beside)


def _axis_of_people(axes: Axes, people: pd.Series) -> None:
    """A logarithmic axis with the numbers of people that occur; of those too near each other the first is written."""
    numbers = pd.Series(sorted(people.unique()))
    places, span = _place(numbers), _span(people)
    outside = np.exp(_MARGIN * span + _BESIDE * span * people.value_counts().max() / 2)
    axes.set(xscale="log", xlim=(places.min() / outside, places.max() * outside))
    left, right = np.log(axes.get_xlim())
    names: list[str] = []
    last = -np.inf
    for number, place in zip(numbers, np.log(places), strict=True):
        has_room = place - last >= _LABEL * (right - left)
        names.append(f"{number:,.0f}" if has_room else "")
        last = place if has_room else last
    axes.set_xticks(places, names)
    axes.minorticks_off()
