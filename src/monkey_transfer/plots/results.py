"""What the networks learnt and how good they are: curves, errors, confidences, scores with their intervals.

Every function says in the figure's title where the pictures are rendered: ``rendered`` has no default, so
that nobody forgets it.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection, pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched
from monkey_transfer.plots.style import (
    GREY,
    INK,
    PALE,
    WIDTH,
    arm_colours,
    figure,
    headline,
    legend_below,
    legend_beside,
    level,
    plain_log,
    words,
)

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
_HISTOGRAM_BINS = 20


@figure
def learning_curves(curves: Mapping[str, pd.DataFrame], *, rendered: bool) -> Figure:
    """Training loss and validation error against iterations; a dot marks the snapshot that was chosen.

    Parameters
    ----------
    curves : by arm, :meth:`monkey_transfer.runs.Run.learning_curve`.
    """
    drawn, (loss, error) = subplots(1, 2, figsize=(WIDTH, 3.6), sharex=True)
    headline(drawn, "Learning curves", rendered)
    colours = arm_colours(curves)
    for arm, curve in curves.items():
        [kept] = curve[curve["chosen"]].to_dict("records")
        loss.plot(curve["iteration"], curve["training_loss"], color=colours[arm])
        error.plot(curve["iteration"], curve["validation_error"], color=colours[arm])
        chosen = f"{words(arm)}: {kept['validation_error']:.1f} px at {kept['iteration']:,.0f}"
        error.plot(kept["iteration"], kept["validation_error"], "o", color=colours[arm], ms=7, label=chosen)
    loss.set(yscale="log", xlabel="iteration", ylabel="training loss", title="On the training pictures")
    plain_log(loss.yaxis)
    error.set(
        ylim=(0, None), xlabel="iteration", ylabel="mean error (network pixels)", title="On the validation people"
    )
    legend_below(drawn, error, columns=min(len(curves), 3))
    return drawn


@figure
def error_distribution(arms: Mapping[str, Matched], *, rendered: bool) -> Figure:
    """Share of labelled joints that are predicted within each distance; a dashed line marks what counts as correct."""
    import seaborn as sns  # seconds to import

    reference = _common_reference(arms)
    threshold = CORRECT_WITHIN[reference]
    drawn, axes = subplots(figsize=(WIDTH, 3.8))
    for arm, colour in arm_colours(arms).items():
        sns.ecdfplot(arms[arm].joints["normalised"], stat="percent", color=colour, label=words(arm), ax=axes)
    axes.axvline(threshold, color=INK, ls="--", lw=1)
    above, note = axes.get_xaxis_transform(), f"correct: at most {threshold:g}"
    axes.text(threshold, 1.01, note, transform=above, ha="center", va="bottom", fontsize=9)
    axes.set(xlim=(0, _ERRORS_SHOWN * threshold), ylim=(0, 100))
    axes.set(xlabel=f"distance from the label, in {_UNITS[reference]}", ylabel="labelled joints within it (%)")
    headline(drawn, "How far predictions are off", rendered)
    legend_beside(axes)
    return drawn


@figure
def threshold_curve(arms: Mapping[str, Matched], values: pd.DataFrame, *, rendered: bool) -> Figure:
    """The score against its threshold, up to the one of the headline number; the legend gives the mean height.

    ``values``, here and in the figures below, is :attr:`monkey_transfer.metrics.headline.TableOne.values` of these
    arms: the intervals are from there.
    """
    reference = _common_reference(arms)
    drawn, axes = subplots(figsize=(WIDTH, 3.8))
    for arm, colour in arm_colours(arms).items():
        curve = pckh.curve(pckh.scored(arms[arm].joints), pckh.curve_thresholds(reference))
        name = pckh.SCORE_NAME[reference]
        label = f"{words(arm)}\narea {_interval(values, arm, f'{name}/area', 1)}\nend {_interval(values, arm, name, 1)}"
        axes.plot(curve["threshold"], curve["pck"], color=colour, label=label)
    axes.set(xlim=(0, CORRECT_WITHIN[reference]), ylim=(0, 100))
    axes.set(xlabel=f"threshold, in {_UNITS[reference]}", ylabel="scored joints within the threshold (%)")
    headline(drawn, f"{pckh.SCORE_TITLE[reference]} and smaller thresholds", rendered)
    legend_beside(axes)
    return drawn


@figure
def roc_curves(arms: Mapping[str, Matched], values: pd.DataFrame, *, rendered: bool) -> Figure:
    """One ROC per arm, its AUC in the legend: the paper's Figure 1."""
    _common_reference(arms)
    drawn, axes = subplots(figsize=(WIDTH, 0.55 * WIDTH), layout="compressed")
    axes.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1.2, label="chance: AUC 0.500")
    for arm, colour in arm_colours(arms).items():
        roc = detection.roc(arms[arm].joints)
        label = f"{words(arm)}: no ROC, all {'correct' if arms[arm].joints['correct'].all() else 'wrong'}"
        if not roc.reason:
            label = f"{words(arm)}: AUC {_interval(values, arm, 'auc', 3)}"
        axes.plot(roc.curve["false_positive_rate"], roc.curve["true_positive_rate"], color=colour, label=label)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set(xlabel="wrong predictions kept (share)", ylabel="correct predictions kept (share)")
    headline(drawn, "Does confidence tell correct from wrong?", rendered)
    legend_beside(axes)
    return drawn


@figure
def confidence_histograms(arms: Mapping[str, Matched], *, rendered: bool) -> Figure:
    """Confidences of correct and of wrong predictions, apart, for each arm: the paper's Figure 2."""
    import seaborn as sns  # seconds to import

    _common_reference(arms)
    columns = min(len(arms), 3)
    rows = -(-len(arms) // columns)
    drawn, axes = subplots(rows, columns, figsize=(WIDTH, 2.4 * rows + 0.4), sharex=True, squeeze=False)
    headline(drawn, "Confidence of correct (filled) and of wrong (outlined) predictions", rendered)
    for spot in axes.flat[len(arms) :]:
        spot.set_axis_off()
    bins = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    for spot, (arm, colour) in zip(axes.flat, arm_colours(arms).items(), strict=False):
        joints = arms[arm].joints
        correct, wrong = (joints.loc[chosen, "likelihood"] for chosen in (joints["correct"], ~joints["correct"]))
        sns.histplot(correct, bins=bins, element="step", color=colour, alpha=0.4, lw=0, ax=spot)
        sns.histplot(wrong, bins=bins, element="step", color=INK, fill=False, lw=1.4, ax=spot)
        spot.set_title(f"{words(arm)}\n{len(correct):,} correct, {len(wrong):,} wrong")
        spot.set(xlim=(0, 1), xlabel="confidence", ylabel="predictions")
    return drawn


@figure
def calibration(arms: Mapping[str, Matched], values: pd.DataFrame, *, rendered: bool) -> Figure:
    """How often predictions of about equal confidence are correct, with intervals.

    The legend gives the expected calibration error, which is 0 for a network on the diagonal.
    """
    _common_reference(arms)
    drawn, axes = subplots(figsize=(WIDTH, 0.55 * WIDTH), layout="compressed")
    axes.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1.2, label="as sure as it is right")
    for arm, colour in arm_colours(arms).items():
        bins = detection.calibration(arms[arm].joints)
        label = f"{words(arm)}: error {_interval(values, arm, 'expected_calibration_error', 3)}"
        axes.plot(bins["confidence"], bins["correct"], "o-", color=colour, lw=1.2, ms=5, label=label)
        number = detection.confidence_bin(bins["confidence"].to_numpy())
        bounds = values[values["arm"] == arm].set_index("metric").loc[[f"calibration/{b}" for b in number]]
        axes.vlines(bins["confidence"], bounds["low"], bounds["high"], color=colour, lw=1.6, alpha=0.6)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="mean confidence of the bin", ylabel="correct predictions in the bin (share)")
    headline(drawn, "Does confidence mean what it says?", rendered)
    legend_beside(axes)
    return drawn


@figure
def by_joint(values: pd.DataFrame, *, rendered: bool) -> Figure:
    """The score of each joint group and of all scored joints, with its interval, for each arm.

    Parameters
    ----------
    values : :attr:`monkey_transfer.metrics.headline.TableOne.values`; the scores are the rows with metrics
        such as ``pckh`` and ``pckh/elbow``, other rows are passed over.

    Raises
    ------
    StudyError
        If no row is the score of a joint group, or they are by several yardsticks.
    """
    references = [reference for reference, name in pckh.SCORE_NAME.items() if (values["metric"] == name).any()]
    if len(references) != 1:
        raise StudyError(
            f"table one: expected scores by one yardstick (such as pckh and pckh/elbow), found {len(references)}: "
            "pass the values of one table"
        )
    name = pckh.SCORE_NAME[references[0]]
    row_of = {f"{name}/{group}": group for group in pckh.JOINT_GROUPS} | {name: "all joints"}
    scores = values.assign(row=values["metric"].map(row_of)).dropna(subset=["row"])
    rows = [row for row in row_of.values() if (scores["row"] == row).any()]
    arms = scores["arm"].unique()
    drawn, axes = subplots(figsize=(WIDTH, 3.8))
    axes.axvspan(len(rows) - 1.5, len(rows) - 0.5, color=PALE, alpha=0.5, lw=0, zorder=0)
    step = 0.7 / len(arms)
    for i, (arm, colour) in enumerate(arm_colours(arms).items()):
        own = scores[scores["arm"] == arm].set_index("row").reindex(rows)
        at = np.arange(len(rows)) + step * (i - (len(arms) - 1) / 2)
        axes.vlines(at, own["low"], own["high"], color=colour, lw=2)
        axes.plot(at, own["value"], "o", color=colour, ms=5.5, label=words(arm))
    axes.set_xticks(range(len(rows)), rows)
    axes.set(xlim=(-0.5, len(rows) - 0.5), ylim=(0, 100), ylabel=f"{pckh.SCORE_TITLE[references[0]]} (%)")
    axes.grid(axis="x", visible=False)
    headline(drawn, f"Score by joint, with {level(values)} intervals", rendered)
    legend_below(drawn, axes, columns=len(arms))
    return drawn


def _common_reference(arms: Mapping[str, Matched]) -> str:
    """The yardstick by which all arms were measured; StudyError if there are several, or no arm."""
    references = {matched.reference for matched in arms.values()}
    if len(references) != 1:
        raise StudyError(
            f"a figure of arms: expected arms matched by one yardstick, found "
            f"{', '.join(sorted(references)) or 'no arm'}: match all of them with the same reference"
        )
    return references.pop()


def _interval(values: pd.DataFrame, arm: str, metric: str, digits: int) -> str:
    """Such as 0.736 (0.711 to 0.760)."""
    found = values[(values["arm"] == arm) & (values["metric"] == metric)]
    if len(found) != 1:
        raise StudyError(
            f"table one: expected one row for '{metric}' of arm '{arm}', found {len(found)}: pass the values of one run"
        )
    value, low, high = (f"{found[column].iloc[0]:.{digits}f}" for column in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _in_words(metric: str) -> str:
    return words(metric).replace("pck", "PCK").replace("/", ": ")
