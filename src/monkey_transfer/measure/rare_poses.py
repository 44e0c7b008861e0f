"""The paper's clinical argument, tested: monkeys take poses that people rarely take, so they should help with those.

:mod:`monkey_transfer.measure.rarity` measures poses; here a study's people and arms are put in.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import pandas as pd

from monkey_transfer.measure.pose_space import common_landmarks, normalised_poses
from monkey_transfer.measure.rarity import (
    FEWEST_TRAINING,
    accuracy_by_rank,
    deciles,
    monkey_cover,
    ranks,
    rarity_of_people,
)
from monkey_transfer.measure.scores import Evaluated, Point, Scores, pck_alone
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.skeletons import LIMB_JOINTS
from monkey_transfer.study.opening import Study

# How a pose is rare, and in words.
MEASURES = {"distance": "distance to the nearest training poses", "surprise": "density of the training poses"}


@dataclass(frozen=True)
class RarePoses:
    """What rare poses do to arms, at the largest number of people that ``transfer`` and its control both learn.

    Arms that do not learn as many are here at their own largest number. Estimates are over people and seeds
    (:class:`monkey_transfer.metrics.estimate.Estimate`), those of scores in percent, of differences in points.

    Attributes
    ----------
    people : image_id, distance, surprise, decile (of ``distance``) of every test person whose limbs are all labelled.
    left_out : how many test people are not among them.
    accuracy : arm, decile, people and the estimate of the PCK score on the arm's own joints.
    advantage : decile, people and the estimate of ``transfer`` minus its control.
    lines : measure, quantity ('slope', 'most ordinary', 'rarest') and the estimate of ``transfer`` minus its control
        along :func:`~.rarity.accuracy_by_rank`.
    cover : :func:`~.rarity.monkey_cover`, by people whom ``transfer`` does not learn; empty where they
        or the monkeys are too few.
    """

    people: pd.DataFrame
    left_out: int
    accuracy: pd.DataFrame
    advantage: pd.DataFrame
    lines: pd.DataFrame
    cover: pd.DataFrame


def measure_rare_poses(study: Study, scores: Scores) -> RarePoses:
    """Measure accuracy by rarity; rarity is against the people that ``transfer`` learns.

    StudyError if too few people have all limbs labelled or are of too few groups to learn a density.
    """
    size, control = study.profile.compared_size, study.profile.control
    landmarks = [landmark for landmark in common_landmarks(study.target, study.source) if landmark in LIMB_JOINTS]
    people = _rarity(study, landmarks, size)
    decile = deciles(people.set_index("image_id")["distance"])
    chosen = [Point(name, size if size in arm.sizes else arm.largest) for name, arm in study.profile.arms.items()]
    a, b = Point("transfer", size), Point(control, size)
    parts = {int(part): Scores(_among(scores, chosen, own.index), pck_alone) for part, own in decile.groupby(decile)}
    counts = decile.value_counts()
    score = SCORE_NAME[study.profile.yardstick]
    return RarePoses(
        people=people.assign(decile=decile.to_numpy()),
        left_out=len(study.test_people) - len(people),
        accuracy=pd.DataFrame(
            [
                {"arm": point.arm, "decile": part, "people": counts[part], **among.of(point)[score]._asdict()}
                for point in chosen
                for part, among in parts.items()
            ]
        ),
        advantage=pd.DataFrame(
            [
                {"decile": part, "people": counts[part], **among.compare(a, b)[score]._asdict()}
                for part, among in parts.items()
            ]
        ),
        lines=pd.DataFrame(
            [
                {"measure": measure, "quantity": quantity, **found._asdict()}
                for measure in MEASURES
                for quantity, found in _line(scores, a, b, people.set_index("image_id")[measure]).items()
            ]
        ),
        cover=_cover(study, landmarks, size, decile),
    )


def _rarity(study: Study, landmarks: list[str], size: int) -> pd.DataFrame:
    """The rarity of the test people by whom ``transfer`` learns, the mean over the draws of the seeds."""
    found = [
        rarity_of_people(study.test_people, study.target.subset(draw.training_subset(size)), landmarks)
        for draw in study.draws["target"].values()
    ]
    together = pd.concat(found).groupby("image_id", sort=False).mean()
    return together.reset_index()


def _line(scores: Scores, a: Point, b: Point, rarity: pd.Series) -> dict:
    """The straight line of a minus b against the rank of rarity (:func:`~.rarity.accuracy_by_rank`)."""
    rank = ranks(rarity)
    runs = _among(scores, (a, b), rarity.index)
    return Scores(runs, lambda run: accuracy_by_rank(run.matched, rank)).compare(a, b)


def _among(scores: Scores, points: Iterable[Point], image_ids: Collection[str]) -> dict[Point, list[Evaluated]]:
    """The networks of some points on some of the people."""
    return {
        point: [run._replace(matched=_of_people(run.matched, image_ids)) for run in scores.runs[point]]
        for point in points
    }


def _of_people(matched: Matched, image_ids: Collection[str]) -> Matched:
    joints, people = (
        table[table["image_id"].isin(image_ids)].reset_index(drop=True) for table in (matched.joints, matched.people)
    )
    return replace(matched, joints=joints, people=people)


def _cover(study: Study, landmarks: list[str], learnt: int, decile: pd.Series) -> pd.DataFrame:
    # Rarity is measured by those who are learnt, so people whom no seed learns have to compete with the monkeys.
    draws = study.draws["target"].values()
    known = {image_id for draw in draws for image_id in draw.training_subset(learnt)}
    pool = study.draw("target", study.profile.seeds[0]).train
    others = study.target.subset([image_id for image_id in pool if image_id not in known])
    _, of_others = normalised_poses(others, landmarks)
    _, of_monkeys = normalised_poses(study.source, landmarks)
    if min(len(of_others), len(of_monkeys)) < FEWEST_TRAINING:
        return pd.DataFrame()
    ids, poses = normalised_poses(study.test_people, landmarks)
    return monkey_cover(poses, of_others, of_monkeys, landmarks, decile[ids].to_numpy())
