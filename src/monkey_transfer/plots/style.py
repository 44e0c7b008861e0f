"""The look that all figures share, and the colours that mean the same thing in each of them.

The colours are those of Okabe and Ito, "Color Universal Design" (2008), and of Paul Tol, "Colour Schemes"
(2021), which people with colour vision deficiency can tell apart.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from monkey_transfer.errors import StudyError
from monkey_transfer.profiles.arms import MEAN_POSE

WIDTH = 9.0  # inches: the text column of a notebook

INK = "#333333"
GREY = "#8c8c8c"
PALE = "#e8e8e8"
GROUND = "#f3f1ec"

# The person's own right and left, and what is in the middle.
SIDE_COLOURS = {"right": "#ee7733", "left": "#0099cc", "middle": "#444444"}

ARM_COLOURS = {
    "baseline": "#009e73",
    "benchmark": "#0072b2",
    "transfer": "#d55e00",
    "imagenet_control": "#e69f00",
    "scratch_control": "#cc79a7",
    "imagenet_longer": "#999933",
    "scratch_longer": "#882255",
    "transfer_with_heads": "#aa4499",
    "transfer_frozen": "#117733",
    "imagenet_frozen": "#56b4e9",
    "shuffled_source": "#332288",
    MEAN_POSE: GREY,
}
_SPARE_COLOURS = ("#44aa99", "#ddcc77", "#4477aa", "#aa3377", "#228833", "#661100")
DATASET_COLOURS = ("#117733", "#882255", "#ddaa33", "#332288")

_STYLE: dict[Any, Any] = {
    "figure.dpi": 150,  # of a notebook's page and of files alike
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=DATASET_COLOURS),
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
}

plt.rcdefaults()  # a matplotlibrc of this machine would draw other figures, or none: text.usetex needs LaTeX

_Arguments = ParamSpec("_Arguments")


def figure(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Let a function draw in the study's style, and take its figure from pyplot's list of open ones.

    A notebook shows an open figure at the end of its cell, and a returned one as the cell's result:
    without this it would show each figure twice.
    """

    @functools.wraps(draw)
    def drawn(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        with plt.rc_context(_STYLE):
            done = draw(*args, **kwargs)
        plt.close(done)
        return done

    return drawn


def marked(text: str, rendered: bool) -> str:
    """The text, saying so where its pictures are drawn by a computer."""
    return f"{text} (rendered pictures)" if rendered else text


def set_title(figure: Figure, text: str, rendered: bool) -> None:
    """The figure's title, saying so where its pictures are drawn by a computer."""
    figure.suptitle(marked(text, rendered), x=0.01, ha="left")


def subtitle(axes: Axes, text: str) -> None:
    """A line under the title of a figure of one axes: what its numbers are."""
    axes.set_title(text, fontsize=9, color=GREY)


def footnote(figure: Figure, text: str) -> None:
    """A line at the foot of a figure of several axes: what its marks are."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=9, color=GREY)


def how_sure(table: pd.DataFrame) -> str:
    """What numbers and bars of a table of estimates are, such as "means of 3 seeds, bars: 95 % intervals over ..."."""
    seeds, most = table["seeds"].astype(int), int(table["seeds"].max())
    of = "one seed" if most == 1 else f"means of {'' if seeds.min() == most else 'up to '}{most} seeds"
    sure = table[np.isfinite(table["low"]) & np.isfinite(table["high"])]
    if sure.empty:
        return f"{of}, no intervals: {' and '.join(sorted(set(table['note']) - {''})) or 'not defined'}"
    over = sure["over"].unique()
    return f"{of}, bars: 95 % intervals over {over[0] if len(over) == 1 else 'people and, where there are more, seeds'}"


def arm_colours(arms: Iterable[str]) -> dict[str, str]:
    """A colour for each arm: always the same for those of :data:`ARM_COLOURS`, the spare ones in turn for others."""
    spare = itertools.cycle(_SPARE_COLOURS)
    return {arm: ARM_COLOURS.get(arm) or next(spare) for arm in arms}


def draw_arms(axes: Axes, table: pd.DataFrame, x: str, across: float, marks: str = "o-", **look: Any) -> None:
    """Each arm's ``value`` at the column ``x``, with its interval: arms stand beside each other, ``across`` in all."""
    arms = arm_colours(table["arm"].unique())
    for place, (arm, colour) in enumerate(arms.items()):
        own = table[table["arm"] == arm].sort_values(x)
        at = own[x] + across * ((place + 0.5) / len(arms) - 0.5)
        axes.vlines(at, own["low"], own["high"], color=colour, lw=2)
        axes.plot(at, own["value"], marks, color=colour, label=words(arm), **({"lw": 1.2, "ms": 5} | look))


def words(name: str) -> str:
    """A name of the code as words: ``right_elbow`` becomes "right elbow"."""
    return name.replace("_", " ")


def refuse_double(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """StudyError unless the table has rows, and no two of them are of the same ``columns``."""
    double = table[table.duplicated(list(columns))]
    if table.empty or len(double):
        found = "no row" if table.empty else "two for " + ", ".join(f"{c} {double.iloc[0][c]}" for c in columns)
        raise StudyError(
            f"{what}: expected one row for each {', '.join(columns)}, found {found}: pass the rows of one metric, "
            "measured on one set of joints"
        )


def percent_from_zero(axes: Axes, values: ArrayLike) -> None:
    """The y axis of scores in percent: from 0 to the next round number above all values that are known."""
    known = np.asarray(values, float)
    highest = np.max(known[np.isfinite(known)], initial=0)
    step = 5 if highest < 50 else 10
    top = step * (math.floor(highest / step) + 1)
    axes.set_ylim(0, min(top, 102))  # a dot at 100 is not cut
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))


def legend_beside(axes: Axes) -> None:
    """The axes' legend to their right, where it hides no curve."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)


def legend_below(figure: Figure, axes: Axes, most: int = 5) -> None:
    """The axes' legend under the whole figure, in rows of about equal length and at most ``most`` entries."""
    handles, labels = axes.get_legend_handles_labels()
    rows = math.ceil(len(labels) / most)
    figure.legend(handles, labels, loc="outside lower center", ncols=math.ceil(len(labels) / rows))


def plain_log(axis: Axis) -> None:
    """Give a logarithmic axis ticks at 1, 2 and 5 times powers of ten, written without powers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(NullLocator())
