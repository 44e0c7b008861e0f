"""The differences of arms: the primary questions of a profile with their rulings, and all others, exploratory.

A primary question is declared before the runs (``against`` and ``against_tilted`` in the profile) and asked of the PCK
score, or of how much more it is among tilted people. All of a study's primary questions are corrected together
(:func:`~monkey_transfer.measure.claims.holm`); whatever else is compared has an interval and no ruling.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from monkey_transfer.measure.claims import holm, ruling
from monkey_transfer.measure.scores import FLOOR, Point, Scores, people_of
from monkey_transfer.measure.tilt import by_tilt
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.estimate import Estimate
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT, Profile, Question
from monkey_transfer.study.opening import Study

# What is compared besides the scores of joint groups.
_COMPARED = ("normalised_mean", "normalised_median", "oks_ap", "auc", "kept", "best_f1")


def compared_points(profile: Profile) -> list[tuple[Point, Point]]:
    """The pairs that are compared, each once.

    Arms that learn the target at every number of images that both learn; ``transfer`` with every other arm; every arm
    with the floor. A pair of a primary question has the order of the question.
    """
    asked = {(question.a, question.b) for question in profile.questions}
    # ``transfer`` first; sorting is stable, so the others keep the profile's order.
    arms = sorted(profile.arms, key=lambda arm: arm != "transfer")
    pairs = [(b, a) if (b, a) in asked else (a, b) for a, b in combinations(arms, 2)]
    compared = [
        (Point(a, images_a), Point(b, images_b))
        for a, b in pairs
        for images_a, images_b in profile.compared_sizes(a, b)
        if "transfer" in (a, b)
        or (a, b) in asked
        or images_a == images_b
        and profile.arm(a).learns == profile.arm(b).learns == "target"
    ]
    return compared + [(Point(arm, profile.asked_size(arm)), FLOOR) for arm in profile.arms]


def comparisons(study: Study, scores: Scores) -> pd.DataFrame:
    """Every comparison of a study: one row for each pair, numbers of images and metric.

    Returns arm_a, arm_b, images_a, images_b, people (labelled people of a), metric, joints (keypoints that the pair
    shares), difference (a minus b, the mean over seeds; PCK in points), low, high, standard_error, freedom, seeds,
    over, note (:class:`monkey_transfer.metrics.estimate.Estimate`), question, p, p_equivalent, margin, ruling.
    ``question`` is empty for what is exploratory, and the four after it too; p-values are Holm's. Pairs of which it is
    asked have a metric such as 'pckh/tilted - upright' as well (:meth:`monkey_transfer.measure.tilt.ByTilt.contrast`).
    """
    profile, score = study.profile, pckh.SCORE_NAME[study.profile.yardstick]
    found = {pair: scores.compare(*pair) for pair in compared_points(profile)}
    for pair, part in _by_tilt(study, scores).items():
        found[pair][f"{score}/{TILTED_LESS_UPRIGHT}"] = part
    asked = {(ends_of(question), question.metric(score)): question.text for question in profile.questions}
    ruled = dict(zip(asked, _rulings([found[pair][metric] for pair, metric in asked], profile.margin), strict=True))
    exploratory = {"question": "", "p": np.nan, "p_equivalent": np.nan, "margin": np.nan, "ruling": ""}
    rows = [
        {
            **compared(study, scores, a, b, metric, one),
            **({"question": asked[key], **ruled[key]} if (key := ((a, b), metric)) in asked else exploratory),
        }
        for (a, b), metrics in found.items()
        for metric, one in metrics.items()
        if metric in _COMPARED or metric == score or metric.startswith((f"{score}/", f"{score}@"))
    ]
    return pd.DataFrame(rows)


def compared(study: Study, scores: Scores, a: Point, b: Point, metric: str, found: Estimate) -> dict[str, object]:
    """The row of a difference, up to its note: see :func:`comparisons`."""
    return {
        "arm_a": a.arm,
        "arm_b": b.arm,
        "images_a": a.images,
        "images_b": b.images,
        "people": people_of(study, a),
        "metric": metric,
        "joints": len(scores.shared_keypoints(a, b)),
        "difference": found.value,
        **dict(zip(found._fields[1:], found[1:], strict=True)),
    }


def primary(table: pd.DataFrame) -> pd.DataFrame:
    """The primary questions among the comparisons, in the profile's order."""
    return table[table["question"] != ""]


def of_pair(table: pd.DataFrame, a: str, b: str, metric: str) -> pd.DataFrame:
    """The rows of one pair and metric, one for each number of images; empty if a minus b is not compared."""
    return table[(table["arm_a"] == a) & (table["arm_b"] == b) & (table["metric"] == metric)]


def between(table: pd.DataFrame, a: Point, b: Point) -> pd.DataFrame:
    """The rows of one pair at those numbers of images, one for each metric."""
    arms = (table["arm_a"] == a.arm) & (table["arm_b"] == b.arm)
    return table[arms & (table["images_a"] == a.images) & (table["images_b"] == b.images)]


def ends_of(question: Question) -> tuple[Point, Point]:
    """The two points that a question compares."""
    return Point(question.a, question.images_a), Point(question.b, question.images_b)


def of_metric(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The rows of one metric: one for each pair and numbers of images."""
    return table[table["metric"] == metric]


def _by_tilt(study: Study, scores: Scores) -> dict[tuple[Point, Point], Estimate]:
    """Of every pair of which that is asked, how much more the difference of the PCK score is among tilted people."""
    pairs = [ends_of(question) for question in study.profile.questions if question.part == TILTED_LESS_UPRIGHT]
    if not pairs:
        return {}
    score = pckh.SCORE_NAME[study.profile.yardstick]
    found = by_tilt({point: scores.runs[point] for pair in pairs for point in pair}, study.test_people)
    return {(a, b): found.contrast({a: 1, b: -1})[TILTED_LESS_UPRIGHT][score] for a, b in pairs}


def _rulings(found: Sequence[Estimate], margin: float) -> list[dict[str, object]]:
    """What may be said of each primary question's difference."""
    p, p_equivalent = holm([one.p_different() for one in found]), holm([one.p_equivalent(margin) for one in found])
    return [
        {"p": different, "p_equivalent": small, "margin": margin, "ruling": ruling(one, different, small, margin)}
        for one, different, small in zip(found, p, p_equivalent, strict=True)
    ]
