"""A bootstrap by its definition: visit the people drawn, one by one, and score the joints they bring.

Slow and plain on purpose; ``benchmarks.metrics`` compares it with the study's own, in numbers and in time.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monkey_transfer.metrics.detection import CALIBRATION_BINS
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import curve_thresholds, joint_groups, scored

ERRORS = {"rmse_x": "dx", "rmse_y": "dy", "rmse_distance": "distance", "rmse_normalised": "normalised"}


class Joint(NamedTuple):
    """One labelled joint; ``area`` is the share of the PCKh curve on which it counts as correct."""

    dx: float
    dy: float
    distance: float
    normalised: float
    likelihood: float
    correct: bool
    group: str
    scored: bool
    area: float


def by_person(arm: Matched) -> list[list[Joint]]:
    """The joints of each person, people in the order of their names."""
    hits = arm.joints["normalised"].to_numpy()[:, None] <= curve_thresholds(arm.reference)
    joints = arm.joints.assign(
        group=joint_groups(arm.joints["keypoint"]),
        scored=arm.joints.index.isin(scored(arm.joints).index),
        area=(hits[:, 1:].mean(axis=1) + hits[:, :-1].mean(axis=1)) / 2,
    )
    fields = list(Joint._fields)
    return [[Joint(*row) for row in rows[fields].itertuples(index=False)] for _, rows in joints.groupby("image_id")]


def pck_scores(people: Sequence[Sequence[Joint]], drawn: Sequence[int]) -> dict[str, float]:
    """The PCKh scores of the people drawn."""
    hits: dict[str, float] = defaultdict(float)
    joints: dict[str, int] = defaultdict(int)
    for person in drawn:
        for joint in people[person]:
            if joint.scored:
                for metric in ("pckh", f"pckh/{joint.group}"):
                    hits[metric] += joint.correct
                    joints[metric] += 1
                hits["pckh/area"] += joint.area
                joints["pckh/area"] += 1
    return {metric: 100 * hits[metric] / joints[metric] for metric in joints}


def headline(people: Sequence[Sequence[Joint]], drawn: Sequence[int]) -> dict[str, float]:
    """Every headline number of the people drawn, some of whose joints are correct and some wrong."""
    joints = sorted((joint for person in drawn for joint in people[person]), key=lambda joint: -joint.likelihood)
    labelled, own = len(joints), sum(joint.correct for joint in joints)
    squares = dict.fromkeys(ERRORS, 0.0)
    gaps = [0.0] * CALIBRATION_BINS
    distance = ranked = average_precision = 0.0
    best, best_over_all = {"best_f1": 0.0}, {"best_f1_over_all_labelled": 0.0}
    right = right_above = kept_above = 0
    for kept, joint in enumerate(joints, start=1):
        right += joint.correct
        distance += joint.distance
        gaps[min(int(joint.likelihood * CALIBRATION_BINS), CALIBRATION_BINS - 1)] += joint.correct - joint.likelihood
        for metric, error in ERRORS.items():
            squares[metric] += getattr(joint, error) ** 2
        if kept < labelled and joints[kept].likelihood == joint.likelihood:
            continue  # equal confidences are kept or dropped together
        wrong_here = (kept - kept_above) - (right - right_above)
        ranked += wrong_here * (right + right_above) / 2
        average_precision += (right - right_above) * right / kept / own
        right_above, kept_above = right, kept
        f1, f1_over_all = 2 * right / (kept + own), 2 * right / (kept + labelled)
        if f1 > best["best_f1"]:
            best = {
                "best_f1": f1,
                "best_f1/threshold": joint.likelihood,
                "best_f1/kept": kept,
                "best_f1/correct_kept": right,
                "best_f1/precision": right / kept,
                "best_f1/recall_over_own_correct": right / own,
                "best_f1/recall_over_all_labelled": right / labelled,
                **{f"best_f1/{metric}": (square / kept) ** 0.5 for metric, square in squares.items()},
            }
        if f1_over_all > best_over_all["best_f1_over_all_labelled"]:
            best_over_all = {
                "best_f1_over_all_labelled": f1_over_all,
                "best_f1_over_all_labelled/threshold": joint.likelihood,
                "best_f1_over_all_labelled/kept": kept,
                "best_f1_over_all_labelled/precision": right / kept,
                "best_f1_over_all_labelled/recall_over_all_labelled": right / labelled,
            }
    return {
        **pck_scores(people, drawn),
        "labelled": labelled,
        "correct": own,
        **{metric: (square / labelled) ** 0.5 for metric, square in squares.items()},
        "mean_distance": distance / labelled,
        "expected_calibration_error": sum(map(abs, gaps)) / labelled,
        "auc": ranked / (own * (labelled - own)),
        "average_precision": average_precision,
        **best,
        **best_over_all,
    }


def largest_difference(ours: dict[str, np.ndarray], plain: Sequence[dict[str, float]]) -> float:
    """Largest relative difference between our numbers and the plain ones over all metrics and resamples."""
    return max(
        abs(ours[metric][i] - value) / max(abs(value), 1e-12)
        for i, row in enumerate(plain)
        for metric, value in row.items()
    )
