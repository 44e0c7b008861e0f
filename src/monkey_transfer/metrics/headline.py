"""All numbers of an arm at once, for any weighting of its people: what thousands of resamples evaluate.

``docs/metrics.md`` defines them. What is a ratio of sums over joints costs one matrix product over people. For what
depends on an order, joints are sorted once and each resample costs running sums over them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from monkey_transfer.metrics import detection, oks, pckh
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched, group_numbers

# Besides the threshold from which a joint is correct, PCK is taken at these parts of the yardstick.
_PARTS = (0.1, 0.2)

_ERRORS = {"rmse_x": "dx", "rmse_y": "dy", "rmse_distance": "distance"}
_AT_BEST_F1 = ("threshold", "precision", "recall_over_own_correct", "recall_over_all_labelled", *_ERRORS)
_RANKED = ("auc", "average_precision", "best_f1", *(f"best_f1/{name}" for name in _AT_BEST_F1))
# How many stretches the sorted joints are cut into, to look for the median in one of them.
_STRETCHES = 64


def headline(matched: Matched) -> Statistic:
    """The statistic of all numbers of an arm, for :func:`monkey_transfer.metrics.bootstrap.replicate`.

    PCK scores and shares of errors are in percent, errors in the table's pixels or in yardsticks, everything else
    between 0 and 1.
    """
    return _together(
        pck_scores(matched),
        _mean_errors(matched),
        _median_error(matched),
        _error_shares(matched),
        _calibration(matched),
        _ranked(matched),
        _kept(matched),
        oks.statistic(matched),
    )


def pck_scores(matched: Matched) -> Statistic:
    """The statistic of the PCK scores alone: total, each joint group, at other thresholds, area under the curve."""
    joints = pckh.scored(matched.joints)
    name, correct, everything = pckh.SCORE_NAME[matched.reference], joints["correct"], np.ones(len(joints), bool)
    ratios = {name: _Ratio(100 * correct, everything)}
    groups = pckh.joint_groups(joints["keypoint"])
    for group in pckh.JOINT_GROUPS:
        if (member := groups == group).any():
            ratios[f"{name}/{group}"] = _Ratio(100 * (member & correct), member)
    for threshold in _PARTS:
        if threshold != CORRECT_WITHIN[matched.reference]:
            ratios[f"{name}@{threshold:g}"] = _Ratio(100 * (joints["normalised"] <= threshold), everything)
    # A joint counts at every threshold from the first that reaches it; trapezoids halve that first step.
    steps = len(thresholds := pckh.curve_thresholds(matched.reference)) - 1
    first = np.searchsorted(thresholds, joints["normalised"])
    ratios[f"{name}/area"] = _Ratio(100 * np.clip(steps - first + 0.5, 0, steps), steps * everything)
    return _of_ratios(matched, joints, ratios)


def scores_and_errors(matched: Matched) -> Statistic:
    """The statistic of the PCK scores and of what joints are mistaken for, all in percent of joints."""
    return _together(pck_scores(matched), _error_shares(matched))


def pixel_errors(matched: Matched) -> Statistic:
    """The statistic of errors in pixels alone, which depend on the frame: of all joints and of those that are kept."""
    of, everything = ("mean_distance", *_ERRORS), _together(_mean_errors(matched), _ranked(matched), _kept(matched))
    return lambda weights: {m: value for m, value in everything(weights).items() if m.rpartition("/")[2] in of}


class _Ratio(NamedTuple):
    """A metric that is a sum over joints divided by another; of a root mean square, the root of that."""

    above: Any
    below: Any
    root: bool = False


def _of_ratios(matched: Matched, joints: pd.DataFrame, ratios: Mapping[str, _Ratio]) -> Statistic:
    above = _sums(matched, joints, {metric: ratio.above for metric, ratio in ratios.items()})
    below = _sums(matched, joints, {metric: ratio.below for metric, ratio in ratios.items()})

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        numerators, denominators = above(weights), below(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = {metric: numerators[metric] / denominators[metric] for metric in ratios}
        return {metric: np.sqrt(value) if ratios[metric].root else value for metric, value in found.items()}

    return statistic


def _together(*parts: Statistic) -> Statistic:
    return lambda weights: {metric: value for part in parts for metric, value in part(weights).items()}


def _mean_errors(matched: Matched) -> Statistic:
    joints, one = matched.joints, np.ones(len(matched.joints))
    ratios = {"normalised_mean": _Ratio(joints["floored"], one), "mean_distance": _Ratio(joints["distance"], one)}
    ratios |= {metric: _Ratio(joints[column] ** 2, one, root=True) for metric, column in _ERRORS.items()}
    return _of_ratios(matched, joints, ratios)


def _median_error(matched: Matched) -> Statistic:
    """The least normalised error such that half of the joints, or more, have no larger one."""
    errors = matched.joints["floored"].to_numpy()
    order = np.argsort(errors, kind="stable")
    unit, units = group_numbers(matched, matched.joints["image_id"])
    unit, errors = unit[order], errors[order]
    length = -(-len(errors) // _STRETCHES)
    stretch = np.arange(len(errors)) // length
    joints_in = csr_array((np.ones(len(unit)), (unit, stretch)), shape=(units, stretch[-1] + 1)).toarray()

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        here = weights @ joints_in
        running = np.cumsum(here, axis=1)
        half = running[:, -1:] / 2
        rows = np.arange(len(weights))
        found = np.argmax(running >= half, axis=1)
        # Beyond the last joint it stands again and again, after half is reached.
        members = np.minimum(found[:, None] * length + np.arange(length), len(errors) - 1)
        before = (running - here)[rows, found][:, None]
        place = np.argmax(before + np.cumsum(weights[rows[:, None], unit[members]], axis=1) >= half, axis=1)
        return {"normalised_median": np.where(half[:, 0] > 0, errors[members[rows, place]], np.nan)}

    return statistic


def _error_shares(matched: Matched) -> Statistic:
    joints, one = matched.joints, np.ones(len(matched.joints))
    ratios = {f"errors/{kind}": _Ratio(100 * (joints["error"] == kind), one) for kind in ERROR_TYPES}
    return _of_ratios(matched, joints, ratios)


def _calibration(matched: Matched) -> Statistic:
    joints, confidence = matched.joints, detection.confidences(matched.joints)
    bins = detection.confidence_bin(confidence)
    in_bin = {f"calibration/{number}": bins == number for number in np.unique(bins)}
    right = {name: _Ratio(inside & joints["correct"], inside) for name, inside in in_bin.items()}
    gap = {name: inside * (joints["correct"] - confidence) for name, inside in in_bin.items()}
    shares, gaps, counted = (
        _of_ratios(matched, joints, right),
        _sums(matched, joints, gap),
        _sums(matched, joints, in_bin),
    )

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        gap, count = (np.abs([*of(weights).values()]).sum(axis=0) for of in (gaps, counted))
        with np.errstate(invalid="ignore"):
            return {"expected_calibration_error": gap / count, **shares(weights)}

    return statistic


def _kept(matched: Matched) -> Statistic:
    """What a threshold chosen elsewhere does: NaN where nothing is kept."""
    joints, correct, labelled = matched.joints, matched.joints["correct"] * 1, np.ones(len(matched.joints))
    kept = (detection.confidences(joints) >= matched.threshold) * 1
    right = kept * correct
    ratios = {
        "kept": _Ratio(2 * right, kept + correct),
        "kept/precision": _Ratio(right, kept),
        "kept/recall_over_own_correct": _Ratio(right, correct),
        "kept/recall_over_all_labelled": _Ratio(right, labelled),
        "kept/f1_over_all_labelled": _Ratio(2 * right, kept + labelled),
        **{f"kept/{metric}": _Ratio(kept * joints[of] ** 2, kept, root=True) for metric, of in _ERRORS.items()},
    }
    of_weights = _of_ratios(matched, joints, ratios)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = of_weights(weights)
        nothing = np.isnan(found["kept/precision"])
        defined = {metric: np.where(nothing, np.nan, value) for metric, value in found.items()}
        return {"kept/threshold": np.full(len(weights), matched.threshold), **defined}

    return statistic


def _ranked(matched: Matched) -> Statistic:
    """What depends on the order of confidences: one step per distinct confidence, so ties are exact."""
    joints = matched.joints
    confidence = detection.confidences(joints)
    order = np.argsort(-confidence, kind="stable")
    thresholds, first, step = np.unique(-confidence[order], return_index=True, return_inverse=True)
    last = np.append(first[1:], len(joints))
    unit, units = group_numbers(matched, joints["image_id"])
    unit, correct = unit[order], joints["correct"].to_numpy()[order]
    squares = joints[list(_ERRORS.values())].to_numpy()[order] ** 2
    shape = len(thresholds), units
    # (step, group) -> how many correct, and how many wrong, predictions the group has there.
    right_at, wrong_at = (
        csr_array((np.ones(chosen.sum(), np.int64), (step[chosen], unit[chosen])), shape=shape)
        for chosen in (correct, ~correct)
    )

    def one(weight: np.ndarray) -> list[float]:
        # Running sums are quick for whole numbers, ratios for floating point ones.
        right_here, wrong_here = right_at @ weight, wrong_at @ weight
        right, wrong = np.cumsum(right_here).astype(float), np.cumsum(wrong_here).astype(float)
        kept = right + wrong
        labelled, own = kept[-1], right[-1]
        values = dict.fromkeys(_RANKED, np.nan)
        if not own:
            return [*(values | {"best_f1": 0.0 if labelled else np.nan}).values()]
        if wrong[-1]:
            # Each wrong prediction is outranked by the correct ones before it and by half of those beside it.
            values["auc"] = (wrong_here @ (right - right_here / 2)) / (own * wrong[-1])
        precision = right / np.maximum(kept, 1)  # kept is 0 before the first prediction drawn, and right as well
        values["average_precision"] = right_here @ precision / own
        best = np.argmax(right / (kept + own))
        values["best_f1"] = 2 * right[best] / (kept[best] + own)
        errors = np.sqrt(weight[unit[: last[best]]] @ squares[: last[best]] / kept[best])
        point = (-thresholds[best], precision[best], right[best] / own, right[best] / labelled, *errors)
        return [*(values | dict(zip(_RANKED[3:], point, strict=True))).values()]

    return lambda weights: dict(zip(_RANKED, np.array([one(weight) for weight in weights]).T, strict=True))


def _sums(
    matched: Matched, joints: pd.DataFrame, columns: Mapping[str, object]
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """For any weights of the groups, the weighted sum of each column over ``joints``, rows of the arm's table."""
    unit, units = group_numbers(matched, joints["image_id"])
    values = np.column_stack([np.asarray(column, float) for column in columns.values()])
    of_groups = csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(units, len(unit))) @ values
    return lambda weights: dict(zip(columns, (weights @ of_groups).T, strict=True))
