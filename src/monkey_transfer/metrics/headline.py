"""All headline numbers of an arm at once, for any weighting of its people, and Table 1 with intervals.

``pckh``, ``detection`` and ``rmse`` define the numbers; here they are evaluated for thousands of
resamples. Joints are sorted by confidence once. A resample then costs running sums over the sorted joints
and, for everything that is a mean over joints, one matrix product over people.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection, pckh
from monkey_transfer.metrics.bootstrap import Method, Replicates, Statistic, interval, replicate
from monkey_transfer.metrics.matching import Matched

_ERRORS = {"rmse_x": "dx", "rmse_y": "dy", "rmse_distance": "distance", "rmse_normalised": "normalised"}
_AT_BEST_F1 = ("threshold", "kept", "correct_kept", "precision", "recall_over_own_correct", "recall_over_all_labelled")
_AT_BEST_F1_OVER_ALL = ("threshold", "kept", "precision", "recall_over_all_labelled")
_RANKED = (
    "auc",
    "average_precision",
    "best_f1",
    *(f"best_f1/{name}" for name in _AT_BEST_F1),
    *(f"best_f1/{name}" for name in _ERRORS),
    "best_f1_over_all_labelled",
    *(f"best_f1_over_all_labelled/{name}" for name in _AT_BEST_F1_OVER_ALL),
)
_NOT_DEFINED = np.full(len(_RANKED), np.nan)


class TableOne(NamedTuple):
    """``values``: ``arm, metric, value, low, high, people, groups, joints, note`` and how it was resampled.

    ``joints`` is what the metric divides by. ``note`` says why a value or some resamples are undefined.
    ``differences``: ``arm_a, arm_b, metric, difference, low, high`` (a minus b) and how it was resampled.
    Both end in ``level, method, resamples, seed``, so that a table says how to make it again.
    """

    values: pd.DataFrame
    differences: pd.DataFrame


def summary(matched: Matched) -> dict[str, float]:
    """Every headline number of one arm; :func:`table_one` gives the same with intervals.

    PCK scores are in percent, errors in the table's pixels, everything else between 0 and 1 or a count.
    """
    everyone = np.ones((1, matched.people["group"].nunique()), np.int64)
    return {metric: value.item() for metric, value in headline(matched)(everyone).items()}


def table_one(
    arms: Mapping[str, Matched],
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
    statistic_of: Callable[[Matched], Statistic] | None = None,
) -> TableOne:
    """Every headline number of every arm with its interval, and every paired difference of two arms.

    Each arm counts its own joints; pass the result of
    :func:`monkey_transfer.metrics.matching.on_shared_keypoints` to count those that all arms have.

    Parameters
    ----------
    arms : by name; all evaluated on the same people by the same yardstick.
    seed : of the resamples.
    method : "bca" corrects for bias and skewness, but is too narrow for what hangs on the best threshold
        (``best_f1/...``), which jumps from one resample to the next (``benchmarks.coverage``).
    statistic_of : which numbers to compute; :func:`headline` unless given, :func:`pck_scores` is quicker.

    Raises StudyError when arms differ in their people, groups or yardstick: they cannot be compared.
    """
    replicates = replicates_of(arms, resamples, seed, statistic_of)
    return tabulated(arms, replicates, {"level": level, "method": method, "resamples": resamples, "seed": seed})


def replicates_of(
    arms: Mapping[str, Matched],
    resamples: int,
    seed: int,
    statistic_of: Callable[[Matched], Statistic] | None = None,
) -> dict[str, dict[str, Replicates]]:
    """Arm -> metric -> its replicates on the same resamples of people; parameters as for :func:`table_one`."""
    _refuse_different_people(arms)
    groups = next(iter(arms.values())).people["group"].nunique()
    statistics = {arm: (statistic_of or headline)(matched) for arm, matched in arms.items()}
    return replicate(statistics, groups, resamples, seed)


def tabulated(
    arms: Mapping[str, Matched], replicates: Mapping[str, Mapping[str, Replicates]], provenance: Mapping[str, Any]
) -> TableOne:
    """Write replicates of those arms down; ``provenance`` is the level, method, resamples and seed of the intervals."""
    people = next(iter(arms.values())).people
    groups = people["group"].nunique()
    level, method = provenance["level"], provenance["method"]
    denominators = {arm: _denominators(matched, replicates[arm]) for arm, matched in arms.items()}
    values = [
        {
            "arm": arm,
            "metric": metric,
            "value": found.value,
            **_bounds(interval(found, level, method)),
            "people": len(people),
            "groups": groups,
            "joints": denominators[arm][metric],
            "note": _note(arms[arm], metric, found),
            **provenance,
        }
        for arm, metrics in replicates.items()
        for metric, found in metrics.items()
    ]
    differences = []
    for a, b in combinations(arms, 2):
        for metric in replicates[a]:
            if metric in replicates[b]:
                paired = replicates[a][metric].minus(replicates[b][metric])
                bounds = _bounds(interval(paired, level, method))
                named = {"arm_a": a, "arm_b": b, "metric": metric, "difference": paired.value}
                differences.append({**named, **bounds, **provenance})
    columns = ["arm_a", "arm_b", "metric", "difference", "low", "high", *provenance]
    return TableOne(pd.DataFrame(values), pd.DataFrame(differences, columns=columns))


def headline(matched: Matched) -> Statistic:
    """The statistic of all headline numbers of an arm, for :func:`monkey_transfer.metrics.bootstrap.replicate`."""
    parts = pck_scores(matched), _mean_errors(matched), _ranked(matched)
    return lambda weights: {metric: value for part in parts for metric, value in part(weights).items()}


def pck_scores(matched: Matched) -> Statistic:
    """The statistic of the PCK scores alone: total, area under the curve, and each joint group."""
    joints = pckh.scored(matched.joints)
    name = pckh.SCORE_NAME[matched.reference]
    groups = pckh.joint_groups(joints["keypoint"])
    members = {name: pd.Series(True, joints.index)}
    members |= {f"{name}/{group}": groups == group for group in pckh.JOINT_GROUPS if (groups == group).any()}
    hits = {metric: member & joints["correct"] for metric, member in members.items()}
    # A joint counts at every threshold from the first that reaches it; trapezoids halve that first step.
    steps = len(thresholds := pckh.curve_thresholds(matched.reference)) - 1
    first = np.searchsorted(thresholds, joints["normalised"])
    hits[f"{name}/area"] = pd.Series(np.clip((steps - first + 0.5) / steps, 0, 1), joints.index)
    members[f"{name}/area"] = members[name]
    unit, units = _units(matched, joints)
    counted, hit = _sums(members, unit, units), _sums(hits, unit, units)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return dict(zip(members, (100 * (weights @ hit) / (weights @ counted)).T, strict=True))

    return statistic


def _mean_errors(matched: Matched) -> Statistic:
    joints = matched.joints
    confidence = detection.confidences(joints)
    bins = detection.confidence_bin(confidence)
    means = {
        **{metric: joints[column] ** 2 for metric, column in _ERRORS.items()},
        "mean_distance": joints["distance"],
        **{f"bin {b}": (joints["correct"] - confidence) * (bins == b) for b in range(detection.CALIBRATION_BINS)},
    }
    counts = {"labelled": np.ones(len(joints)), "correct": joints["correct"]}
    filled = np.unique(bins)
    counts |= {f"in {b}": bins == b for b in filled}
    counts |= {f"correct in {b}": (bins == b) & joints["correct"] for b in filled}
    unit, units = _units(matched, joints)
    mean_sums, count_sums = _sums(means, unit, units), _sums(counts, unit, units)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        count = dict(zip(counts, (weights @ count_sums).T, strict=True))
        with np.errstate(invalid="ignore"):
            mean = dict(zip(means, (weights @ mean_sums).T / count["labelled"], strict=True))
            shares = {f"calibration/{b}": count[f"correct in {b}"] / count[f"in {b}"] for b in filled}
        return {
            "labelled": count["labelled"],
            "correct": count["correct"],
            **{metric: np.sqrt(mean[metric]) for metric in _ERRORS},
            "mean_distance": mean["mean_distance"],
            "expected_calibration_error": np.sum([abs(mean[metric]) for metric in means if "bin" in metric], axis=0),
            **shares,
        }

    return statistic


def _ranked(matched: Matched) -> Statistic:
    """What depends on the order of confidences: one step per distinct confidence, so ties are exact."""
    joints = matched.joints
    confidence = detection.confidences(joints)
    order = np.argsort(-confidence, kind="stable")
    thresholds, first, step = np.unique(-confidence[order], return_index=True, return_inverse=True)
    last = np.append(first[1:], len(joints))
    unit, units = _units(matched, joints)
    unit, correct = unit[order], joints["correct"].to_numpy()[order]
    squares = joints[list(_ERRORS.values())].to_numpy()[order] ** 2
    shape = len(thresholds), units
    # (step, group) -> how many correct, and how many wrong, predictions the group has there.
    right_at, wrong_at = (
        csr_array((np.ones(chosen.sum(), np.int64), (step[chosen], unit[chosen])), shape=shape)
        for chosen in (correct, ~correct)
    )

    def one(weight: np.ndarray) -> np.ndarray:
        # Running sums are quick for whole numbers, ratios for floating point ones.
        right_here, wrong_here = right_at @ weight, wrong_at @ weight
        right, wrong = np.cumsum(right_here).astype(float), np.cumsum(wrong_here).astype(float)
        kept = right + wrong
        labelled, own = kept[-1], right[-1]
        if not labelled:
            return _NOT_DEFINED
        values = dict.fromkeys(_RANKED, np.nan) | {"best_f1": 0.0, "best_f1_over_all_labelled": 0.0}
        if not own:
            return np.fromiter(values.values(), float)
        if wrong[-1]:
            # Each wrong prediction is outranked by the correct ones before it and by half of those beside it.
            values["auc"] = (wrong_here @ (right - right_here / 2)) / (own * wrong[-1])
        precision = right / np.maximum(kept, 1)  # kept is 0 before the first prediction drawn, and right as well
        values["average_precision"] = right_here @ precision / own
        best = np.argmax(right / (kept + own))
        values["best_f1"] = 2 * right[best] / (kept[best] + own)
        sums = weight[unit[: last[best]]] @ squares[: last[best]]
        point = (
            -thresholds[best],
            kept[best],
            right[best],
            precision[best],
            right[best] / own,
            right[best] / labelled,
            *np.sqrt(sums / kept[best]),
        )
        values |= zip((f"best_f1/{name}" for name in (*_AT_BEST_F1, *_ERRORS)), point, strict=True)
        # A larger denominator of recall never favours a higher threshold.
        best += np.argmax(right[best:] / (kept[best:] + labelled))
        values["best_f1_over_all_labelled"] = 2 * right[best] / (kept[best] + labelled)
        point = -thresholds[best], kept[best], precision[best], right[best] / labelled
        values |= zip((f"best_f1_over_all_labelled/{name}" for name in _AT_BEST_F1_OVER_ALL), point, strict=True)
        return np.fromiter(values.values(), float)

    return lambda weights: dict(zip(_RANKED, np.stack([one(weight) for weight in weights]).T, strict=True))


def _units(matched: Matched, joints: pd.DataFrame) -> tuple[np.ndarray, int]:
    """Number of the group that each joint's person is in, by the groups' sorted names, and how many there are."""
    names = np.sort(matched.people["group"].unique())
    group = joints["image_id"].map(matched.people.set_index("image_id")["group"])
    return np.searchsorted(names, group.to_numpy(names.dtype)), len(names)


def _sums(columns: Mapping[str, object], unit: np.ndarray, units: int) -> np.ndarray:
    """Sum of each column over the joints of each group, shape (groups, columns)."""
    values = np.column_stack([np.asarray(column, float) for column in columns.values()])
    return csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(units, len(unit))) @ values


def _refuse_different_people(arms: Mapping[str, Matched]) -> None:
    if not arms:
        raise StudyError("table one: no arm was given: expected at least one")
    (first, matched), *others = arms.items()
    for arm, other in others:
        if other.reference != matched.reference:
            raise StudyError(
                f"arms '{first}' and '{arm}' were measured by {matched.reference} and {other.reference}: "
                "match both with the same reference"
            )
        if not other.people.equals(matched.people):
            rows = matched.people.merge(other.people, how="outer", indicator=True)
            raise StudyError(
                f"arms '{first}' and '{arm}' were evaluated on different people or groups (picture "
                f"'{rows.loc[rows['_merge'] != 'both', 'image_id'].iloc[0]}'): evaluate both on the same ones"
            )


def _bounds(bounds: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("low", "high"), bounds, strict=True))


def _denominators(matched: Matched, replicates: Mapping[str, Replicates]) -> dict[str, int]:
    """How many joints each metric divides by: see :class:`TableOne`."""
    joints = pckh.scored(matched.joints)
    in_group = pckh.joint_groups(joints["keypoint"]).value_counts()
    in_bin = np.bincount(detection.confidence_bin(detection.confidences(matched.joints)))

    def denominator(metric: str) -> float:
        name, _, part = metric.partition("/")
        if name == pckh.SCORE_NAME[matched.reference]:
            return in_group.get(part, len(joints))
        if name == "calibration":
            return in_bin[int(part)]
        if part == "recall_over_own_correct":
            return replicates["correct"].value
        if part == "precision" or part in _ERRORS:
            kept = replicates[f"{name}/kept"].value
            return 0 if np.isnan(kept) else kept
        return len(matched.joints)

    return {metric: int(denominator(metric)) for metric in replicates}


def _note(matched: Matched, metric: str, found: Replicates) -> str:
    if np.isnan(found.value):
        correct = int(matched.joints["correct"].sum())
        if metric == "auc":
            return detection.one_class_reason(correct, len(matched.joints))
        return "no prediction is correct, so there is nothing to rank and no threshold is best"
    if matched.people["group"].nunique() == 1:
        return "no interval: all people are of one group, which says nothing about people of other groups"
    if np.isnan(found.jackknifed).any():
        return "no interval: it rests on the people of one group"
    undefined = int(np.isnan(found.resampled).sum())
    return f"undefined on {undefined} of {len(found.resampled)} resamples, which are left out" if undefined else ""
