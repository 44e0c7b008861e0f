"""How accuracy, and the advantage of one arm over another, change from ordinary poses to rare ones."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.plots.style import (
    INK,
    WIDTH,
    arm_colours,
    figure,
    headline,
    how_sure,
    legend_below,
    legend_beside,
    percent_from_zero,
    refuse_double,
    signed,
    subtitle,
    words,
)


@figure
def accuracy_by_rarity(accuracy: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """The score of each arm in every decile of rarity, with 95 % intervals; arms stand beside each other.

    Parameters
    ----------
    accuracy : ``arm, decile`` (1: most ordinary), ``people`` (of the test, in the decile), ``value, low, high, seeds,
        over, note``.
    title : of the score, for the axis.

    Raises
    ------
    StudyError
        If the table is empty, or two rows are of one arm and decile.
    """
    refuse_double(accuracy, ("arm", "decile"), "a figure of rarity")
    drawn, axes = subplots(figsize=(WIDTH, 4.2))
    arms = arm_colours(accuracy["arm"].unique())
    for place, (arm, colour) in enumerate(arms.items()):
        own = accuracy[accuracy["arm"] == arm].sort_values("decile")
        at = own["decile"] + 0.6 * ((place + 0.5) / len(arms) - 0.5)
        axes.vlines(at, own["low"], own["high"], color=colour, lw=1.8)
        axes.plot(at, own["value"], "o-", color=colour, lw=0.8, ms=4.5, label=words(arm))
    percent_from_zero(axes, accuracy[["value", "high"]])
    axes.set_ylabel(f"{title} (%)")
    _deciles_below(axes, accuracy)
    subtitle(axes, how_sure(accuracy))
    headline(drawn, "Score by rarity of the pose", rendered)
    legend_beside(axes)
    return drawn


@figure
def advantage_by_rarity(
    advantage: pd.DataFrame, line: pd.DataFrame, arm_a: str, arm_b: str, title: str, *, rendered: bool
) -> Figure:
    """How much better one arm is than another in every decile of rarity, and the line fitted to all people.

    The line is fitted to people, not to the deciles' points, and the legend gives its slope.

    Parameters
    ----------
    advantage : ``decile`` (1: most ordinary), ``people``, ``value`` (points of a minus b), ``low, high, seeds, over,
        note``.
    line : ``quantity, value, low, high`` of 'slope', 'most ordinary' and 'rarest', in points of a minus b.
    arm_a, arm_b : their names; above zero ``arm_a`` is better.
    title : of the score, for the axis.

    Raises
    ------
    StudyError
        If a table is empty, or two rows are of one decile or quantity.
    """
    refuse_double(advantage, ("decile",), "a figure of rarity")
    refuse_double(line, ("quantity",), "the line in a figure of rarity")
    drawn, axes = subplots(figsize=(WIDTH, 4.4))
    colour = arm_colours([arm_a])[arm_a]
    axes.axhline(0, color=INK, lw=1)
    axes.vlines(advantage["decile"], advantage["low"], advantage["high"], color=colour, lw=2)
    axes.plot(advantage["decile"], advantage["value"], "o", color=colour, ms=6, label="people of one part")
    of_line = line.set_index("quantity")
    # A rank of rarity of 0 is the left edge of the first part, and 1 the right edge of the last.
    ends = of_line.loc[["most ordinary", "rarest"], "value"]
    axes.plot([0.5, advantage["decile"].max() + 0.5], ends, color=INK, ls="--", lw=1.4, label=_slope(of_line))
    axes.set_ylabel("difference (points)")
    _deciles_below(axes, advantage)
    subtitle(axes, f"{title}, {how_sure(advantage)}")
    headline(drawn, f"{words(arm_a).capitalize()} minus {words(arm_b)} by rarity of the pose", rendered)
    legend_below(drawn, axes)
    return drawn


def _deciles_below(axes: Axes, table: pd.DataFrame) -> None:
    """An axis of equal parts of the test people, its two ends named."""
    last = table["decile"].max()
    names = [str(part) for part in range(1, last + 1)]
    if last > 1:
        names[0] += "\nmost ordinary"
        names[-1] += "\nrarest"
    axes.set_xticks(range(1, last + 1), names)
    fewest, most = table["people"].min(), table["people"].max()
    people = f"{most:,} people" if fewest == most else f"{fewest:,} to {most:,} people"
    parts = f"all test people: {people}" if last == 1 else f"test people in {last} parts by rarity, {people} each"
    axes.set(xlim=(0.5, last + 0.5), xlabel=parts)
    axes.grid(axis="x", visible=False)


def _slope(of_line: pd.DataFrame) -> str:
    value, low, high = of_line.loc[["slope"], ["value", "low", "high"]].to_numpy(float)[0]
    sure = f" ({signed(low)} to {signed(high)})" if np.isfinite([low, high]).all() else ""
    return f"line: {signed(value)} points{sure} from the most ordinary to the rarest"
