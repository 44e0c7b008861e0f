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

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError

CALIBRATION_BINS = 10


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


def roc(joints: pd.DataFrame) -> pd.DataFrame:
    """ROC curve of confidence against correctness: ``false_positive_rate, true_positive_rate, threshold``.

    Equal confidences are one step of it. Empty where all predictions are correct, or all wrong.
    """
    from sklearn.metrics import roc_curve  # seconds to import, and only needed here

    rates, confidence = ["false_positive_rate", "true_positive_rate", "threshold"], confidences(joints)
    if joints["correct"].nunique() < 2:
        return pd.DataFrame(columns=rates, dtype=float)
    return pd.DataFrame(
        dict(zip(rates, roc_curve(joints["correct"], confidence, drop_intermediate=False), strict=True))
    )


def threshold_of(joints: pd.DataFrame) -> float:
    """The confidence from which on to keep predictions: that of the best F1 of precision and recall over own correct.

    Of equal ones the highest. NaN where no prediction is correct, since no threshold is best then. Taken on validation
    people it is what a network may be given on the way to others; on the people that are scored it is the paper's
    operating point, which flatters.
    """
    ranked = pd.DataFrame({"confidence": confidences(joints), "correct": joints["correct"].to_numpy()})
    counts = ranked.groupby("confidence")["correct"].agg(kept="size", right="sum").sort_index(ascending=False).cumsum()
    correct = counts["right"].iloc[-1]
    return float((2 * counts["right"] / (counts["kept"] + correct)).idxmax()) if correct else float("nan")


def confidence_bin(confidence: np.ndarray) -> np.ndarray:
    """Number of the bin of equal width over 0..1 that each confidence falls into.

    Each holds its lower edge, the last one also 1 (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
    with the edges stated).
    """
    return np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
