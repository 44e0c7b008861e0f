"""All numbers of an arm at once, for any weighting of its people: what thousands of resamples evaluate.

``docs/metrics.md`` defines them. What is a sum over joints, or a ratio of such sums, costs one matrix product over
people. For what depends on an order, joints are sorted once and each resample costs running sums over them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection, oks, pckh
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched, group_numbers

# Besides the threshold from which a joint is correct, PCK is taken at these parts of the yardstick.
_PARTS = (0.1, 0.2)

_ERRORS = {"rmse_x": "dx", "rmse_y": "dy", "rmse_distance": "distance"}
_AT_BEST_F1 = ("threshold", "kept", "correct_kept", "precision", "recall_over_own_correct", "recall_over_all_labelled")
_RANKED = (
    "auc",
    "average_precision",
    "best_f1",
    *(f"best_f1/{name}" for name in _AT_BEST_F1),
    *(f"best_f1/{name}" for name in _ERRORS),
)
_NOT_DEFINED = np.full(len(_RANKED), np.nan)
# How many stretches the sorted joints are cut into, to look for the median in one of them.
_STRETCHES = 64


def headline(matched: Matched, threshold: float) -> Statistic:
    """The statistic of all numbers of an arm, for :func:`monkey_transfer.metrics.bootstrap.replicate`.

    PCK scores and shares of errors are in percent, errors in the table's pixels or in yardsticks, everything else
    between 0 and 1 or a count.

    Parameters
    ----------
    threshold : confidence from which on predictions are kept for the metrics ``kept``. Chosen on other people
        (:func:`monkey_transfer.metrics.detection.threshold_of`); NaN where there was none to choose, and then these
        metrics are NaN.
    """
    return _together(
        pck_scores(matched),
        _mean_errors(matched),
        _median_error(matched),
        _error_shares(matched),
        _calibration(matched),
        _ranked(matched),
        _kept(matched, threshold),
        oks.statistic(matched),
    )


def pck_scores(matched: Matched) -> Statistic:
    """The statistic of the PCK scores alone: total, each joint group, at other thresholds, area under the curve."""
    joints = pckh.scored(matched.joints)
    name = pckh.SCORE_NAME[matched.reference]
    groups = pckh.joint_groups(joints["keypoint"])
    members = {name: pd.Series(True, joints.index)}
    members |= {f"{name}/{group}": groups == group for group in pckh.JOINT_GROUPS if (groups == group).any()}
    hits = {metric: member & joints["correct"] for metric, member in members.items()}
    for threshold in _PARTS:
        if threshold != CORRECT_WITHIN[matched.reference]:
            hits[f"{name}@{threshold:g}"] = joints["normalised"] <= threshold
    # A joint counts at every threshold from the first that reaches it; trapezoids halve that first step.
    steps = len(thresholds := pckh.curve_thresholds(matched.reference)) - 1
    first = np.searchsorted(thresholds, joints["normalised"])
    hits[f"{name}/area"] = pd.Series(np.clip((steps - first + 0.5) / steps, 0, 1), joints.index)
    counted = _sums(matched, joints, {metric: members.get(metric, members[name]) for metric in hits})
    hit = _sums(matched, joints, hits)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        joints_of = counted(weights)
        with np.errstate(invalid="ignore"):
            return {metric: 100 * right / joints_of[metric] for metric, right in hit(weights).items()}

    return statistic


def pixel_errors(matched: Matched, threshold: float) -> Statistic:
    """The statistic of errors in pixels alone, which depend on the frame: of all joints and of those that are kept."""
    everything = _together(_mean_errors(matched), _ranked(matched), _kept(matched, threshold))

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        of = ("mean_distance", *_ERRORS)
        return {metric: value for metric, value in everything(weights).items() if metric.rpartition("/")[2] in of}

    return statistic


def refuse_different_people(arms: Mapping[str, Matched]) -> None:
    """Raise StudyError unless the arms, by name, were evaluated on the same people and groups by one yardstick."""
    if not arms:
        raise StudyError("arms to compare: none was given: expected at least one")
    (first, matched), *others = arms.items()
    identity = ["image_id", "group"]
    for arm, other in others:
        if other.reference != matched.reference:
            raise StudyError(
                f"arms '{first}' and '{arm}' were measured by {matched.reference} and {other.reference}: "
                "match both with the same reference"
            )
        if not other.people[identity].equals(matched.people[identity]):
            rows = matched.people[identity].merge(other.people[identity], how="outer", indicator=True)
            raise StudyError(
                f"arms '{first}' and '{arm}' were evaluated on different people or groups (picture "
                f"'{rows.loc[rows['_merge'] != 'both', 'image_id'].iloc[0]}'): evaluate both on the same ones"
            )


def _together(*parts: Statistic) -> Statistic:
    return lambda weights: {metric: value for part in parts for metric, value in part(weights).items()}


def _mean_errors(matched: Matched) -> Statistic:
    joints = matched.joints
    means = {"normalised_mean": joints["floored"], "mean_distance": joints["distance"]}
    squares = {metric: joints[column] ** 2 for metric, column in _ERRORS.items()}
    sums = _sums(matched, joints, {**means, **squares, "joints": np.ones(len(joints))})

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        summed = sums(weights)
        count = summed.pop("joints")
        with np.errstate(invalid="ignore"):
            mean = {metric: values / count for metric, values in summed.items()}
        return mean | {metric: np.sqrt(mean[metric]) for metric in squares}

    return statistic


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
    joints = matched.joints
    sums = _sums(matched, joints, {kind: joints["error"] == kind for kind in ERROR_TYPES})

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        count = sums(weights)
        with np.errstate(invalid="ignore"):
            in_all = np.sum([*count.values()], axis=0)
            return {f"errors/{kind}": 100 * count[kind] / in_all for kind in ERROR_TYPES}

    return statistic


def _calibration(matched: Matched) -> Statistic:
    joints = matched.joints
    confidence = detection.confidences(joints)
    bins = detection.confidence_bin(confidence)
    in_bin = {f"calibration/{number}": bins == number for number in np.unique(bins)}
    counted = _sums(matched, joints, in_bin)
    right = _sums(matched, joints, {name: inside & joints["correct"] for name, inside in in_bin.items()})
    gap = _sums(matched, joints, {name: inside * (joints["correct"] - confidence) for name, inside in in_bin.items()})

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        count, right_in = counted(weights), right(weights)
        gaps = np.sum([abs(of_bin) for of_bin in gap(weights).values()], axis=0)
        with np.errstate(invalid="ignore"):
            shares = {name: right_in[name] / count[name] for name in in_bin}
            return {"expected_calibration_error": gaps / np.sum([*count.values()], axis=0), **shares}

    return statistic


def _kept(matched: Matched, threshold: float) -> Statistic:
    """What a threshold chosen elsewhere does: ratios of sums, NaN where nothing is kept."""
    joints = matched.joints
    kept = pd.Series(detection.confidences(joints) >= threshold, joints.index)
    counts = {
        "kept": kept,
        "correct kept": kept & joints["correct"],
        "correct": joints["correct"],
        "labelled": np.ones(len(joints)),
    }
    squares = {metric: kept * joints[column] ** 2 for metric, column in _ERRORS.items()}
    sums = _sums(matched, joints, {**counts, **squares})

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        summed = sums(weights)
        some, right, correct, labelled = (summed[count] for count in counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            metrics = {
                "kept": 2 * right / (some + correct),
                "kept/precision": right / some,
                "kept/recall_over_own_correct": right / correct,
                "kept/recall_over_all_labelled": right / labelled,
                "kept/f1_over_all_labelled": 2 * right / (some + labelled),
                **{f"kept/{metric}": np.sqrt(summed[metric] / some) for metric in squares},
            }
        defined = {metric: np.where(some > 0, value, np.nan) for metric, value in metrics.items()}
        return {"kept/threshold": np.full(len(weights), threshold), **defined}

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

    def one(weight: np.ndarray) -> np.ndarray:
        # Running sums are quick for whole numbers, ratios for floating point ones.
        right_here, wrong_here = right_at @ weight, wrong_at @ weight
        right, wrong = np.cumsum(right_here).astype(float), np.cumsum(wrong_here).astype(float)
        kept = right + wrong
        labelled, own = kept[-1], right[-1]
        if not labelled:
            return _NOT_DEFINED
        values = dict.fromkeys(_RANKED, np.nan) | {"best_f1": 0.0}
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
        return np.fromiter(values.values(), float)

    return lambda weights: dict(zip(_RANKED, np.stack([one(weight) for weight in weights]).T, strict=True))


def _sums(
    matched: Matched, joints: pd.DataFrame, columns: Mapping[str, object]
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """For any weights of the groups, the weighted sum of each column over ``joints``, rows of the arm's table."""
    unit, units = group_numbers(matched, joints["image_id"])
    values = np.column_stack([np.asarray(column, float) for column in columns.values()])
    of_groups = csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(units, len(unit))) @ values
    return lambda weights: dict(zip(columns, (weights @ of_groups).T, strict=True))
