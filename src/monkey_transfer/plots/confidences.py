"""Whether networks know when they are right: ROC, histograms of confidence, calibration."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.pyplot import subplots

from monkey_transfer.metrics import detection
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.plots import style
from monkey_transfer.plots.results import common_reference

_HISTOGRAM_BINS = 20


@style.figure
def roc_curves(arms: Mapping[str, Matched], seed: int, *, rendered: bool) -> Figure:
    """One ROC per arm, of one training seed: the paper's Figure 1."""
    common_reference(arms)
    drawn, axes = subplots(figsize=(style.WIDTH, 0.64 * style.WIDTH))
    axes.plot([0, 1], [0, 1], color=style.GREY, ls=":", lw=1.2, label="chance")
    for arm, colour in style.arm_colours(arms).items():
        roc = detection.roc(arms[arm].joints)
        label = style.words(arm)
        if roc.empty:
            label += f": no ROC, all {'correct' if arms[arm].joints['correct'].all() else 'wrong'}"
        axes.plot(roc["false_positive_rate"], roc["true_positive_rate"], color=colour, label=label)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", anchor="W")
    axes.set(xlabel="wrong predictions kept (share)", ylabel="correct predictions kept (share)")
    style.set_title(drawn, f"Does confidence tell correct from wrong? Seed {seed}", rendered)
    style.legend_beside(axes)
    return drawn


@style.figure
def confidence_histograms(arms: Mapping[str, Matched], seed: int, *, rendered: bool) -> Figure:
    """Confidences of correct and of wrong predictions, apart, for each arm of one training seed: the paper's Figure 2.

    Heights are shares of all predictions of the arm. An arm that is equally sure of everything has no panel, and the
    legend says so, unless there is no other.
    """
    common_reference(arms)
    shown = {arm: found for arm, found in arms.items() if found.joints["likelihood"].nunique() > 1} or arms
    columns = _columns(len(shown))
    rows = -(-len(shown) // columns)
    size = (style.WIDTH, (2.5 if columns > 1 else 3.4) * rows + 0.7)
    drawn, axes = subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    style.set_title(drawn, f"Confidence of correct and of wrong predictions, seed {seed}", rendered)
    bins = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    highest: list[float] = []
    for spot, (arm, colour) in zip(axes.flat, style.arm_colours(shown).items(), strict=False):
        joints = shown[arm].joints
        right, wrong = (
            100 * np.histogram(joints.loc[joints["correct"] == correct, "likelihood"], bins)[0] / len(joints)
            for correct in (True, False)
        )
        spot.stairs(right, bins, fill=True, color=colour, alpha=0.45)
        spot.stairs(wrong, bins, color=style.INK, lw=1.4)
        correct = joints["correct"].sum()
        spot.set_title(f"{style.words(arm)}\n{correct:,} correct, {len(joints) - correct:,} wrong")
        spot.tick_params(labelbottom=True)
        highest += [right.max(), wrong.max()]
    axes[0, 0].set_xlim(0, 1)
    style.percent_from_zero(axes[0, 0], highest)
    for spot in axes[:, 0]:
        spot.set_ylabel("predictions (%)")
    empty = list(axes.flat[len(shown) :])
    for spot in empty:
        spot.set_axis_off()
    for column in range(columns):
        last = axes[(len(shown) - 1 - column) // columns, column]  # of the column's panels that holds an arm
        last.set_xlabel("confidence")
    key: list[Line2D | Patch] = [
        Patch(facecolor=style.GREY, alpha=0.45, label="filled: correct"),
        Patch(facecolor="none", edgecolor=style.INK, lw=1.4, label="outlined: wrong"),
    ]
    for arm in (arm for arm in arms if arm not in shown):
        key.append(Line2D([], [], ls="", label=f"not shown, always equally sure:\n{style.words(arm)}"))
    if empty:
        empty[0].legend(handles=key, loc="center left")
    else:
        drawn.legend(handles=key, loc="outside lower center", ncols=len(key))
    return drawn


@style.figure
def calibration(scores: pd.DataFrame, *, rendered: bool) -> Figure:
    """How often predictions of about equal confidence are correct, with intervals, at the middle of each tenth.

    ``scores`` has the columns ``arm, metric, value, low, high`` (shares) ``, seeds, over, note``; drawn are such as
    ``calibration/0``. Raises StudyError if there is none, or two are of one arm and bin.
    """
    number = scores["metric"].str.extract(r"^calibration/(\d+)$", expand=False)
    shares = scores.assign(bin=number)[number.notna()]
    style.refuse_double(shares, ("arm", "metric"), "calibration")
    shares = shares.assign(confidence=(shares["bin"].astype(int) + 0.5) / detection.CALIBRATION_BINS)
    drawn, axes = subplots(figsize=(style.WIDTH, 0.64 * style.WIDTH))
    axes.plot([0, 1], [0, 1], color=style.GREY, ls=":", lw=1.2, label="as sure as it is right")
    style.draw_arms(axes, shares.dropna(subset=["value"]), "confidence", 0.06)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), aspect="equal", anchor="W")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set(xlabel="confidence, in tenths", ylabel="correct predictions among them (share)")
    style.subtitle(axes, style.how_sure(shares))
    style.set_title(drawn, "Does confidence mean what it says?", rendered)
    style.legend_beside(axes)
    return drawn


def _columns(panels: int) -> int:
    """Columns that leave no cell of the grid empty, or one, which holds the legend."""
    return min(panels, next((columns for columns in (3, 2, 4) if -panels % columns <= 1), 3))
