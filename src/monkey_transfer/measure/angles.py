"""Joint angles of the test people by labels and by networks: what a clinician asks of a pose network.

An angle is a function of joints, and a matched table holds by how much a network misses the label of each. So angles are
those of the same networks, with the same resamples and the same kind of interval as every other score, each angle on the
people in whom all its joints are labelled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.comparisons import compared
from monkey_transfer.measure.scores import FLOOR, Point, Scores, people_of, shown_points
from monkey_transfer.metrics.agreement import agreement
from monkey_transfer.metrics.angles import ANGLES, BENDS, LANDMARKS_OF, TRUNK, angle_pairs
from monkey_transfer.metrics.bootstrap import Statistic
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
        groups), angles (how many), undefined (so many predicted ones, of all seeds together, have both ends of a
        segment at one place; they are left out), metric (of :func:`monkey_transfer.metrics.agreement.agreement`) and
        its estimate, of every arm as it is shown and of the floor. An arm that lacks a joint of an angle has no row.
    differences : angle, tested, and of ``transfer`` minus its control the columns of
        :func:`monkey_transfer.measure.comparisons.comparisons` up to the note, of the metric :data:`COMPARED`: below
        zero ``transfer`` errs less. All are exploratory.
    missing : a sentence on angles that no test person has; empty where there is none.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    missing: str


def angles_of(study: Study, scores: Scores) -> Angles:
    """Measure the angles of every arm; ``scores`` are those of the study, in original pixels."""
    people = study.test_people
    rows: list[dict[str, object]] = []
    differences: list[dict[str, object]] = []
    pair = [Point(arm, study.profile.compared_size) for arm in ("transfer", study.profile.control)]
    for angle in ANGLES:
        for point in (*shown_points(study), FLOOR):
            if found := on_angle(scores, [point], people, angle):
                about = {**point._asdict(), "people": people_of(study, point), "angle": angle}
                about |= _counts(found.runs[point], people, angle)
                rows += [{**about, "metric": name, **one._asdict()} for name, one in found.of(point).items()]
        if both := on_angle(scores, pair, people, angle):
            tested = _counts(both.runs[pair[0]], people, angle)["tested"]
            difference = compared(study, both, *pair, COMPARED, both.compare(*pair)[COMPARED])
            differences.append({"angle": angle, "tested": tested, **difference})
    return Angles(pd.DataFrame(rows), pd.DataFrame(differences), _missing(people))


def pairs_of(study: Study, scores: Scores, point: Point) -> pd.DataFrame:
    """What figures show of one arm: seed, image_id, angle (with its side), label and prediction, in degrees.

    Where nothing is predicted there is no row: see :class:`Angles`.
    """
    of_seeds = zip(study.profile.seeds, scores.runs[point], strict=True)
    found = [_pairs(run, study.test_people).assign(seed=seed) for seed, run in of_seeds]
    return pd.concat(found, ignore_index=True)[["seed", "image_id", "angle", "label", "prediction"]].dropna()


def on_angle(scores: Scores, points: Sequence[Point], people: Dataset, angle: str) -> Scores | None:
    """Networks on the joints of one angle alone, of people in whom these are labelled; None if there is no such angle.

    Only joints that all the points have count. Everybody stays among the people, so that the same are drawn whichever
    angle is looked at.
    """
    shared = frozenset.intersection(*map(scores.keypoints, points))
    if not shared:
        return None
    labelled = _own(_pairs(on_keypoints(scores.runs[points[0]][0], shared), people), angle)
    if labelled.empty:
        return None
    joints = _joints(labelled, people)

    def on_joints(run: Matched) -> Matched:
        return replace(run, joints=run.joints.merge(joints, on=["image_id", "keypoint"]))

    runs = {point: [on_joints(run) for run in scores.runs[point]] for point in points}
    return Scores(runs, partial(_agreement, people=people, angle=angle))


def _agreement(run: Matched, people: Dataset, angle: str) -> Statistic:
    pairs = _own(_pairs(run, people), angle).dropna()
    return agreement(pairs["label"], pairs["prediction"], *group_numbers(run, pairs["image_id"]))


def _pairs(run: Matched, people: Dataset) -> pd.DataFrame:
    """Every angle of which the network has all joints and that is labelled: its error is added to the labels."""
    labels = run.joints[["image_id", "keypoint", "dx", "dy"]].merge(people.labels, on=["image_id", "keypoint"])
    predictions = labels.assign(x=labels["x"] + labels["dx"], y=labels["y"] + labels["dy"])
    return angle_pairs(labels, predictions, people.skeleton)


def _own(pairs: pd.DataFrame, angle: str) -> pd.DataFrame:
    """The rows of an angle, of both sides."""
    return pairs[pairs["angle"].map(without_side) == angle]


def _joints(pairs: pd.DataFrame, people: Dataset) -> pd.DataFrame:
    """``image_id, keypoint`` of what these angles are of."""
    keypoints = {
        angle: [people.skeleton.keypoint_of[landmark] for landmark in LANDMARKS_OF[angle]]
        for angle in pairs["angle"].unique()
    }
    joints = pairs[["image_id"]].assign(keypoint=pairs["angle"].map(keypoints))
    return joints.explode("keypoint", ignore_index=True)


def _counts(runs: Iterable[Matched], people: Dataset, angle: str) -> dict[str, int]:
    """How many test people, groups and angles there are, and predicted angles that are none: see :class:`Angles`."""
    labelled, *others = (_own(_pairs(run, people), angle) for run in runs)
    tested = labelled["image_id"].unique()
    return {
        "tested": len(tested),
        "groups": people.images.loc[people.images["image_id"].isin(tested), "group"].nunique(),
        "angles": len(labelled),
        "undefined": sum(int(pairs["prediction"].isna().sum()) for pairs in (labelled, *others)),
    }


def _missing(people: Dataset) -> str:
    labelled = angle_pairs(people.labels, people.labels, people.skeleton)["angle"].map(without_side).unique()
    lacking = [f"{angle} ({_NEEDS[angle]})" for angle in ANGLES if angle not in labelled]
    return f"Not measured, since no test person has their joints labelled: {', '.join(lacking)}." if lacking else ""
