"""Percentage of correct keypoints: the share of labelled joints predicted within a part of a body length.

The official score of MPII is PCKh@0.5 (Andriluka et al., "2D Human Pose Estimation: New Benchmark and
State of the Art Analysis", CVPR 2014, and the release's evaluation toolkit): the yardstick is the head
size, 0.6 x the diagonal of the head box; a joint is correct at a distance of *at most* half of it;
unlabelled joints are ignored; pelvis and thorax are left out; the remaining 14 joints are pooled.

All scores are in percent, as MPII prints them.
"""

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.skeletons import LANDMARK_OF, without_side

# What a score is called under each yardstick: only the official one is plainly "pckh".
SCORE_NAME = {
    "head_size": "pckh",
    "head_segment": "pckh_by_head_segment",
    "torso": "pck_by_torso",
    "bbox_length": "pck_by_bbox_length",
    "mpii_200scale": "pck_by_mpii_200scale",
}
# The same for titles, with what counts as correct: PCKh@0.5, PCK@0.2 by torso.
SCORE_TITLE = {
    reference: name.replace("pck", "PCK").replace("_by_", f"@{CORRECT_WITHIN[reference]:g} by ").replace("_", " ")
    for reference, name in SCORE_NAME.items()
} | {"head_size": f"PCKh@{CORRECT_WITHIN['head_size']:g}"}
JOINT_GROUPS = ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
# Landmarks that MPII's toolkit leaves out of its total.
NOT_SCORED = ("pelvis", "thorax")

_CURVE_STEPS = 50


def joint_groups(keypoints: pd.Series) -> pd.Series:
    """The row of MPII's table that each keypoint, of any known set, belongs to, or "other".

    The head's row holds head top and upper neck (``genTablePCK`` of the toolkit). Left and right are
    pooled here; the toolkit averages their two rates, which is the same when both are labelled equally often.
    """

    def group(keypoint: str) -> str:
        landmark = LANDMARK_OF.get(keypoint, keypoint)
        found = "head" if landmark in ("head_top", "upper_neck") else without_side(landmark)
        return found if found in JOINT_GROUPS else "other"

    return keypoints.map({keypoint: group(keypoint) for keypoint in keypoints.unique()})


def scored(joints: pd.DataFrame) -> pd.DataFrame:
    """The rows that a PCK counts: all but pelvis and thorax."""
    left_out = [keypoint for keypoint in joints["keypoint"].unique() if LANDMARK_OF.get(keypoint) in NOT_SCORED]
    return joints[~joints["keypoint"].isin(left_out)]


def pck(joints: pd.DataFrame, threshold: float) -> float:
    """Percentage of the rows whose normalised distance is at most ``threshold``; NaN when there are none."""
    return 100 * float((joints["normalised"] <= threshold).mean())


def curve_thresholds(reference: str) -> np.ndarray:
    """51 even thresholds from 0 to where the yardstick calls a joint correct: 0, 0.01, ... 0.5 for a head, as MPII."""
    return CORRECT_WITHIN[reference] * np.arange(_CURVE_STEPS + 1) / _CURVE_STEPS


def curve(joints: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    """Percentage correct at each threshold: columns ``threshold, pck``."""
    return pd.DataFrame({"threshold": thresholds, "pck": [pck(joints, threshold) for threshold in thresholds]})


def joint_rows(table: pd.DataFrame, what: str) -> tuple[pd.DataFrame, list[str]]:
    """Rows that score joint groups or all joints, which the new column ``joint`` names; and those names, head first.

    Parameters
    ----------
    table : with the column ``metric``, such as ``pckh/elbow`` and, of all joints, ``pckh``; other rows are passed over.
    what : the table's use, for the error.

    Raises StudyError if they are by several yardsticks, or none is there.
    """
    names = sorted(name for name in SCORE_NAME.values() if table["metric"].str.fullmatch(f"{name}(/.*)?").any())
    if len(names) != 1:
        raise StudyError(
            f"{what}: expected scores by one yardstick (such as pckh and pckh/elbow), found "
            f"{', '.join(names) or 'none'}: pass the rows of one study"
        )
    joint_of = {f"{names[0]}/{group}": group for group in JOINT_GROUPS} | {names[0]: "all joints"}
    rows = table.assign(joint=table["metric"].map(joint_of)).dropna(subset=["joint"])
    return rows, [joint for joint in joint_of.values() if rows["joint"].eq(joint).any()]
