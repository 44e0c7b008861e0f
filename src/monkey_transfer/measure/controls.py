"""What a start from monkeys is worth: in labelled people, in time; and whether the method cries wolf."""

import numpy as np
import pandas as pd

from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import RESAMPLES, RESAMPLING_SEED, Point, Scores
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import draws, equivalent_size
from monkey_transfer.metrics.estimate import effective_groups, estimate
from monkey_transfer.metrics.matching import Matched, on_keypoints
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.study.opening import Study

TRIALS = 1000
_SEED = 0


def equivalents(results: Results) -> pd.DataFrame:
    """How many labelled people the profile's control needs for what another arm reaches.

    Returns arm, images, people (labelled people of the arm), equivalent, low, high, note: 0 for fewer than the
    control's smallest number, infinite for more than its largest; ``note`` says why there are no bounds. Empty where
    the control learnt a single number.
    """
    study, control = results.study, results.study.profile.control
    sizes = study.profile.arm(control).sizes
    columns = ["arm", "images", "people", "equivalent", "low", "high", "note"]
    if len(sizes) < 2:
        return pd.DataFrame(columns=columns)
    rows = [
        _equivalent(results, point, [Point(control, images) for images in sizes])
        for point in results.scores.runs
        if point.arm in study.profile.arms and point.arm not in (control, "benchmark")
        if study.profile.arm(point.arm).learns == "target"
    ]
    return pd.DataFrame(rows, columns=columns)


def _equivalent(results: Results, point: Point, control: list[Point]) -> dict[str, object]:
    scores, metric = results.scores, SCORE_NAME[results.study.profile.yardstick]
    shared = scores.shared_keypoints(point, control[0])
    runs: dict[tuple[str, int], list[Replicates]] = {
        at: scores.replicates(at, shared)[metric] for at in (point, *control)
    }
    drawn = draws(runs, scores.groups(point, shared))
    found = equivalent_size(drawn[point], {results.people(at): drawn[at] for at in control})
    low, high = found.interval()
    note = scores.of(point)[metric].note if np.isnan(low) else ""
    sure = {"equivalent": found.value, "low": low, "high": high, "note": note}
    return {**point._asdict(), "people": results.people(point), **sure}


def speed(study: Study) -> pd.DataFrame:
    """Who gets there first: iterations until an arm's validation score is the best of the control's own training.

    Returns arm, images, runs (one for each seed, and fold if there are any), reached (how many did) and iterations (the
    mean of those). Where a report did not keep the curves of runs that were recovered from it, nothing is said.
    """
    control = study.profile.arm(study.profile.control)
    arms = {name: arm for name, arm in study.profile.arms.items() if arm.learns == "target"}
    points = [Point(name, images) for name, arm in arms.items() for images in arm.sizes if images in control.sizes]
    rows = []
    for point in points:
        if not all(_has_curves(study, of) for of in (point, Point(study.profile.control, point.images))):
            continue
        reached = pd.Series([_reached(part, point, seed) for part in study.parts for seed in study.profile.seeds])
        found = {"runs": len(reached), "reached": reached.count(), "iterations": reached.mean()}
        rows.append({**point._asdict(), **found})
    return pd.DataFrame(rows, columns=["arm", "images", "runs", "reached", "iterations"])


def _has_curves(study: Study, point: Point) -> bool:
    runs = (run for seed in study.profile.seeds for run in study.finished(point.arm, seed, point.images))
    return all(len(run.learning_curve()) for run in runs)


def _reached(study: Study, point: Point, seed: int) -> float:
    """The iteration of the first validation of a run that was as good as the control's best; NaN if there was none."""
    mark = study.finished_run(study.profile.control, seed, point.images).learning_curve()["validation_score"].max()
    curve = study.finished_run(point.arm, seed, point.images).learning_curve()
    return float(curve.loc[curve["validation_score"] >= mark, "iteration"].min())


def swapped_names(scores: Scores, a: Point, b: Point) -> float:
    """How often two arms differ whose names are swapped at random for each person, so that there is no difference.

    Of the first seed of each. Returns the share of trials in which the 95 % interval of the difference of their PCK
    scores, over people alone, excludes zero: about 0.05; NaN where no interval is printed.
    """
    shared = scores.shared_keypoints(a, b)
    more, joints, group = _per_person(*(on_keypoints(scores.runs[point][0], shared) for point in (a, b)))
    signs = np.random.default_rng(_SEED).choice([-1.0, 1.0], size=(len(more), TRIALS))
    counted, totals = np.bincount(group, joints), np.zeros((group.max() + 1, TRIALS))
    np.add.at(totals, group, signs * more[:, None])
    weights = np.concatenate(list(resampled_weights(len(counted), RESAMPLES, RESAMPLING_SEED)))
    resampled = (weights @ totals) / (weights @ counted)[:, None]
    values, groups = totals.sum(axis=0) / counted.sum(), effective_groups(counted)
    found = [estimate([Replicates(*trial)], groups) for trial in zip(values, resampled.T, strict=True)]
    if any(np.isnan(one.low) for one in found):
        return float("nan")
    return float(np.mean([one.low > 0 or one.high < 0 for one in found]))


def _per_person(a: Matched, b: Matched) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(people,) each: by how many joints a hits more than b, how many joints there are, and the group's number."""
    one, other = (pckh.scored(found.joints).groupby("image_id")["correct"] for found in (a, b))
    joints = one.size()
    group = pd.factorize(a.people.set_index("image_id")["group"].reindex(joints.index))[0]
    return (one.sum() - other.sum()).to_numpy(float), joints.to_numpy(float), group
