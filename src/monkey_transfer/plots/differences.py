"""Paired differences of arms: of the whole score, of every joint, and the one figure that answers the study."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import pckh, written
from monkey_transfer.plots import style
from monkey_transfer.plots.learning import draw_by_people
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT

_STRIP = 0.2  # opacity
_PAIR = ("arm_a", "arm_b", "images_a", "images_b")
_LONGEST_LABEL = 46  # characters in a line above an interval
_LONGEST_NOTE = 24  # characters in a line beside the axes


@style.figure
def differences(comparisons: pd.DataFrame, title: str, *, rendered: bool, heading: str = "Arm against arm") -> Figure:
    """Paired differences, one row each; the numbers, and the ruling on a primary question, beside them.

    Dark is what was ruled higher or lower; the pale strip holds differences too small to be of interest.

    Parameters
    ----------
    comparisons : rows of one metric of the comparisons' table, and of how much more it is among the tilted: ``arm_a,
        arm_b, images_a, images_b, people, metric, difference, low, high, seeds, over, note, question, margin, ruling``,
        in points of percent.
    heading : what the pairs have in common.

    Raises StudyError if there is no row, two rows are of one pair, or the rows have several margins.
    """
    height = 0.5 if comparisons["ruling"].any() else 0.32  # of a row
    drawn, axes = subplots(figsize=(style.WIDTH, height * len(comparisons) + 1.7))
    _draw_differences(axes, comparisons, title)
    axes.set_yticks(range(len(comparisons)), _labels(comparisons))
    style.subtitle(axes, style.how_sure(comparisons))
    drawn.legend(handles=_key(comparisons), loc="outside lower center", ncols=3)
    style.set_title(drawn, heading, rendered)
    return drawn


@style.figure
def answer(
    scores: pd.DataFrame,
    comparisons: pd.DataFrame,
    title: str,
    *,
    rendered: bool,
    ceiling: float | None = None,
    counted: str = "people",
) -> Figure:
    """The figure of the answer: learning curves of the arms that decide, beside the primary questions' differences.

    Parameters
    ----------
    scores : rows of one metric as for :func:`monkey_transfer.plots.learning.by_people`; drawn are the arms of primary
        questions, ``benchmark``, ``imagenet_longer`` and ``mean_pose``.
    comparisons : rows of the same metric as for :func:`differences`; drawn are those with a ``question``.
    ceiling : what a second labelling of the same photographs scores, in percent.
    counted : what a learning curve counts.

    Raises StudyError if no row of ``comparisons`` is a primary question, and as :func:`differences` and ``by_people``.
    """
    primary = comparisons[comparisons["question"] != ""]
    if primary.empty:
        raise StudyError(
            "the figure of the answer: expected at least one primary question among the comparisons, found none: "
            "declare one in the profile"
        )
    # imagenet_longer: what the same time does on people alone, which a reader wants to see in any case.
    deciding = {*primary["arm_a"], *primary["arm_b"], "benchmark", "imagenet_longer", MEAN_POSE}
    drawn, (curves, pairs) = subplots(
        1, 2, figsize=(style.WIDTH, 4.8 + 0.3 * max(len(primary) - 4, 0)), width_ratios=[1, 1.05]
    )
    scores = scores[scores["arm"].isin(deciding)]
    draw_by_people(curves, scores, title, ceiling, counted)
    curves.set_title("Scores")
    curves.legend(loc="upper center", bbox_to_anchor=(0.45, -0.16), ncols=2, fontsize=9)
    _draw_differences(pairs, primary, title)
    halo = [withStroke(linewidth=3, foreground="white")]
    beside = pairs.get_yaxis_transform()
    for y, label in enumerate(_labels(primary, counted)):
        label = "\n".join(textwrap.wrap(label, _LONGEST_LABEL))
        above = {"xytext": (0, 8), "textcoords": "offset points", "va": "bottom"}
        pairs.annotate(label, (0.01, y), xycoords=beside, fontsize=9, path_effects=halo, **above)
    pairs.set_yticks([])
    pairs.set_ylim(len(primary) - 0.5, -0.75)
    pairs.set_title("Paired differences")
    pairs.legend(handles=_key(primary), loc="upper center", bbox_to_anchor=(0.6, -0.16), fontsize=9)
    style.footnote(drawn, style.how_sure(pd.concat([scores, primary])).replace("people", counted))
    style.set_title(drawn, f"{title}, and paired differences", rendered)
    return drawn


@style.figure
def joint_differences(comparisons: pd.DataFrame, title: str, *, rendered: bool) -> Figure:
    """The paired difference of two arms joint group by joint group.

    Parameters
    ----------
    comparisons : rows of one pair of the comparisons' table with metrics such as ``pckh/elbow``, and ``pckh`` for all
        joints, other rows are passed over: ``arm_a, arm_b, images_a, images_b, people, metric, difference, low, high,
        seeds, over, note, margin``.

    Raises StudyError if no row is of a joint group, or the rows are of several pairs, yardsticks or margins.
    """
    comparisons, names = pckh.joint_rows(comparisons, "the difference joint by joint")
    pair, *others = _labels(comparisons.drop_duplicates(list(_PAIR)))
    if others:
        raise StudyError(
            f"the difference joint by joint: expected one pair of arms, found {pair} and {others[0]}: pass the rows of "
            "one"
        )
    style.refuse_double(comparisons, ("metric",), "the difference joint by joint")
    table = comparisons.set_index("joint")
    [colour] = style.arm_colours(comparisons["arm_a"].unique()).values()
    drawn, axes = subplots(figsize=(style.WIDTH, 3.6))
    axes.axhline(0, color=style.INK, lw=1)
    margin = _margin(comparisons)
    axes.axhspan(-margin, margin, color=style.GREY, alpha=_STRIP, lw=0, zorder=0)
    places = np.arange(len(names))
    axes.vlines(places, table.loc[names, "low"], table.loc[names, "high"], color=colour, lw=2)
    axes.plot(places, table.loc[names, "difference"], "o", color=colour, ms=6)
    axes.set_ylim(*_reach(comparisons))
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xticks(places, names)
    axes.set_ylabel("difference (points)")
    axes.grid(axis="x", visible=False)
    style.subtitle(axes, f"{title}, {style.how_sure(comparisons)}")
    drawn.legend(handles=[_strip(margin)] if margin else [], loc="outside lower center")
    style.set_title(drawn, f"{pair[0].upper()}{pair[1:]}, joint by joint", rendered)
    return drawn


def _draw_differences(axes: Axes, comparisons: pd.DataFrame, title: str) -> None:
    """Intervals with their numbers at the right, row 0 at the top; the rows' names are left to the caller."""
    style.refuse_double(comparisons, (*_PAIR, "metric"), "a figure of differences")
    margin = _margin(comparisons)
    axes.axvspan(-margin, margin, color=style.GREY, alpha=_STRIP, lw=0, zorder=0)
    axes.axvline(0, color=style.INK, lw=1)
    for y, row in enumerate(written.rows_of(comparisons)):
        colour = style.INK if row.ruling.startswith(("higher", "lower")) else style.GREY
        axes.plot([row.low, row.high], [y, y], color=colour, lw=2)
        axes.plot(row.difference, y, "o", color=colour, ms=6)
        ruling = "" if row.ruling == row.note else row.ruling  # that reason stands beside the number already
        lines = textwrap.wrap(ruling.replace(" points", "\N{NO-BREAK SPACE}points"), _LONGEST_NOTE)
        look: dict[str, Any] = {"va": "center", "fontsize": 9, "linespacing": 1.1}
        look["color"] = style.INK if row.ruling else style.GREY
        axes.text(1.01, y, "\n".join([written.signed(row), *lines]), transform=axes.get_yaxis_transform(), **look)
    axes.set(xlim=_reach(comparisons), ylim=(len(comparisons) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"difference in {title} (points)")


def _margin(comparisons: pd.DataFrame) -> float:
    """The smallest difference of interest; 0 where none is known."""
    margins = comparisons["margin"].dropna().unique()
    if len(margins) > 1:
        raise StudyError(
            f"a figure of differences: expected one smallest difference of interest, found "
            f"{', '.join(f'{margin:g}' for margin in margins)}: pass the comparisons of one study"
        )
    return float(margins[0]) if len(margins) else 0.0


def _reach(comparisons: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis of differences: every interval, the margin and zero are on it."""
    numbers = comparisons[["difference", "low", "high"]].to_numpy(float)
    margin = _margin(comparisons)
    known = [*numbers[np.isfinite(numbers)], -margin, margin, 0]
    room = 0.06 * (max(known) - min(known)) or 1
    return min(known) - room, max(known) + room


def _labels(comparisons: pd.DataFrame, counted: str = "people") -> list[str]:
    """Such as transfer minus scratch control, 1,000 people."""
    return [
        f"{style.words(row.arm_a)} minus {style.words(row.arm_b)}"
        + (f", {row.people:,.0f} {counted}" if row.people > 0 else "")
        + (", among the tilted less the upright" if row.metric.endswith(f"/{TILTED_LESS_UPRIGHT}") else "")
        for row in written.rows_of(comparisons)
    ]


def _strip(margin: float) -> Patch:
    return Patch(color=style.GREY, alpha=_STRIP, label=f"at most {margin:g} points: too little to be of interest")


def _key(comparisons: pd.DataFrame) -> list[Line2D | Patch]:
    """What strip and shades of a figure of differences mean, as far as they are in it."""
    decided = comparisons["ruling"].str.startswith(("higher", "lower"))
    key: list[Line2D | Patch] = [_strip(_margin(comparisons))] if _margin(comparisons) else []
    if decided.any():
        key.append(Line2D([], [], color=style.INK, marker="o", lw=2, label="ruled higher or lower"))
    others = comparisons.loc[~decided, "ruling"] != ""
    if len(others):
        name = "all others" if others.nunique() > 1 else "primary, ruled neither" if others.all() else "exploratory"
        key.append(Line2D([], [], color=style.GREY, marker="o", lw=2, label=name))
    return key
