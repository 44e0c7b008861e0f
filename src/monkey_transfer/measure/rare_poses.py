"""The paper's clinical argument, tested: monkeys take poses that people rarely take, so they should help with those.

How rare a person's pose is follows from labels alone, so that no network has a say: it is the mean distance to the five
nearest training poses (:mod:`~monkey_transfer.measure.pose_space`), each or its mirror image, whichever is nearer,
since networks are trained on pictures and their mirror images. A person in whom one of the landmarks is not labelled
has no pose, and so no rarity.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.measure.pose_space import common_landmarks, mirrored, normalised_poses
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.skeletons import LIMB_JOINTS
from monkey_transfer.study.opening import Study
from monkey_transfer.study.splits import Draw

# One training person nearby can be an error of the labels; five nearby are a place where training people are.
NEIGHBOURS = 5
# Of fewer poses the five nearest are no neighbourhood.
FEWEST_TRAINING = 20

_SEED = 0
_DRAWS = 50


@dataclass(frozen=True)
class RarePoses:
    """What rare poses do to arms, at the number of people at which ``transfer`` is compared with its control.

    Arms that do not learn as many are here at their own largest number. Estimates are over people and seeds
    (:class:`monkey_transfer.metrics.estimate.Estimate`), those of scores in percent, of differences in points.

    Attributes
    ----------
    people : image_id, distance (in body sizes), decile of every test person whose limbs are all labelled.
    left_out : how many test people are not among them.
    accuracy : arm, decile, people and the estimate of the PCK score on the arm's own joints.
    advantage : decile, people and the estimate of ``transfer`` minus its control.
    lines : quantity ('slope', 'most ordinary', 'rarest') and the estimate of ``transfer`` minus its control along
        :func:`accuracy_by_rank`.
    cover : :func:`monkey_cover`, by people whom ``transfer`` does not learn; empty where they or the monkeys are too
        few.
    """

    people: pd.DataFrame
    left_out: int
    accuracy: pd.DataFrame
    advantage: pd.DataFrame
    lines: pd.DataFrame
    cover: pd.DataFrame


def measure_rare_poses(study: Study, scores: Scores) -> RarePoses:
    """Measure accuracy by rarity; rarity is against the people that ``transfer`` learns, the mean over seeds.

    StudyError if nobody, or too few of those who are learnt, has all limbs labelled.
    """
    size, score = study.profile.compared_size, pckh.SCORE_NAME[study.profile.yardstick]
    landmarks = [landmark for landmark in common_landmarks(study.target, study.source) if landmark in LIMB_JOINTS]
    learnt = [(part, study.target.subset(draw.training_subset(size))) for part, draw in _draws(study)]
    by_draw = pd.concat([rarity_of_people(part.test_people, training, landmarks) for part, training in learnt])
    distance = by_draw.groupby(level=0, sort=False).mean()
    decile = deciles(distance)
    counts = decile.value_counts()

    chosen = [Point(name, size if size in arm.sizes else arm.largest) for name, arm in study.profile.arms.items()]
    a, b = Point("transfer", size), Point(study.profile.control, size)
    parts = {int(part): Scores(_among(scores, chosen, own.index), pck_scores) for part, own in decile.groupby(decile)}
    rank = ranks(distance)
    line = Scores(_among(scores, (a, b), distance.index), lambda run: accuracy_by_rank(run, rank))
    accuracy = [
        {"arm": point.arm, "decile": part, "people": counts[part], **among.of(point)[score]._asdict()}
        for point in chosen
        for part, among in parts.items()
    ]
    advantage = [
        {"decile": part, "people": counts[part], **among.compare(a, b)[score]._asdict()}
        for part, among in parts.items()
    ]
    lines = [{"quantity": quantity, **found._asdict()} for quantity, found in line.compare(a, b).items()]
    return RarePoses(
        people=pd.DataFrame({"distance": distance, "decile": decile}).reset_index(),
        left_out=len(study.test_people) - len(distance),
        accuracy=pd.DataFrame(accuracy),
        advantage=pd.DataFrame(advantage),
        lines=pd.DataFrame(lines),
        cover=_cover(study, landmarks, [training for _, training in learnt], decile),
    )


def rarity_of_people(people: Dataset, training: Dataset, landmarks: Sequence[str]) -> pd.Series:
    """By ``image_id``, how far each person's pose is from those of training people, in body sizes.

    People who lack one of the landmarks are left out. StudyError if a skeleton lacks a landmark, nobody has all of
    them, or fewer than :data:`FEWEST_TRAINING` training people do.
    """
    image_ids, poses = normalised_poses(people, landmarks)
    _, learnt = normalised_poses(training, landmarks)
    if not len(poses):
        raise StudyError(
            "rarity of poses: there is no test pose: label all landmarks in some test person, or choose fewer landmarks"
        )
    if len(learnt) < FEWEST_TRAINING:
        raise StudyError(
            f"rarity of poses: expected at least {FEWEST_TRAINING} training poses, got {len(learnt)}: "
            "give more training people, or landmarks that more have"
        )
    nearest = np.partition(_distances(poses, learnt, landmarks), NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    return pd.Series(nearest.mean(axis=1), pd.Index(image_ids, name="image_id"))


def deciles(rarity: pd.Series) -> pd.Series:
    """Tenths of people by rarity, with the index of ``rarity``: 1 the most ordinary, 10 the rarest.

    Without ties they differ by one person at most. People of equal rarity are in one tenth. Of fewer than 100
    people there are fewer parts than ten, so that each has as many as an interval takes; of fewer than 20 there is one.
    """
    parts = min(10, max(1, len(rarity) // FEWEST_GROUPS))
    return (rarity.rank() * parts / len(rarity)).apply(np.ceil).astype(int)


def ranks(rarity: pd.Series) -> pd.Series:
    """Each person's rank of rarity between 0, the most ordinary, and 1, the rarest; equals share the mean of theirs."""
    return (rarity.rank() - 0.5) / len(rarity)


def accuracy_by_rank(matched: Matched, rank: pd.Series) -> Statistic:
    """The statistic of a straight line, fitted by least squares to an arm's accuracy against rank of rarity.

    Least squares over people weighted by their scored joints, and by how often their group was drawn, is least
    squares over those joints, of 100 for a hit and 0 for a miss. It is linear in the hits, so the line
    of the difference of two arms on the same joints is the difference of their lines. ``rank`` is that of everyone in
    ``matched``, by ``image_id``, between 0 and 1.

    Returns the statistic of 'slope' (percentage points from rank 0 to 1), 'most ordinary' (the line at 0, in percent)
    and 'rarest' (at 1); NaN where all people drawn have one rank.
    """
    joints = pckh.scored(matched.joints)
    x, y = joints["image_id"].map(rank), 100.0 * joints["correct"]
    terms = pd.DataFrame({"joints": 1.0, "x": x, "y": y, "xx": x * x, "xy": x * y})
    group = joints["image_id"].map(matched.people.set_index("image_id")["group"])
    sums = terms.groupby(group).sum().reindex(np.sort(matched.people["group"].unique()), fill_value=0).to_numpy()

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            total, *moments = (weights @ sums).T
            x, y, xx, xy = (moment / total for moment in moments)
            variance = xx - x * x
            # One rank alone has a variance of rounding errors.
            slope = np.where(variance > 1e-12, (xy - x * y) / variance, np.nan)
        at_zero = y - slope * x
        return {"slope": slope, "most ordinary": at_zero, "rarest": at_zero + slope}

    return statistic


def monkey_cover(
    people: np.ndarray, training: np.ndarray, monkeys: np.ndarray, landmarks: Sequence[str], decile: np.ndarray
) -> pd.DataFrame:
    """How much of the space of human poses monkeys cover, and training people, in every decile of rarity.

    The more poses a set has, the nearer is its nearest. So equally many training people and monkeys
    are drawn, as many as there are of the fewer, fifty times with a fixed seed, and the numbers averaged.

    Where rarity is by these same training people, the rare are by choice those whom they happen to leave out, and poses
    of anybody else are nearer more often than they should be: other people in the monkeys' place, who ought to be
    nearer half the time, were so for 60 % of the rarest 300 of 1,000 people of Leeds Sports Pose Extended (400 training
    people). Rarity by training people who are not given here avoids that.

    Parameters
    ----------
    people, training, monkeys : (poses, landmarks, 2) of test people, training people and monkeys, normalised
        with the same landmarks.
    decile : (test people,) see :func:`deciles`.

    Returns one row per decile: ``decile, people``; ``monkey_nearer``, share of them whose nearest monkey is nearer than
    their nearest training person, 0 to 1; ``to_training`` and ``to_monkey``, medians of the distance to the nearest, in
    body sizes; ``drawn``, of how many each. A pose or its mirror image counts, whichever is nearer.
    """
    drawn, rng = min(len(training), len(monkeys)), np.random.default_rng(_SEED)
    to_training = _to_nearest_drawn(_distances(people, training, landmarks), drawn, rng)
    to_monkey = _to_nearest_drawn(_distances(people, monkeys, landmarks), drawn, rng)
    return pd.DataFrame(
        [
            {
                "decile": part,
                "people": int(own.sum()),
                "monkey_nearer": np.mean(to_monkey[:, own] < to_training[:, own]),
                "to_training": np.median(to_training[:, own], axis=1).mean(),
                "to_monkey": np.median(to_monkey[:, own], axis=1).mean(),
                "drawn": drawn,
            }
            for part in np.unique(decile)
            for own in [decile == part]
        ]
    )


def _draws(study: Study) -> Iterator[tuple[Study, Draw]]:
    """Whom each seed draws of the target; with folds, of each of them."""
    for part in study.parts:
        for draw in part.draws["target"].values():
            yield part, draw


def _cover(study: Study, landmarks: list[str], learnt: list[Dataset], decile: pd.Series) -> pd.DataFrame:
    # Rarity is measured by those who are learnt, so people whom no seed learns have to compete with the monkeys.
    known = {image_id for training in learnt for image_id in training.images["image_id"]}
    pool = study.draw("target", study.profile.seeds[0]).train
    others = [image_id for image_id in pool if image_id not in known]
    if len(others) < FEWEST_TRAINING:  # with folds everybody is learnt by one or another
        return pd.DataFrame()
    _, of_others = normalised_poses(study.target.subset(others), landmarks)
    _, of_monkeys = normalised_poses(study.source, landmarks)
    if min(len(of_others), len(of_monkeys)) < FEWEST_TRAINING:
        return pd.DataFrame()
    ids, poses = normalised_poses(study.test_people, landmarks)
    return monkey_cover(poses, of_others, of_monkeys, landmarks, decile[ids].to_numpy())


def _among(scores: Scores, points: Iterable[Point], image_ids: Collection[str]) -> dict[Point, list[Matched]]:
    """The networks of some points on some of the people."""

    def on_them(run: Matched) -> Matched:
        joints, people = (table[table["image_id"].isin(image_ids)] for table in (run.joints, run.people))
        return replace(run, joints=joints.reset_index(drop=True), people=people.reset_index(drop=True))

    return {point: [on_them(run) for run in scores.runs[point]] for point in points}


def _distances(of: np.ndarray, by: np.ndarray, landmarks: Sequence[str]) -> np.ndarray:
    """(poses in ``of``, poses in ``by``) distances in body sizes to each pose or its mirror image, the nearer one."""
    from scipy.spatial.distance import cdist

    rows = of.reshape(len(of), -1)
    either = [cdist(rows, poses.reshape(len(poses), -1)) for poses in (by, mirrored(by, landmarks))]
    return np.minimum(*either) / np.sqrt(len(landmarks))


def _to_nearest_drawn(distances: np.ndarray, drawn: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, people) distance to the nearest of ``drawn`` poses, drawn at random from the columns each time."""
    choices = (rng.choice(distances.shape[1], drawn, replace=False) for _ in range(_DRAWS))
    return np.stack([distances[:, chosen].min(axis=1) for chosen in choices])
