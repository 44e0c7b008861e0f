"""How accuracy, and the advantage of one arm over another, change from ordinary poses to rare ones."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics import written
from monkey_transfer.plots import style


@style.figure
def accuracy_by_rarity(accuracy: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """The score of each arm in every decile of rarity, with 95 % intervals; arms stand beside each other.

    ``accuracy`` has the columns ``arm, decile`` (1: most ordinary), ``people`` (of the test, in the decile), ``value``
    (percent) ``, low, high, seeds, over, note``. Raises StudyError if it is empty, or two rows are of one
    arm and decile.
    """
    style.refuse_double(accuracy, ("arm", "decile"), "a figure of rarity")
    drawn, axes = subplots(figsize=(style.WIDTH, 4.2))
    style.draw_arms(axes, accuracy, "decile", 0.6, lw=0.8)
    style.percent_from_zero(axes, accuracy[["value", "high"]])
    axes.set_ylabel(f"{title} (%)")
    _deciles_below(axes, accuracy)
    style.subtitle(axes, style.how_sure(accuracy))
    style.set_title(drawn, "Score by rarity of the pose", rendered)
    style.legend_beside(axes)
    return drawn


@style.figure
def advantage_by_rarity(
    advantage: pd.DataFrame, line: pd.DataFrame, arm_a: str, arm_b: str, title: str, *, rendered: bool
) -> Figure:
    """How much better one arm is than another in every decile of rarity, and the line fitted to all people.

    The line is fitted to people, not to the deciles' points, and the legend gives its slope.

    Parameters
    ----------
    advantage : ``decile`` (1: most ordinary), ``people``, ``value`` (points of a minus b), ``low, high, seeds, over,
        note``.
    line : ``quantity, value, low, high, note`` of 'slope', 'most ordinary' and 'rarest', in points of a minus b.
    arm_a, arm_b : their names; above zero ``arm_a`` is better.

    Raises StudyError if a table is empty, or two rows are of one decile or quantity.
    """
    style.refuse_double(advantage, ("decile",), "a figure of rarity")
    style.refuse_double(line, ("quantity",), "the line in a figure of rarity")
    drawn, axes = subplots(figsize=(style.WIDTH, 4.4))
    colour = style.arm_colours([arm_a])[arm_a]
    axes.axhline(0, color=style.INK, lw=1)
    axes.vlines(advantage["decile"], advantage["low"], advantage["high"], color=colour, lw=2)
    axes.plot(advantage["decile"], advantage["value"], "o", color=colour, ms=6, label="people of one part")
    of_line = line.set_index("quantity")
    slope = f"line: {written.in_points(of_line.loc['slope'])} points from the most ordinary to the rarest"
    # A rank of rarity of 0 is the left edge of the first part, and 1 the right edge of the last.
    ends = of_line.loc[["most ordinary", "rarest"], "value"]
    axes.plot([0.5, advantage["decile"].max() + 0.5], ends, color=style.INK, ls="--", lw=1.4, label=slope)
    axes.set_ylabel("difference (points)")
    _deciles_below(axes, advantage)
    style.subtitle(axes, f"{title}, {style.how_sure(advantage)}")
    pair = f"{style.words(arm_a).capitalize()} minus {style.words(arm_b)}"
    style.set_title(drawn, f"{pair} by rarity of the pose", rendered)
    style.legend_below(drawn, axes)
    return drawn


def _deciles_below(axes: Axes, table: pd.DataFrame) -> None:
    """An axis of equal parts of the test people, its two ends named."""
    last, fewest, most = table["decile"].max(), table["people"].min(), table["people"].max()
    names = [str(part) for part in range(1, last + 1)]
    if last > 1:
        names[0] += "\nmost ordinary"
        names[-1] += "\nrarest"
    axes.set_xticks(range(1, last + 1), names)
    people = f"{most:,} people" if fewest == most else f"{fewest:,} to {most:,} people"
    parts = f"all test people: {people}" if last == 1 else f"test people in {last} parts by rarity, {people} each"
    axes.set(xlim=(0.5, last + 0.5), xlabel=parts)
    axes.grid(axis="x", visible=False)
