"""Was it the monkeys? Every arm against its control, at every number of people, sure within people and seeds.

Chapter 5 holds all arms side by side at their largest number of people; here are the learning curves, and pairs of
arms that learn the same people and differ in what they knew before (:data:`QUESTIONS`). Only arms that learn people
are compared, so all have the same joints.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from monkey_transfer.claims import claim, spread
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.bootstrap import Replicates, interval, resampled_weights
from monkey_transfer.metrics.curves import Estimate, Point, equivalent_size, over_people_and_seeds
from monkey_transfer.metrics.headline import pck_scores, replicates_of
from monkey_transfer.metrics.matching import Matched, on_shared_keypoints
from monkey_transfer.results import RESAMPLES
from monkey_transfer.study import Study, matched

# Pairs of arms that learn the same people, and what their difference is about.
QUESTIONS = {
    ("transfer", "imagenet_control"): "monkeys before people, or ImageNet's pictures alone?",
    ("transfer", "scratch_control"): "all that was learnt before people, or nothing?",
    ("transfer", "imagenet_longer"): "monkeys, or as many more iterations on people, from ImageNet?",
    ("transfer", "scratch_longer"): "monkeys, or as many more iterations on people, from nothing?",
    ("transfer", "shuffled_source"): "monkeys' keypoints, or their pictures alone?",
    ("imagenet_control", "scratch_control"): "ImageNet's pictures before people, or nothing?",
    ("transfer_with_heads", "transfer"): "the heads of shared joints as well, or the backbone alone?",
    ("transfer_frozen", "imagenet_frozen"): "features of monkeys, or of ImageNet, as they are?",
    ("transfer_frozen", "transfer"): "features of monkeys as they are, or trained on?",
    ("imagenet_frozen", "imagenet_control"): "features of ImageNet as they are, or trained on?",
}
TRIALS = 1000
_SEED = 0


@dataclass(frozen=True)
class Controls:
    """What the controls of a study show. A score is the profile's PCK, in percent of joints; differences in points.

    Attributes
    ----------
    points : arm, images, people (images and validation people: what has to be labelled), seeds, score, low, high,
        sd, least, largest; intervals are over people and seeds, the last three over seeds.
    contrasts : arm_a, arm_b, question, images, people, seeds, difference (a minus b) and the columns of
        :func:`monkey_transfer.claims.claim`.
    equivalents : arm, people, equivalent, low, high: how many labelled people the profile's control needs for the
        arm's score at that many; 0: fewer than its smallest number, infinite: more than its largest.
    joints : joint, difference, low, high: ``transfer`` minus the control at their largest common number of people.
    speed : arm, images, seeds, reached, iterations, minutes: how many seeds came down to the control's least
        validation error with as many images, and after how many iterations and minutes on average of those.
    seed_pairs : arm, images, seed_a, seed_b, difference, low, high: one arm, two seeds, interval over people alone.
    swapped : share of trials in which the interval of ``transfer`` minus the control excludes zero, though the names
        of the two were swapped at random for each person.
    """

    points: pd.DataFrame
    contrasts: pd.DataFrame
    equivalents: pd.DataFrame
    joints: pd.DataFrame
    speed: pd.DataFrame
    seed_pairs: pd.DataFrame
    swapped: float


def measure_controls(study: Study) -> Controls:
    """Measure every arm that learns people, at every number of them; StudyError if a run is not finished."""
    matches = _matches(study)
    runs = {point: _by_metric(found) for point, found in matches.items()}
    score = pckh.SCORE_NAME[study.profile.yardstick]
    scores = {point: metrics[score] for point, metrics in runs.items()}
    control = study.profile.control
    size = study.profile.compared_size
    return Controls(
        points=pd.DataFrame(_points(study, scores)),
        contrasts=pd.DataFrame(_contrasts(study, scores)),
        equivalents=_equivalents(study, scores, control),
        joints=pd.DataFrame(_joints(runs, score, ("transfer", size), (control, size))),
        speed=pd.DataFrame(_speed(study, control)),
        seed_pairs=pd.DataFrame(_seed_pairs(study, scores)),
        swapped=swapped_names(matches["transfer", size][0], matches[control, size][0]),
    )


def swapped_names(a: Matched, b: Matched, trials: int = TRIALS, resamples: int = RESAMPLES) -> float:
    """How often two arms differ whose names are swapped at random for each person, so that there is no difference.

    Returns the share of trials in which the 95 % interval of the paired difference of their scores excludes zero.
    It should be about 0.05.
    """
    hits, joints, group = _per_person(a, b)
    groups = group.max() + 1
    weights = np.concatenate(list(resampled_weights(groups, resamples, _SEED)))
    signs = np.random.default_rng(_SEED).choice([-1, 1], size=(len(hits), trials))
    differences = np.zeros((groups, trials))
    np.add.at(differences, group, signs * hits[:, None])
    resampled = (weights @ differences) / (weights @ np.bincount(group, joints))[:, None]
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    return float(np.mean((low > 0) | (high < 0)))


def _per_person(a: Matched, b: Matched) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(people,) each: by how many joints a hits more than b, how many joints there are, and the group's number."""
    one, other = (pckh.scored(found.joints) for found in on_shared_keypoints({"a": a, "b": b}).values())
    people = a.people.set_index("image_id")["group"]
    more = one.groupby("image_id")["correct"].sum() - other.groupby("image_id")["correct"].sum()
    joints = one.groupby("image_id").size()
    group = pd.factorize(people.reindex(joints.index))[0]
    return more.to_numpy(float), joints.to_numpy(float), group


def _matches(study: Study) -> dict[Point, list[Matched]]:
    """(arm, images) -> predictions beside labels, one for each seed."""
    arms = {name: arm for name, arm in study.profile.arms.items() if arm.learns == "target"}
    return {
        (name, images): [
            matched(study, study.finished(name, seed, images).predictions()) for seed in study.profile.seeds
        ]
        for name, arm in arms.items()
        for images in arm.sizes
    }


def _by_metric(found: list[Matched]) -> dict[str, list[Replicates]]:
    """PCK of all joints and of each group of them, one for each seed, on resamples that all arms share."""
    arms = {str(place): one for place, one in enumerate(found)}
    of_seeds = list(replicates_of(arms, RESAMPLES, _SEED, pck_scores).values())
    return {metric: [run[metric] for run in of_seeds] for metric in of_seeds[0]}


def _people(study: Study, arm: str, images: int) -> int:
    return images + study.profile.validation_size(arm)


def _common_sizes(scores: Mapping[Point, object], a: str, b: str) -> list[int]:
    """Numbers of images that both arms learn."""
    return sorted({images for arm, images in scores if arm == a} & {images for arm, images in scores if arm == b})


def _points(study: Study, scores: Mapping[Point, list[Replicates]]) -> Iterator[dict]:
    for (arm, images), estimate in over_people_and_seeds(scores, _SEED).items():
        values = [run.value for run in scores[arm, images]]
        yield {
            "arm": arm,
            "images": images,
            "people": _people(study, arm, images),
            "seeds": len(values),
            "score": estimate.value,
            **_bounds(estimate),
            "sd": np.std(values, ddof=1) if len(values) > 1 else np.nan,
            "least": min(values),
            "largest": max(values),
        }


def _contrasts(study: Study, scores: Mapping[Point, list[Replicates]]) -> Iterator[dict]:
    for (a, b), question in QUESTIONS.items():
        pair = {point: runs for point, runs in scores.items() if point[0] in (a, b)}
        common = _common_sizes(pair, a, b)
        estimates = over_people_and_seeds(pair, _SEED) if common else {}
        for images in common:
            difference = estimates[a, images].minus(estimates[b, images])
            yield {
                "arm_a": a,
                "arm_b": b,
                "question": question,
                "images": images,
                "people": _people(study, a, images),
                "seeds": len(study.profile.seeds),
                "difference": difference.value,
                **claim(difference, spread(scores[a, images], scores[b, images]), study.test_groups),
            }


def _equivalents(study: Study, scores: Mapping[Point, list[Replicates]], control: str) -> pd.DataFrame:
    rows = []
    sizes = [images for arm, images in scores if arm == control]
    for name in dict.fromkeys(arm for arm, _ in scores if arm not in (control, "benchmark")):
        pair = {point: runs for point, runs in scores.items() if point[0] in (name, control)}
        estimates = over_people_and_seeds(pair, _SEED)
        curve = {_people(study, control, images): estimates[control, images] for images in sizes}
        for arm, images in pair:
            if arm == name and len(curve) > 1:
                found = equivalent_size(estimates[arm, images], curve)
                people = _people(study, arm, images)
                rows.append({"arm": arm, "people": people, "equivalent": found.value, **_bounds(found)})
    return pd.DataFrame(rows, columns=["arm", "people", "equivalent", "low", "high"])


def _joints(
    runs: Mapping[Point, Mapping[str, list[Replicates]]], score: str, point: Point, control: Point
) -> Iterator[dict]:
    for joint in pckh.JOINT_GROUPS:
        metric = f"{score}/{joint}"
        if metric in runs[point] and metric in runs[control]:
            pair = over_people_and_seeds({end: runs[end][metric] for end in (point, control)}, _SEED)
            difference = pair[point].minus(pair[control])
            yield {"joint": joint, "difference": difference.value, **_bounds(difference)}


def _speed(study: Study, control: str) -> Iterator[dict]:
    for name, arm in study.profile.arms.items():
        for images in arm.sizes if arm.learns == "target" else ():
            if images not in study.profile.arm(control).sizes:
                continue
            reached = []
            for seed in study.profile.seeds:
                level = study.finished(control, seed, images).learning_curve()["validation_error"].min()
                curve = study.finished(name, seed, images).learning_curve()
                reached += curve[curve["validation_error"] <= level].head(1).to_dict("records")
            yield {
                "arm": name,
                "images": images,
                "seeds": len(study.profile.seeds),
                "reached": len(reached),
                "iterations": np.mean([row["iteration"] for row in reached]) if reached else np.nan,
                "minutes": np.mean([row["seconds"] for row in reached]) / 60 if reached else np.nan,
            }


def _seed_pairs(study: Study, scores: Mapping[Point, list[Replicates]]) -> Iterator[dict]:
    for (arm, images), runs in scores.items():
        of_seeds = zip(study.profile.seeds, runs, strict=True)
        for (seed_a, one), (seed_b, other) in combinations(of_seeds, 2):
            difference = one.minus(other)
            low, high = interval(difference)
            yield {
                "arm": arm,
                "images": images,
                "seed_a": seed_a,
                "seed_b": seed_b,
                "difference": difference.value,
                "low": low,
                "high": high,
            }


def _bounds(estimate: Estimate) -> dict[str, float]:
    return dict(zip(("low", "high"), estimate.interval(), strict=True))
