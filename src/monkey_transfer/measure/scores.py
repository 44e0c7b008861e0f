"""Every run of a study, measured once, and the one place where arms are subtracted.

A run is matched with the labels once and evaluated on the same resamples of the test people as every other. From the
replicates follow an arm's score and the difference of two arms, each as one number with one kind of interval: over
groups of test people and over training seeds, every one of which learnt people of its own
(:mod:`monkey_transfer.metrics.estimate`). Tables, figures, sentences and notebooks read what is made here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import NamedTuple

import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.measure.matched import matched, mean_pose
from monkey_transfer.metrics.bootstrap import Replicates, Statistic, replicate, weighted_sum
from monkey_transfer.metrics.detection import threshold_of
from monkey_transfer.metrics.estimate import Estimate, effective_groups, estimate
from monkey_transfer.metrics.headline import headline, pck_scores, pixel_errors
from monkey_transfer.metrics.matching import Matched, in_frame, on_keypoints, refuse_different_people
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run

RESAMPLES = 2000
# Of the resamples: the same people are drawn in every study, on any machine.
RESAMPLING_SEED = 0
# Steps in a pixel, and between a likelihood of 0 and 1.
_STEPS = {"x": 16, "y": 16, "likelihood": 4096}


class Point(NamedTuple):
    """An arm at one number of images: one point of a learning curve."""

    arm: str
    images: int


FLOOR = Point(MEAN_POSE, 0)


@dataclass(frozen=True)
class Scores:
    """Arms by people and seeds.

    Parameters
    ----------
    runs : for each point its networks' predictions beside the labels, one for each training seed in the profile's
        order. All were tried on the same people by the same yardstick, and the n-th of two points learnt the same draw
        of people.
    measure : which numbers are computed; all of them (docs/metrics.md), unless others are named.

    Raises StudyError if points were tried on other people or measured by another yardstick, or have other numbers of
    seeds.
    """

    runs: Mapping[Point, Sequence[Matched]]
    measure: Callable[[Matched], Statistic] = headline
    _replicates: dict[tuple[Point, frozenset[str]], dict[str, list[Replicates]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        names = {point: f"{point.arm} n{point.images}" for point in self.runs}
        runs = {f"{names[point]} (run {n})": run for point in self.runs for n, run in enumerate(self.runs[point])}
        refuse_different_people(runs)
        if len({len(of_seeds) for of_seeds in self.runs.values()}) > 1:
            counts = ", ".join(f"{len(of_seeds)} of {names[point]}" for point, of_seeds in self.runs.items())
            raise StudyError(f"scores: expected as many networks of each arm as of the others, got {counts}")

    def of(self, point: Point) -> dict[str, Estimate]:
        """Metric -> the score of a point, on the joints that it has."""
        return self.contrast({point: 1})

    def compare(self, a: Point, b: Point) -> dict[str, Estimate]:
        """Metric -> a minus b: :meth:`contrast`."""
        return self.contrast({a: 1, b: -1})

    def contrast(self, weights: Mapping[Point, float]) -> dict[str, Estimate]:
        """Metric -> the scores of points, each times its weight, added up on the joints that all of them have.

        What other points there are does not change it. StudyError if they share no joint.
        """
        groups = self.groups(next(iter(weights)), self.shared_keypoints(*weights))
        return {metric: estimate(of_seeds, groups) for metric, of_seeds in self.summed(weights).items()}

    def summed(self, weights: Mapping[Point, float]) -> dict[str, list[Replicates]]:
        """What a :meth:`contrast` is estimated from: metric -> one for each seed, all on the same resamples."""
        shared = self.shared_keypoints(*weights)
        first, *others = (self.replicates(point, shared) for point in weights)
        return {
            metric: [
                weighted_sum(of_points, [*weights.values()])
                for of_points in zip(first[metric], *(found[metric] for found in others), strict=True)
            ]
            for metric in first
            if all(metric in found for found in others)
        }

    def keypoints(self, point: Point) -> frozenset[str]:
        """The labelled keypoints that a point has."""
        return frozenset(self.runs[point][0].joints["keypoint"])

    def shared_keypoints(self, *points: Point) -> frozenset[str]:
        """The labelled keypoints that all have; StudyError if there is none."""
        shared = frozenset.intersection(*map(self.keypoints, points))
        if not shared:
            arms = " and ".join(point.arm for point in points)
            raise StudyError(f"arms {arms} share no keypoint, so they cannot be compared: choose other arms")
        return shared

    def replicates(self, point: Point, keypoints: frozenset[str]) -> dict[str, list[Replicates]]:
        """Metric -> one for each seed, on those keypoints; metrics that a seed lacks are left out."""
        key = point, keypoints
        if key not in self._replicates:
            networks = [on_keypoints(run, keypoints) for run in self.runs[point]]
            statistics = {str(number): self.measure(run) for number, run in enumerate(networks)}
            groups = networks[0].people["group"].nunique()
            found = list(replicate(statistics, groups, RESAMPLES, RESAMPLING_SEED).values())
            common = [metric for metric in found[0] if all(metric in one for one in found)]
            self._replicates[key] = {metric: [one[metric] for one in found] for metric in common}
        return self._replicates[key]

    def groups(self, point: Point, keypoints: frozenset[str]) -> float:
        """How many groups of people, as equal ones, the labelled joints are of."""
        run = on_keypoints(self.runs[point][0], keypoints)
        group_of = run.people.set_index("image_id")["group"]
        return effective_groups(run.joints["image_id"].map(group_of).value_counts().to_numpy())

    def table(self, people: Callable[[Point], int]) -> pd.DataFrame:
        """Every score of every point: arm, images, people (how many labelled ones it takes), metric and an estimate."""
        rows = [
            {**point._asdict(), "people": people(point), "metric": metric, **found._asdict()}
            for point in self.runs
            for metric, found in self.of(point).items()
        ]
        return pd.DataFrame(rows)


def people_of(study: Study, point: Point) -> int:
    """How many labelled people (or monkeys) a point takes: those that are learnt and those that decide when to stop.

    People of the target that were learnt first count as well: they cost a person's work as much.
    """
    profile = study.profile
    if point.arm == MEAN_POSE:
        return profile.asked_size("transfer")
    if profile.arm(point.arm).learns == "nothing":
        return 0
    own = point.images + profile.validation_size(point.arm, point.images)
    before = [name for name in profile.lineage(point.arm) if name != point.arm]
    of_target = [name for name in before if profile.arm(name).learns == "set_aside"]
    return own + sum(profile.arm(name).largest + profile.validation_size(name) for name in of_target)


def all_points(study: Study) -> list[Point]:
    """Every arm at every number of images that it learns."""
    return [Point(name, images) for name, arm in study.profile.arms.items() for images in arm.sizes]


def shown_points(study: Study) -> list[Point]:
    """Every arm as it is shown where that is at one number of images.

    See :meth:`monkey_transfer.profiles.profile.Profile.asked_size`.
    """
    return [Point(name, study.profile.asked_size(name)) for name in study.profile.arms]


def read_scores(study: Study) -> Scores:
    """Every run of a study, on each arm's own joints, in original pixels; StudyError if one is not finished."""
    runs = each_seed(study, all_points(study), partial(evaluated, study))
    return Scores({**runs, FLOOR: [floor(study, seed) for seed in study.profile.seeds]})


def of_networks(study: Study, runs: Iterable[Run]) -> Scores:
    """The PCK scores of finished networks of one seed, each with all of its folds, and of the floor of that seed: over
    test people alone."""
    points = {Point(run.arm, run.images): run.seed for run in runs}
    [seed] = set(points.values())
    found = {point: [evaluated(study, point, seed)] for point in points}
    return Scores({**found, FLOOR: [floor(study, seed)]}, pck_scores)


def in_network_frame(study: Study, scores: Scores) -> Scores:
    """The pixel errors in pixels of the picture that each arm saw."""

    @cache
    def scales(arm: str) -> pd.Series:
        if arm == MEAN_POSE:
            frames = study.framed("target", study.splits["target"].test, study.profile.picture)
        else:
            frames = study.test_frames(arm)
        return frames.set_index("image_id")["scale"]

    framed = {point: [in_frame(run, scales(point.arm)) for run in scores.runs[point]] for point in scores.runs}
    return Scores(framed, pixel_errors)


def by_yardstick(study: Study, yardstick: str) -> Scores:
    """The PCK scores by another yardstick than the profile's, of every arm as it is shown."""
    by_it = each_seed(study, shown_points(study), partial(on_test_people, study, yardstick=yardstick))
    return Scores(by_it, pck_scores)


def evaluated(study: Study, point: Point, seed: int) -> Matched:
    """A network of one seed on the test people; its threshold is that of the best F1 on the people that it held out.

    With folds it is several networks, each on the people who test in its fold; together they have one threshold.
    """
    held_out = pd.concat([network.joints for network in validated(study, point, seed)])
    return replace(on_test_people(study, point, seed), threshold=threshold_of(held_out))


def on_test_people(study: Study, point: Point, seed: int, yardstick: str | None = None) -> Matched:
    """A network of one seed on the test people by the profile's yardstick, or by another."""
    return matched(study, as_committed(study.predictions(point.arm, seed, point.images)), yardstick)


def validated(study: Study, point: Point, seed: int) -> list[Matched]:
    """A network of one seed on the people whom it held out; with folds that of each."""
    runs = ((part, part.finished_run(point.arm, seed, point.images)) for part in study.parts)
    return [
        matched(part, as_committed(part.held_out_predictions(run)), people=part.held_out(run)) for part, run in runs
    ]


def floor(study: Study, seed: int) -> Matched:
    """The mean pose of the people that ``transfer``, as it is shown, learns with that seed, wherever it is asked."""
    return replace(matched(study, as_committed(mean_pose(study, seed))), threshold=1.0)


def as_committed(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions as finely as a report keeps them, so that it can be recomputed to the last digit.

    Coordinates are multiples of 1/16 pixel, likelihoods of 1/4096: far below what anybody labels to, and a quarter of
    the bytes.
    """
    numbers = {name: steps for name, steps in _STEPS.items() if name in predictions}
    rounded = {name: (predictions[name] * steps).round() / steps for name, steps in numbers.items()}
    return predictions.assign(**rounded)


def each_seed(
    study: Study, points: Iterable[Point], evaluate: Callable[[Point, int], Matched]
) -> dict[Point, list[Matched]]:
    """For each point what is made of it and of each seed."""
    return {point: [evaluate(point, seed) for seed in study.profile.seeds] for point in points}
