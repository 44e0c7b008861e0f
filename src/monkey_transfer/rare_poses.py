"""The paper's clinical argument, tested: monkeys take poses that people rarely take, so they should help with those.

:mod:`monkey_transfer.rarity` measures; here a study's people and arms are put in.
"""

from dataclasses import dataclass

import pandas as pd

from monkey_transfer.poses import common_landmarks, normalised_poses
from monkey_transfer.rarity import (
    FEWEST_TRAINING,
    accuracy_by_decile,
    advantage_by_decile,
    deciles,
    interaction,
    monkey_cover,
    rarity_of_people,
)
from monkey_transfer.results import RESAMPLES
from monkey_transfer.skeletons import LIMB_JOINTS
from monkey_transfer.splits import training_subset
from monkey_transfer.study import Study, matched

_SEED = 0
# How a pose is rare, and in words.
MEASURES = {"distance": "distance to the nearest training poses", "surprise": "density of the training poses"}


@dataclass(frozen=True)
class RarePoses:
    """What rare poses do to arms, at the largest number of people that ``transfer`` and its control both learn.

    Arms that do not learn as many are here at their own largest number.

    Attributes
    ----------
    people : image_id, distance, surprise, decile (of ``distance``) of every test person whose limbs are all labelled.
    left_out : how many test people are not among them.
    accuracy : :func:`monkey_transfer.rarity.accuracy_by_decile` of every arm.
    advantage : :func:`monkey_transfer.rarity.advantage_by_decile` of ``transfer`` over its control.
    lines : measure and the columns of :func:`monkey_transfer.rarity.interaction` of the same pair.
    cover : :func:`monkey_transfer.rarity.monkey_cover`, by people whom ``transfer`` does not learn; empty where they
        or the monkeys are too few.
    """

    people: pd.DataFrame
    left_out: int
    accuracy: pd.DataFrame
    advantage: pd.DataFrame
    lines: pd.DataFrame
    cover: pd.DataFrame


def measure_rare_poses(study: Study) -> RarePoses:
    """Measure accuracy by rarity; rarity is against the people that ``transfer`` learns.

    StudyError if a run is not finished, or too few people have all limbs labelled or too few groups to learn a density.
    """
    profile = study.profile
    landmarks = [landmark for landmark in common_landmarks(study.target, study.source) if landmark in LIMB_JOINTS]
    size = profile.compared_size
    learnt = study.target.subset(training_subset(study.splits["target"], size))
    people = rarity_of_people(study.test_people, learnt, landmarks)
    rarity = people.set_index("image_id")
    decile = deciles(rarity["distance"])
    arms = {
        name: [
            matched(study, study.finished(name, seed, size if size in arm.sizes else None).predictions())
            for seed in profile.seeds
        ]
        for name, arm in profile.arms.items()
    }
    pair = arms["transfer"], arms[profile.control]
    return RarePoses(
        people=people.assign(decile=decile.to_numpy()),
        left_out=len(study.test_people) - len(people),
        accuracy=accuracy_by_decile(arms, decile, RESAMPLES, _SEED),
        advantage=advantage_by_decile(*pair, decile, RESAMPLES, _SEED),
        lines=pd.concat(
            [interaction(*pair, rarity[name], RESAMPLES, _SEED).assign(measure=name) for name in MEASURES],
            ignore_index=True,
        ),
        cover=_cover(study, landmarks, size, decile),
    )


def _cover(study: Study, landmarks: list[str], learnt: int, decile: pd.Series) -> pd.DataFrame:
    # Rarity is measured by those who are learnt, so others have to compete with the monkeys.
    others = study.target.subset(study.splits["target"].train[learnt:])
    _, of_others = normalised_poses(others, landmarks)
    _, of_monkeys = normalised_poses(study.source, landmarks)
    if min(len(of_others), len(of_monkeys)) < FEWEST_TRAINING:
        return pd.DataFrame()
    ids, poses = normalised_poses(study.test_people, landmarks)
    return monkey_cover(poses, of_others, of_monkeys, landmarks, decile[ids].to_numpy())
