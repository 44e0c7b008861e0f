"""Joint angles of the test people by labels and by networks: what a clinician asks of a pose network.

An angle is a function of joints, and a matched table holds by how much a network misses the label of each. So angles
are measured from the same tables, resamples and seeds as every other score. Their intervals are as sure as the people
who have the angle: those in whom all its joints are labelled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.comparisons import compared
from monkey_transfer.measure.scores import FLOOR, Point, Scores, people_of, shown_points
from monkey_transfer.metrics.agreement import agreement
from monkey_transfer.metrics.angles import ANGLES, BENDS, TRUNK, angle_pairs
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.estimate import Estimate, effective_groups, estimate
from monkey_transfer.metrics.matching import Matched, group_numbers, on_keypoints
from monkey_transfer.skeletons import without_side
from monkey_transfer.study.opening import Study

# Which of the numbers is compared between arms.
COMPARED = "mae"
_NEEDS = {angle: "{}, {} and {} of one side".format(*ends) for angle, ends in BENDS.items()}
_NEEDS |= {TRUNK: "both hips and shoulders"}


@dataclass(frozen=True)
class Angles:
    """Angles by networks against those by labels, left and right pooled, on the test people, in degrees.

    Attributes
    ----------
    table : arm, images, people (how many labelled ones the arm takes), angle (one of
        :data:`monkey_transfer.metrics.angles.ANGLES`), tested (test people with that angle), groups (of how many
        groups), angles (how many), metric (of :func:`monkey_transfer.metrics.agreement.agreement`) and its estimate, of
        every arm as it is shown and of the floor. An arm that lacks a joint of an angle has no row of it.
    differences : angle, tested, groups, angles, and of ``transfer`` minus its control the columns of
        :func:`monkey_transfer.measure.comparisons.comparisons` up to the note, of the metric :data:`COMPARED`: below
        zero ``transfer`` errs less. All are exploratory.
    missing : a sentence on angles that no test person has; empty where there is none.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    missing: str


def angles_of(study: Study, scores: Scores) -> Angles:
    """Measure the angles of every arm; ``scores`` are those of the study, in original pixels."""
    people, size = study.test_people, study.profile.compared_size
    a, b = Point("transfer", size), Point(study.profile.control, size)
    of_angles = Scores(scores.runs, partial(all_angles, people=people))
    rows = [
        {**point._asdict(), "people": people_of(study, point), **of_whom, "metric": metric, **found._asdict()}
        for point in (*shown_points(study), FLOOR)
        for of_whom, metrics in _contrast(of_angles, {point: 1}, people)
        for metric, found in metrics.items()
    ]
    differences = [
        {**of_whom, **compared(study, of_angles, a, b, COMPARED, metrics[COMPARED])}
        for of_whom, metrics in _contrast(of_angles, {a: 1, b: -1}, people)
    ]
    return Angles(pd.DataFrame(rows), pd.DataFrame(differences), _missing(people))


def pairs_of(study: Study, scores: Scores, point: Point) -> pd.DataFrame:
    """What figures show of one arm: seed, image_id, angle (with its side), label and prediction, in degrees.

    There is no row where the network puts both ends of a segment at one place.
    """
    of_seeds = zip(study.profile.seeds, scores.runs[point], strict=True)
    found = [_pairs(run, study.test_people).assign(seed=seed) for seed, run in of_seeds]
    return pd.concat(found, ignore_index=True)[["seed", "image_id", "angle", "label", "prediction"]].dropna()


def all_angles(run: Matched, people: Dataset) -> Statistic:
    """The statistic of how a network's angles agree with those of labels, left and right pooled.

    ``people`` hold the labels that the network was matched with. Metrics are such as ``knee/mae``: an angle and one of
    :func:`monkey_transfer.metrics.agreement.agreement`.
    """
    pairs = _pairs(run, people)
    group, groups = group_numbers(run, pairs["image_id"])
    label, prediction = pairs["label"].to_numpy(), pairs["prediction"].to_numpy()
    pooled = pairs["angle"].map(without_side).to_numpy()
    of_angles = {
        angle: agreement(label[own], prediction[own], group[own], groups)
        for angle in ANGLES
        if (own := pooled == angle).any()
    }
    return lambda weights: {
        f"{angle}/{metric}": value
        for angle, statistic in of_angles.items()
        for metric, value in statistic(weights).items()
    }


def _contrast(
    scores: Scores, weights: Mapping[Point, float], people: Dataset
) -> Iterator[tuple[dict[str, object], dict[str, Estimate]]]:
    """For each angle that all the points have, of whom it is, and metric -> the points' values by their weights."""
    shared = scores.shared_keypoints(*weights)
    labelled = _pairs(on_keypoints(scores.runs[next(iter(weights))][0], shared), people)
    group = labelled["image_id"].map(people.images.set_index("image_id")["group"])
    summed = scores.summed(weights)
    for angle in ANGLES:
        own = labelled["angle"].map(without_side) == angle
        if own.any():
            sizes = group[own].value_counts().to_numpy()
            tested = labelled.loc[own, "image_id"].nunique()
            of_whom = {"angle": angle, "tested": tested, "groups": len(sizes), "angles": int(np.sum(sizes))}
            metrics = {
                name.removeprefix(f"{angle}/"): estimate(of_seeds, effective_groups(sizes))
                for name, of_seeds in summed.items()
                if name.startswith(f"{angle}/")
            }
            yield of_whom, metrics


def _pairs(run: Matched, people: Dataset) -> pd.DataFrame:
    """Every angle that is labelled and of which the network has all joints: what it errs is added to the labels."""
    labels = run.joints[["image_id", "keypoint", "dx", "dy"]].merge(people.labels, on=["image_id", "keypoint"])
    predictions = labels.assign(x=labels["x"] + labels["dx"], y=labels["y"] + labels["dy"])
    return angle_pairs(labels, predictions, people.skeleton)


def _missing(people: Dataset) -> str:
    labelled = angle_pairs(people.labels, people.labels, people.skeleton)["angle"].map(without_side).unique()
    lacking = [f"{angle} ({_NEEDS[angle]})" for angle in ANGLES if angle not in labelled]
    return f"Not measured, since no test person has their joints labelled: {', '.join(lacking)}." if lacking else ""
