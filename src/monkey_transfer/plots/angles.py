"""How joint angles by a network agree with those by labels."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import written
from monkey_transfer.plots import style
from monkey_transfer.skeletons import without_side

# Metric -> how its line is drawn, and where its number stands.
_LINES = {"upper_limit": ("--", "bottom"), "bias": ("-", "center"), "lower_limit": ("--", "top")}
_COLUMNS = 2


@style.figure
def agreement_of_angles(pairs: pd.DataFrame, table: pd.DataFrame, *, rendered: bool) -> Figure:
    """Each angle's error against its size (Bland and Altman, The Lancet 1986), with bias and limits of agreement.

    One panel for each angle, all of one scale of errors; the lines' 95 % intervals stand at their right end, numbers
    beside them.

    Parameters
    ----------
    pairs : ``angle`` (left_knee), ``label, prediction`` in degrees; a dot each, of all seeds. Angles that ``table``
        lacks are passed over.
    table : of one arm, ``arm, angle`` (knee) ``, tested, angles, metric, value, low, high, seeds, over, note``; drawn
        are bias, lower_limit, upper_limit and icc.

    Raises StudyError if ``table`` is empty, of several arms, or has two rows of one angle and metric.
    """
    style.refuse_double(table, ("angle", "metric"), "a figure of angles")
    arms, angles = table["arm"].unique(), list(table["angle"].unique())
    if len(arms) > 1:
        raise StudyError(f"a figure of angles: expected rows of one arm, found {', '.join(arms)}: pass those of one")
    rows = -(-len(angles) // _COLUMNS)
    drawn, panels = subplots(rows, _COLUMNS, figsize=(style.WIDTH, 3 * rows + 0.7), sharey=True, squeeze=False)
    [colour] = style.arm_colours(arms).values()
    kind = pairs["angle"].map(without_side)
    for axes, angle in zip(panels.flat, angles, strict=False):
        _draw(axes, pairs[kind == angle], table[table["angle"] == angle], colour)
        axes.set_title(angle, fontweight="bold", pad=19)
    for axes in panels.flat[len(angles) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("predicted minus label (degrees)")
    for axes in panels.flat[max(0, len(angles) - _COLUMNS) : len(angles)]:
        axes.set_xlabel("mean of predicted and label (degrees)")
    dots = "dots: one angle by the network of one seed" if table["seeds"].max() > 1 else "dots: one angle"
    lines = table[table["metric"].isin(_LINES)]
    style.footnote(drawn, f"{dots}; lines: bias and 95 % limits of agreement,\n{style.how_sure(lines)}")
    style.set_title(drawn, f"Joint angles in the picture: {style.words(arms[0])} against labels", rendered)
    return drawn


def _draw(axes: Axes, pairs: pd.DataFrame, numbers: pd.DataFrame, colour: str) -> None:
    mean, difference = (pairs["label"] + pairs["prediction"]) / 2, pairs["prediction"] - pairs["label"]
    axes.plot(mean, difference, "o", color=colour, ms=3, mew=0, alpha=0.25, zorder=1)
    beside = axes.get_yaxis_transform()
    row_of = {row.metric: row for row in written.rows_of(numbers)}
    for metric, (line, stands) in _LINES.items():
        row = row_of[metric]
        axes.axhline(row.value, color=style.INK, ls=line, lw=1.2)
        axes.vlines(0.985, row.low, row.high, color=style.INK, lw=3, transform=beside)
        axes.text(1.01, row.value, f"{row.value:+z.1f}", transform=beside, va=stands, fontsize=9)
    icc = row_of["icc"]
    said = f"{icc.angles:,} angles of {icc.tested:,} people, ICC {written.bracketed(icc, 'icc')}"
    axes.text(0, 1.02, said, transform=axes.transAxes, va="bottom", fontsize=9, color=style.GREY)
