"""Keypoints as detections: does the network's confidence tell its correct predictions from its wrong ones?

The reading of the paper's section 2.5 that its numbers fit: every labelled joint that the network has is
one prediction; it is *correct* when PCKh@0.5 says so; the network's confidence is the score. Keeping the
predictions at or above a confidence threshold gives

    precision = correct kept / kept
    recall over own correct    = correct kept / correct predictions of this network
    recall over all labelled   = correct kept / labelled joints that this network has

The first recall is the paper's: its denominators (5,146 / 0.83 and 7,207 / 0.94) differ from network to
network. It says how many of its good predictions a network keeps, not how many joints it finds, so it
cannot be compared between networks; the second can. Equal confidences are kept or dropped together.

Unlike MPII's score, these numbers count pelvis and thorax: the paper does not say that they are left out.
Functions take the ``joints`` table of :class:`monkey_transfer.metrics.matching.Matched`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError

CALIBRATION_BINS = 10
Recall = Literal["recall_over_own_correct", "recall_over_all_labelled"]


@dataclass(frozen=True)
class OperatingPoint:
    """What a network does when predictions with ``likelihood >= threshold`` are kept.

    ``labelled``, ``correct``, ``kept`` and ``correct_kept`` are the counts behind the ratios. Without any
    correct prediction no threshold is best: F1 is 0 and the threshold and all that follows from it are NaN.
    """

    threshold: float
    f1: float
    precision: float
    recall_over_own_correct: float
    recall_over_all_labelled: float
    kept: float
    correct_kept: float
    correct: int
    labelled: int


@dataclass(frozen=True)
class Roc:
    """A ROC curve (``false_positive_rate, true_positive_rate, threshold``) and the area under it.

    Where all predictions are correct, or all wrong, there is no curve: ``auc`` is NaN and ``reason`` says why.
    """

    curve: pd.DataFrame
    auc: float
    reason: str = ""


def confidences(joints: pd.DataFrame) -> np.ndarray:
    """The likelihood of every row; StudyError unless all lie between 0 and 1."""
    values = joints["likelihood"].to_numpy(float)
    bad = ~((values >= 0) & (values <= 1))
    if bad.any():
        row = joints[bad].iloc[0]
        raise StudyError(
            f"predictions: the likelihood of keypoint '{row['keypoint']}' of picture '{row['image_id']}' is "
            f"{row['likelihood']}: detection metrics need a confidence between 0 and 1 for every prediction"
        )
    return values


def one_class_reason(correct: int, joints: int) -> str:
    """Why there is no ROC with that many correct predictions; "" when there is one."""
    if 0 < correct < joints:
        return ""
    return f"a ROC needs correct and wrong predictions, and all {joints} are {'correct' if correct else 'wrong'}"


def roc(joints: pd.DataFrame) -> Roc:
    """ROC of confidence against correctness, by scikit-learn; equal confidences are one step of the curve.

    A network whose confidence is the same everywhere gets 0.5: it really cannot tell.
    """
    confidence = confidences(joints)
    reason = one_class_reason(int(joints["correct"].sum()), len(joints))
    if reason:
        empty = pd.DataFrame(columns=["false_positive_rate", "true_positive_rate", "threshold"], dtype=float)
        return Roc(empty, float("nan"), reason)
    from sklearn.metrics import auc, roc_curve  # seconds to import, and only needed here

    false_rate, true_rate, threshold = roc_curve(joints["correct"], confidence, drop_intermediate=False)
    curve = pd.DataFrame({"false_positive_rate": false_rate, "true_positive_rate": true_rate, "threshold": threshold})
    return Roc(curve, float(auc(false_rate, true_rate)))


def average_precision(joints: pd.DataFrame) -> float:
    """Precision averaged over the steps of recall over own correct, by scikit-learn; NaN without a correct one."""
    confidence = confidences(joints)
    if not joints["correct"].any():
        return float("nan")
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(joints["correct"], confidence))


def at_each_threshold(joints: pd.DataFrame) -> pd.DataFrame:
    """Counts and ratios at every distinct confidence, highest first.

    Returns
    -------
    Columns ``threshold, kept, correct_kept, precision, recall_over_own_correct,
    recall_over_all_labelled, f1_over_own_correct, f1_over_all_labelled``. Recall over own correct is NaN
    when nothing is correct; F1, written 2 x correct kept / (kept + recall's denominator), is then 0.
    """
    ranked = pd.DataFrame({"threshold": confidences(joints), "correct": joints["correct"].to_numpy()})
    counts = ranked.groupby("threshold")["correct"].agg(kept="size", correct_kept="sum").sort_index(ascending=False)
    table = counts.cumsum().reset_index()
    kept, right = table["kept"], table["correct_kept"]
    labelled, correct = len(joints), right.iloc[-1]
    return table.assign(
        precision=right / kept,
        recall_over_own_correct=right / correct if correct else np.nan,
        recall_over_all_labelled=right / labelled,
        f1_over_own_correct=2 * right / (kept + correct),
        f1_over_all_labelled=2 * right / (kept + labelled),
    )


def best_f1(joints: pd.DataFrame, recall: Recall = "recall_over_own_correct") -> OperatingPoint:
    """The operating point with the highest F1 of precision and that recall; of equal ones, the highest threshold."""
    table = at_each_threshold(joints)
    f1 = table[recall.replace("recall", "f1")]
    labelled, correct = len(joints), int(joints["correct"].sum())
    best = table.loc[f1.idxmax()] if correct else pd.Series(np.nan, index=table.columns)
    return OperatingPoint(
        threshold=float(best["threshold"]),
        f1=float(f1.max()),
        precision=float(best["precision"]),
        recall_over_own_correct=float(best["recall_over_own_correct"]),
        recall_over_all_labelled=float(best["recall_over_all_labelled"]),
        kept=float(best["kept"]),
        correct_kept=float(best["correct_kept"]),
        correct=correct,
        labelled=labelled,
    )


def calibration(joints: pd.DataFrame, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Reliability curve: how often predictions of about equal confidence are correct.

    Bins have equal width over 0..1; each holds its lower edge, the last one also 1 (Guo et al.,
    "On Calibration of Modern Neural Networks", ICML 2017, with the edges stated).

    Returns
    -------
    One row per bin that holds a prediction: ``low, high, joints, confidence`` (mean) and ``correct`` (share).
    """
    confidence = confidences(joints)
    index = confidence_bin(confidence, bins)
    table = pd.DataFrame({"bin": index, "confidence": confidence, "correct": joints["correct"].to_numpy(float)})
    curve = table.groupby("bin").agg(
        joints=("correct", "size"), confidence=("confidence", "mean"), correct=("correct", "mean")
    )
    edges = pd.DataFrame({"low": curve.index / bins, "high": (curve.index + 1) / bins}, index=curve.index)
    return edges.join(curve).reset_index(drop=True)


def confidence_bin(confidence: np.ndarray, bins: int = CALIBRATION_BINS) -> np.ndarray:
    """Number of the bin of equal width over 0..1 that each confidence falls into."""
    return np.minimum((confidence * bins).astype(int), bins - 1)


def expected_calibration_error(reliability: pd.DataFrame) -> float:
    """Mean over predictions of their bin's gap between confidence and share correct (Guo et al. 2017, eq. 3)."""
    gap = (reliability["confidence"] - reliability["correct"]).abs()
    return float((gap * reliability["joints"]).sum() / reliability["joints"].sum())
