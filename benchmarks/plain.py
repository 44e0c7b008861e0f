"""A bootstrap by its definition: visit the people drawn, one by one, and score the joints they bring.

Slow and plain on purpose; ``benchmarks.metrics`` compares it with the study's own, in numbers and in time.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from monkey_transfer.metrics import oks
from monkey_transfer.metrics.detection import CALIBRATION_BINS
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import curve_thresholds, joint_groups, scored

ERRORS = {"rmse_x": "dx", "rmse_y": "dy", "rmse_distance": "distance"}


class Joint(NamedTuple):
    """One labelled joint.

    ``area`` is the share of the PCKh curve on which it counts as correct, ``similarity`` what COCO gives for it,
    NaN for a joint that COCO does not know.
    """

    dx: float
    dy: float
    distance: float
    normalised: float
    floored: float
    likelihood: float
    correct: bool
    error: str
    group: str
    scored: bool
    area: float
    similarity: float


def by_person(arm: Matched) -> list[list[Joint]]:
    """The joints of each person, people in the order of their names."""
    hits = arm.joints["normalised"].to_numpy()[:, None] <= curve_thresholds(arm.reference)
    joints = arm.joints.assign(
        group=joint_groups(arm.joints["keypoint"]),
        scored=arm.joints.index.isin(scored(arm.joints).index),
        area=(hits[:, 1:].mean(axis=1) + hits[:, :-1].mean(axis=1)) / 2,
        similarity=oks.joint_similarities(arm),
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
                for part in (0.1, 0.2):
                    hits[f"pckh@{part}"] += joint.normalised <= part
                    joints[f"pckh@{part}"] += 1
                hits["pckh/area"] += joint.area
                joints["pckh/area"] += 1
    return {metric: 100 * hits[metric] / joints[metric] for metric in joints}


def headline(people: Sequence[Sequence[Joint]], drawn: Sequence[int], threshold: float) -> dict[str, float]:
    """Every number of the people drawn, some of whose joints are correct and some wrong, and some of them kept."""
    joints = sorted((joint for person in drawn for joint in people[person]), key=lambda joint: -joint.likelihood)
    labelled, own = len(joints), sum(joint.correct for joint in joints)
    squares = dict.fromkeys(ERRORS, 0.0)
    kinds = dict.fromkeys(ERROR_TYPES, 0)
    right_in, joints_in, gaps = ([0.0] * CALIBRATION_BINS for _ in range(3))
    distance = floored = ranked = average_precision = 0.0
    best, chosen = {"best_f1": 0.0}, {"kept/threshold": threshold}
    right = right_above = kept_above = 0
    for kept, joint in enumerate(joints, start=1):
        right += joint.correct
        distance += joint.distance
        floored += joint.floored
        kinds[joint.error] += 1
        number = min(int(joint.likelihood * CALIBRATION_BINS), CALIBRATION_BINS - 1)
        right_in[number] += joint.correct
        joints_in[number] += 1
        gaps[number] += joint.correct - joint.likelihood
        for metric, error in ERRORS.items():
            squares[metric] += getattr(joint, error) ** 2
        if kept < labelled and joints[kept].likelihood == joint.likelihood:
            continue  # equal confidences are kept or dropped together
        wrong_here = (kept - kept_above) - (right - right_above)
        ranked += wrong_here * (right + right_above) / 2
        average_precision += (right - right_above) * right / kept / own
        right_above, kept_above = right, kept
        point = {
            "precision": right / kept,
            "recall_over_own_correct": right / own,
            "recall_over_all_labelled": right / labelled,
            **{metric: (square / kept) ** 0.5 for metric, square in squares.items()},
        }
        f1 = 2 * right / (kept + own)
        if f1 > best["best_f1"]:
            best = {"best_f1": f1, "best_f1/threshold": joint.likelihood}
            best |= {f"best_f1/{name}": value for name, value in point.items()}
        if joint.likelihood >= threshold:
            chosen["kept"], chosen["kept/f1_over_all_labelled"] = f1, 2 * right / (kept + labelled)
            chosen |= {f"kept/{name}": value for name, value in point.items()}
    return {
        **pck_scores(people, drawn),
        "normalised_mean": floored / labelled,
        "normalised_median": sorted(joint.floored for joint in joints)[(labelled - 1) // 2],
        "mean_distance": distance / labelled,
        **{metric: (square / labelled) ** 0.5 for metric, square in squares.items()},
        **{f"errors/{kind}": 100 * number / labelled for kind, number in kinds.items()},
        "expected_calibration_error": sum(map(abs, gaps)) / labelled,
        **{f"calibration/{number}": right_in[number] / count for number, count in enumerate(joints_in) if count},
        "auc": ranked / (own * (labelled - own)),
        "average_precision": average_precision,
        **best,
        **chosen,
        **coco(people, drawn),
    }


def coco(people: Sequence[Sequence[Joint]], drawn: Sequence[int]) -> dict[str, float]:
    """COCO's numbers of the people drawn: one person and one prediction in each picture."""
    found = []
    for person in sorted(drawn):
        known = [joint for joint in people[person] if not isnan(joint.similarity)]
        if known:
            confidence = sum(joint.likelihood for joint in known) / len(known)
            found.append((confidence, sum(joint.similarity for joint in known) / len(known)))
    found.sort(key=lambda one: -one[0])
    precisions = [
        _average_precision([similarity >= threshold for _, similarity in found]) for threshold in oks.THRESHOLDS
    ]
    return {
        "oks": sum(similarity for _, similarity in found) / len(found),
        "oks_ap": sum(precisions) / len(precisions),
        "oks_ap50": precisions[0],
        "oks_ap75": precisions[5],
    }


def _average_precision(hits: Sequence[bool]) -> float:
    """The best precision at or beyond each of COCO's recalls, averaged."""
    right, points = 0, []
    for seen, hit in enumerate(hits, start=1):
        right += hit
        points.append((right / len(hits), right / seen))
    best, read, levels = 0.0, 0.0, list(oks.RECALLS)
    for recall, precision in reversed(points):
        while levels and levels[-1] > recall:
            read += best
            levels.pop()
        best = max(best, precision)
    return (read + best * len(levels)) / len(oks.RECALLS)


def largest_difference(ours: dict[str, np.ndarray], plain: Sequence[dict[str, float]]) -> float:
    """Largest relative difference between our numbers and the plain ones over all metrics and resamples.

    Infinite where one has a metric that the other lacks; a metric that is undefined in ours may be absent in the plain.
    """
    differences = [0.0]
    for i, row in enumerate(plain):
        defined = {metric for metric, value in ours.items() if not isnan(value[i])}
        if defined != row.keys():
            return float("inf")
        differences += [abs(ours[metric][i] - value) / max(abs(value), 1e-12) for metric, value in row.items()]
    return max(differences)
