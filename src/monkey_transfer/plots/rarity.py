"""How accuracy, and the advantage of one arm over another, change from ordinary poses to rare ones."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import pckh
from monkey_transfer.plots.style import (
    INK,
    WIDTH,
    arm_colours,
    figure,
    headline,
    legend_below,
    legend_beside,
    level,
    words,
)

_TITLE_OF = {name: pckh.SCORE_TITLE[reference] for reference, name in pckh.SCORE_NAME.items()}


@figure
def accuracy_by_rarity(accuracy: pd.DataFrame, *, rendered: bool) -> Figure:
    """The score of each arm in every decile of rarity, the mean over training seeds; bands are its intervals.

    Parameters
    ----------
    accuracy : by :func:`monkey_transfer.rarity.accuracy_by_decile`.

    Raises
    ------
    StudyError
        If the table is empty or its scores are by several yardsticks.
    """
    score = _only_score(accuracy)
    drawn, axes = subplots(figsize=(WIDTH, 4.0))
    for arm, colour in arm_colours(accuracy["arm"].unique()).items():
        own = accuracy[accuracy["arm"] == arm]
        axes.fill_between(own["decile"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
        axes.plot(own["decile"], own["mean"], "o-", color=colour, ms=5, label=words(arm))
    axes.set(ylim=(0, 100), ylabel=f"{score} (%)")
    _deciles_below(axes, accuracy)
    headline(drawn, f"Score by rarity of the pose, with {level(accuracy)} intervals", rendered)
    legend_beside(axes)
    return drawn


@figure
def advantage_by_rarity(
    advantage: pd.DataFrame, line: pd.DataFrame, arm_a: str, arm_b: str, *, rendered: bool
) -> Figure:
    """How much better one arm is than another in every decile of rarity, and the line fitted to all people.

    The line is fitted to people, not to the deciles' points, and the legend gives its slope.

    Parameters
    ----------
    advantage : by :func:`monkey_transfer.rarity.advantage_by_decile`.
    line : by :func:`monkey_transfer.rarity.interaction`, of the same arms.
    arm_a, arm_b : their names; above zero ``arm_a`` is better.

    Raises
    ------
    StudyError
        If the table is empty or its scores are by several yardsticks.
    """
    score = _only_score(advantage)
    drawn, axes = subplots(figsize=(WIDTH, 4.4))
    colour = arm_colours([arm_a])[arm_a]
    axes.axhline(0, color=INK, lw=1)
    axes.vlines(advantage["decile"], advantage["low"], advantage["high"], color=colour, lw=2)
    axes.plot(advantage["decile"], advantage["mean"], "o", color=colour, ms=6, label="people of one part")
    of_line = line.set_index("quantity")
    # A rank of rarity of 0 is the left edge of the first part, and 1 the right edge of the last.
    ends = of_line["mean"].reindex(["most ordinary", "rarest"])
    axes.plot([0.5, advantage["decile"].max() + 0.5], ends, color=INK, ls="--", lw=1.4, label=_slope(of_line))
    axes.set_ylabel(f"points of {score}")
    _deciles_below(axes, advantage)
    title = f"{words(arm_a)} minus {words(arm_b)} by rarity, with {level(advantage)} intervals"
    headline(drawn, title[0].upper() + title[1:], rendered)
    legend_below(drawn, axes, columns=2)
    return drawn


def _only_score(table: pd.DataFrame) -> str:
    """The title of the table's score."""
    scores = table["score"].unique()
    if len(scores) != 1:
        raise StudyError(
            f"a figure of rarity: expected scores by one yardstick, found {', '.join(scores) or 'no row'}: "
            "pass one table of monkey_transfer.rarity"
        )
    return _TITLE_OF[scores[0]]


def _deciles_below(axes: Axes, table: pd.DataFrame) -> None:
    """An axis of equal parts of the test people, its two ends named."""
    last = table["decile"].max()
    names = [str(part) for part in range(1, last + 1)]
    if last > 1:
        names[0] += "\nmost ordinary"
        names[-1] += "\nrarest"
    axes.set_xticks(range(1, last + 1), names)
    fewest, most = table["people"].min(), table["people"].max()
    people = f"{most}" if fewest == most else f"{fewest} to {most}"
    axes.set(xlim=(0.5, last + 0.5), xlabel=f"test people in {last} parts by rarity, {people} people each")
    axes.grid(axis="x", visible=False)


def _slope(of_line: pd.DataFrame) -> str:
    mean, low, high = (f"{of_line.at['slope', column]:+.1f}" for column in ("mean", "low", "high"))
    text = f"line: {mean} points ({low} to {high}) from the most ordinary to the rarest"
    return text.replace("-", "\N{MINUS SIGN}")
