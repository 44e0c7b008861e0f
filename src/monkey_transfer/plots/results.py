"""What the networks learnt and how good they are: curves of training, errors, scores with their intervals.

Figures of ``arms`` (:class:`monkey_transfer.metrics.matching.Matched` by arm) show one training seed, which their title
names, and no number: numbers are over all seeds, and stand in the tables. Figures of ``scores`` show those.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched
from monkey_transfer.plots import style
from monkey_transfer.tables import refuse_repeated

# One length of each yardstick, as it stands on an axis.
_UNITS = {
    "head_size": "head sizes",
    "head_segment": "head segments (head top to upper neck)",
    "torso": "torso diagonals",
    "bbox_length": "lengths of the bounding box",
    "mpii_200scale": "200 x MPII's scale",
}
# Errors are shown up to this many times what still counts as correct.
_ERRORS_SHOWN = 3
# From right to wrong, the order in the bars: colour, and what the word means.
ERROR_COLOURS = {
    "correct": ("#c8c8c8", ""),
    "jitter": ("#ddcc77", "close by"),
    "swap": ("#44aa99", "at the same joint of the other side"),
    "inversion": ("#332288", "at another joint"),
    "miss": ("#882255", "elsewhere"),
}
_LEAST_WRITTEN = 4  # percent: narrower parts of a bar have no room for their number


@style.figure
def learning_curves(
    curves: Mapping[str, pd.DataFrame], seed: int, validated_on: Literal["monkeys", "people"], *, rendered: bool
) -> Figure:
    """Training loss and validation score against iterations; a dot marks the snapshot that was chosen by that score.

    Parameters
    ----------
    curves : by arm, :meth:`monkey_transfer.study.runs.Run.learning_curve`: ``iteration, training_loss,
        validation_score`` (percent), ``chosen``.
    seed : the training seed of all of them.
    validated_on : whose pictures the validation score is of.
    """
    drawn, (loss, score) = subplots(1, 2, figsize=(style.WIDTH, 3.8), sharex=True)
    style.set_title(drawn, f"Learning curves of seed {seed}", rendered)
    for arm, colour in style.arm_colours(curves).items():
        curve = curves[arm]
        refuse_repeated(curve, ["iteration"], f"learning curve of {arm}")
        [kept] = curve[curve["chosen"]].to_dict("records")
        loss.plot(curve["iteration"], curve["training_loss"], color=colour)
        score.plot(curve["iteration"], curve["validation_score"], ".-", color=colour)
        chosen = f"{style.words(arm)}: chosen at {kept['iteration']:,.0f}, {kept['validation_score']:.1f} %"
        score.plot(kept["iteration"], kept["validation_score"], "o", color=colour, ms=8, label=chosen)
    loss.set(yscale="log", xlabel="iteration", ylabel="training loss", title="On the training pictures")
    style.plain_log(loss.yaxis)
    style.percent_from_zero(score, pd.concat([curve["validation_score"] for curve in curves.values()]))
    score.set(xlabel="iteration", ylabel="PCK (%)", title=f"On the validation {validated_on}")
    style.legend_below(drawn, score, most=2)
    return drawn


@style.figure
def error_distribution(arms: Mapping[str, Matched], seed: int, *, rendered: bool) -> Figure:
    """Share of labelled joints that are predicted within each distance; a dashed line marks what counts as correct."""
    reference = common_reference(arms)
    threshold = CORRECT_WITHIN[reference]
    drawn, axes = subplots(figsize=(style.WIDTH, 3.8))
    within = _ERRORS_SHOWN * threshold
    highest = []
    for arm, colour in style.arm_colours(arms).items():
        errors = np.sort(arms[arm].joints["normalised"])
        share = [*100 * np.arange(len(errors) + 1) / len(errors), 100]
        axes.step([0, *errors, max(errors[-1], within)], share, where="post", color=colour, label=style.words(arm))
        highest.append(100 * np.mean(errors <= within))
    axes.axvline(threshold, color=style.INK, ls="--", lw=1)
    above, note = axes.get_xaxis_transform(), f"correct: at most {threshold:g}"
    axes.text(threshold, 1.01, note, transform=above, ha="center", va="bottom", fontsize=9)
    axes.set_xlim(0, within)
    style.percent_from_zero(axes, highest)
    axes.set(xlabel=f"distance from the label, in {_UNITS[reference]}", ylabel="labelled joints within it (%)")
    style.set_title(drawn, f"How far predictions are off, seed {seed}", rendered)
    style.legend_beside(axes)
    return drawn


@style.figure
def threshold_curve(arms: Mapping[str, Matched], seed: int, *, rendered: bool) -> Figure:
    """The score against its threshold, up to that of the headline number."""
    reference = common_reference(arms)
    drawn, axes = subplots(figsize=(style.WIDTH, 3.8))
    highest = []
    for arm, colour in style.arm_colours(arms).items():
        curve = pckh.curve(pckh.scored(arms[arm].joints), pckh.curve_thresholds(reference))
        axes.plot(curve["threshold"], curve["pck"], color=colour, label=style.words(arm))
        highest.append(curve["pck"].max())
    axes.set_xlim(0, CORRECT_WITHIN[reference])
    style.percent_from_zero(axes, highest)
    axes.set(xlabel=f"threshold, in {_UNITS[reference]}", ylabel="scored joints within the threshold (%)")
    style.set_title(drawn, f"{pckh.SCORE_TITLE[reference]} and smaller thresholds, seed {seed}", rendered)
    style.legend_beside(axes)
    return drawn


@style.figure
def by_joint(scores: pd.DataFrame, *, rendered: bool) -> Figure:
    """The score of each joint group and of all scored joints, with its interval, for each arm.

    ``scores`` has the columns ``arm, metric, value, low, high, seeds, over, note``; drawn are such as ``pckh`` and
    ``pckh/elbow``. Raises StudyError if there is none, they are by several yardsticks, or two are of one arm and joint.
    """
    rows, names = pckh.joint_rows(scores, "scores by joint")
    style.refuse_double(rows, ("arm", "metric"), "scores by joint")
    drawn, axes = subplots(figsize=(style.WIDTH, 4.0))
    axes.axvspan(len(names) - 1.5, len(names) - 0.5, color=style.PALE, alpha=0.5, lw=0, zorder=0)
    style.draw_arms(axes, rows.assign(place=rows["joint"].map(names.index)), "place", 0.75, "o")
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.5, len(names) - 0.5)
    style.percent_from_zero(axes, rows[["value", "high"]])
    [reference] = (found for found, name in pckh.SCORE_NAME.items() if rows["metric"].eq(name).any())
    axes.set_ylabel(f"{pckh.SCORE_TITLE[reference]} (%)")
    axes.grid(axis="x", visible=False)
    style.subtitle(axes, style.how_sure(rows))
    style.set_title(drawn, "Score by joint", rendered)
    style.legend_below(drawn, axes)
    return drawn


@style.figure
def error_types(scores: pd.DataFrame, *, rendered: bool) -> Figure:
    """What becomes of the labelled joints of each arm: shares that are right, and that are wrong in each way.

    ``scores`` has the columns ``arm, metric, value`` (percent) and ``seeds``; drawn are the metrics ``errors/correct``,
    ``errors/jitter`` and so on. Raises StudyError if there is none, or two are of one arm and kind.
    """
    shares = scores[scores["metric"].isin([f"errors/{kind}" for kind in ERROR_COLOURS])]
    style.refuse_double(shares, ("arm", "metric"), "errors by kind")
    arms = shares["arm"].unique()
    table = shares.pivot(index="arm", columns="metric", values="value").loc[arms]
    drawn, axes = subplots(figsize=(style.WIDTH, 0.36 * len(arms) + 1.7))
    start = np.zeros(len(arms))
    for kind, (colour, meaning) in ERROR_COLOURS.items():
        share = table[f"errors/{kind}"].to_numpy()
        label = f"{kind}: {meaning}" if meaning else kind
        bars = axes.barh(range(len(arms)), share, left=start, height=0.72, color=colour, label=label)
        ink = "white" if kind in ("inversion", "miss") else style.INK
        numbers = [f"{value:.0f}" if value >= _LEAST_WRITTEN else "" for value in share]
        axes.bar_label(bars, numbers, label_type="center", color=ink, fontsize=9)
        start = start + np.nan_to_num(share)
    axes.set_yticks(range(len(arms)), [style.words(arm) for arm in arms])
    axes.set(ylim=(len(arms) - 0.5, -0.5), xlim=(0, 100), xlabel="labelled joints (%)")
    axes.grid(axis="y", visible=False)
    style.subtitle(axes, "one seed" if shares["seeds"].max() == 1 else f"means of {shares['seeds'].max():.0f} seeds")
    style.set_title(drawn, "Errors by kind", rendered)
    style.legend_below(drawn, axes, most=3)
    return drawn


def common_reference(arms: Mapping[str, Matched]) -> str:
    """The yardstick by which all arms were measured; StudyError if there are several, or no arm."""
    references = {matched.reference for matched in arms.values()}
    if len(references) != 1:
        raise StudyError(
            f"a figure of arms: expected arms matched by one yardstick, found "
            f"{', '.join(sorted(references)) or 'no arm'}: match all of them with the same reference"
        )
    return references.pop()
