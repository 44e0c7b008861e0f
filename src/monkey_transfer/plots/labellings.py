"""How far two labellings of the same photographs are apart."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched
from monkey_transfer.plots import style

# Distances are shown up to this many times what still counts as the same place, in so many bars.
_SHOWN = 4
_BARS = 20


@style.figure
def two_labellings(labellings: Matched, by_joint: pd.DataFrame, *, rendered: bool) -> Figure:
    """Distances between two labels of one joint, and how often they agree, joint by joint, with intervals.

    Parameters
    ----------
    labellings : one labelling measured by the other; the last bar holds all that are farther apart.
    by_joint : ``reading, joint, value`` (percent) ``, low, high``; the first reading is filled, others are hollow.

    Raises StudyError if ``by_joint`` is empty, or two rows are of one reading and joint.
    """
    style.refuse_double(by_joint, ("reading", "joint"), "agreement of labels")
    within, (colour, *_) = CORRECT_WITHIN[labellings.reference], style.DATASET_COLOURS
    drawn, (distances, joints) = subplots(1, 2, figsize=(style.WIDTH, 3.8), width_ratios=[1, 1.25])
    edges = _SHOWN * within * np.arange(_BARS + 1) / _BARS
    apart = np.minimum(pckh.scored(labellings.joints)["normalised"], edges[-1])
    share = 100 * np.histogram(apart, edges)[0] / len(apart)
    distances.stairs(share, edges, fill=True, color=colour, alpha=0.45)
    distances.axvline(within, color=style.INK, ls="--", lw=1)
    note = f"agree: at most {within:g}"
    distances.text(within, 1.01, note, transform=distances.get_xaxis_transform(), ha="center", va="bottom", fontsize=9)
    distances.set_xlim(0, edges[-1])
    style.percent_from_zero(distances, share)
    unit = f"{style.words(labellings.reference)}s"
    distances.set(xlabel=f"apart, in {unit}; the last bar: all beyond", ylabel="joints labelled twice (%)")

    names = list(dict.fromkeys(by_joint["joint"]))
    readings = list(dict.fromkeys(by_joint["reading"]))
    for place, reading in enumerate(readings):
        rows = by_joint[by_joint["reading"] == reading]
        at = rows["joint"].map(names.index) + 0.3 * ((place + 0.5) / len(readings) - 0.5)
        joints.vlines(at, rows["low"], rows["high"], color=colour, lw=1.6, alpha=0.6 if place else 1)
        joints.plot(at, rows["value"], "o", color=colour, mfc="white" if place else colour, ms=5, label=reading)
    joints.axvspan(len(names) - 1.5, len(names) - 0.5, color=style.PALE, alpha=0.5, lw=0, zorder=0)
    joints.set_xticks(range(len(names)), names, rotation=35, ha="right")
    joints.set_xlim(-0.5, len(names) - 0.5)
    style.percent_from_zero(joints, by_joint[["value", "high"]])
    joints.set_ylabel("joints (%)")
    joints.grid(axis="x", visible=False)
    sure = np.isfinite(by_joint["low"]).any()
    style.footnote(drawn, "bars: 95 % intervals over photographs" if sure else "too few photographs for intervals")
    style.set_title(drawn, "Two labellings of one photograph", rendered)
    joints.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=len(readings))
    return drawn
