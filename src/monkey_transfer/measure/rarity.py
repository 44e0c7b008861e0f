"""Rare poses: how unlike the training people each test person is, and how accuracy changes with it.

The paper hopes that monkeys help where people take poses that few training pictures show, as patients do. Here
each test person gets two scores of rarity, from labels alone, so that no network has a say in who is rare:
``distance`` looks at the few training people most like the person, ``surprise`` at all of them together.

Poses are those of :mod:`~.pose_space`: without place and size, x to the right and y down, in body sizes.
A pose and its mirror image count as one here, unlike there, because networks are trained on pictures and their
mirror images. A person in whom one of the landmarks is not labelled has no pose, and so no rarity.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.measure.pose_space import normalised_poses
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.skeletons import LIMB_JOINTS

# One training person nearby can be an error of the labels; five nearby are a place where training people are.
NEIGHBOURS = 5
# A density is fitted to no fewer training poses than this, of no fewer groups than there are folds.
FEWEST_TRAINING = 20
# Of fewer people no interval is printed (monkey_transfer.metrics.estimate).
FEWEST_IN_DECILE = 10

_FOLDS = 5
_SEED = 0
# What the density may be: how many normal distributions, and the variance that is added to each of them in every
# direction, in body sizes squared: joints are not labelled to better than a few hundredths of a body size.
_COMPONENTS = (1, 4, 16)
_PEOPLE_PER_COMPONENT = 5
_ADDED_VARIANCES = (1e-4, 5e-4, 2.5e-3)
_DRAWS = 50


def mirrored(poses: np.ndarray, landmarks: Sequence[str]) -> np.ndarray:
    """The mirror images of poses (poses, landmarks, 2): x changes sign, and right and left change places.

    Raises StudyError when a landmark of one side lacks that of the other.
    """
    other = [_other_side(landmark) for landmark in landmarks]
    alone = [landmark for landmark, opposite in zip(landmarks, other, strict=True) if opposite not in landmarks]
    if alone:
        raise StudyError(
            f"landmarks of poses: {', '.join(alone)} without the same of the other side, so a pose has no mirror "
            "image: name both sides or neither"
        )
    return poses[:, [list(landmarks).index(landmark) for landmark in other]] * (-1, 1)


def pose_rarity(
    test: np.ndarray, training: np.ndarray, landmarks: Sequence[str], groups: np.ndarray | None = None
) -> pd.DataFrame:
    """How rare each test pose is among training poses, by two measures.

    The density is a mixture of normal distributions, fitted to the training poses and their mirror images, with
    covariances that are diagonal in the poses' principal components. Their number and least width are those that
    make held-out groups likeliest in five-fold cross-validation. A kernel density, the other usual choice, is the
    worse one in so many dimensions and nearly ``distance`` again: on 1,000 held-out people of Leeds Sports Pose
    Extended its best bandwidth reached a mean log likelihood of 12 nats from 100 training people and 17 from
    1,000, the mixture 18 and 22; its rank correlation with ``distance`` was 0.9 or more, the mixture's 0.8.
    Only differences of ``surprise`` mean anything, and only between people measured by the same training poses.

    Parameters
    ----------
    test, training : (poses, landmarks, 2) by :func:`monkey_transfer.measure.pose_space.normalised_poses`.
    landmarks : those of the poses, in their order.
    groups : (training poses,) the group of each, since frames of one video must not validate each other;
        without it each pose is a group of its own.

    Returns
    -------
    One row per test pose, in order: ``distance``, the mean distance to the five nearest training poses, each
    or its mirror image, whichever is nearer, in body sizes; ``surprise``, minus the log likelihood, in nats.
    The same poses give the same numbers on every call.

    Raises
    ------
    StudyError
        If there is no test pose, there are too few training poses or groups, or a pose has other landmarks.
    """
    groups = np.arange(len(training)) if groups is None else groups
    _refuse_other_landmarks(landmarks, test=test, training=training)
    if not len(test):
        raise StudyError(
            "rarity of poses: there is no test pose: label all landmarks in some test person, or choose fewer landmarks"
        )
    if len(training) < FEWEST_TRAINING or len(np.unique(groups)) < _FOLDS:
        raise StudyError(
            f"rarity of poses: expected at least {FEWEST_TRAINING} training poses of {_FOLDS} groups, got "
            f"{len(training)} of {len(np.unique(groups))}: give more training people, or landmarks that more have"
        )
    nearest = np.partition(_distances(test, training, landmarks), NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    log_likelihood = _fitted_density(training, landmarks, groups)
    return pd.DataFrame({"distance": nearest.mean(axis=1), "surprise": -log_likelihood(test)})


def rarity_of_people(people: Dataset, training: Dataset, landmarks: Sequence[str] = LIMB_JOINTS) -> pd.DataFrame:
    """How rare the pose of each person is among training people: ``image_id, distance, surprise``.

    ``distance`` and ``surprise`` are those of :func:`pose_rarity`. People who lack one of the landmarks are left out:
    ``len(people)`` minus the rows of the table.

    Raises
    ------
    StudyError
        If a skeleton lacks a landmark, nobody has all of them, or too few training people do.
    """
    image_ids, test = normalised_poses(people, landmarks)
    training_ids, poses = normalised_poses(training, landmarks)
    groups = training.images.set_index("image_id")["group"][training_ids].to_numpy()
    rarity = pose_rarity(test, poses, landmarks, groups)
    rarity.insert(0, "image_id", image_ids)
    return rarity


def deciles(rarity: pd.Series) -> pd.Series:
    """Tenths of people by rarity, with the index of ``rarity``: 1 the most ordinary, 10 the rarest.

    Without ties they differ by one person at most. People of equal rarity are in one tenth. Of fewer than 100
    people there are fewer parts than ten, so that each has ten or more; of fewer than 20 there is one.

    Raises StudyError when there is nobody or a rarity is missing.
    """
    ranks = _ranks(rarity)
    parts = min(10, max(1, len(rarity) // FEWEST_IN_DECILE))
    return np.ceil(ranks * parts / len(rarity)).astype(int).rename("decile")


def accuracy_by_rank(matched: Matched, rank: pd.Series) -> Statistic:
    """The statistic of a straight line, fitted by least squares to an arm's accuracy against rank of rarity.

    Least squares over people weighted by their scored joints, and by how often their group was drawn, is least
    squares over those joints, of 100 for a hit and 0 for a miss. It is linear in the hits, so the line
    of the difference of two arms on the same joints is the difference of their lines.

    Parameters
    ----------
    rank : by ``image_id``, between 0 and 1, of everyone in ``matched``.

    Returns
    -------
    Statistic of 'slope' (percentage points from rank 0 to 1), 'most ordinary' (the line at 0, in percent)
    and 'rarest' (at 1); NaN where all people drawn have one rank.
    """
    joints = pckh.scored(matched.joints)
    x, y = joints["image_id"].map(rank), 100.0 * joints["correct"]
    terms = pd.DataFrame({"1": 1.0, "x": x, "y": y, "xx": x * x, "xy": x * y})
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

    Where ``distance`` to these same training people is the rarity, the rare are by choice those whom they happen
    to leave out, and poses of anybody else are nearer more often than they should be: other people in the monkeys'
    place, who ought to be nearer half the time, were so for 60 % of the rarest 300 of 1,000 people of Leeds Sports
    Pose Extended (400 training people). Rarity by training people who are not given here avoids that.

    Parameters
    ----------
    people, training, monkeys : (poses, landmarks, 2) of test people, training people and monkeys, normalised
        with the same landmarks.
    decile : (test people,) see :func:`deciles`.

    Returns
    -------
    One row per decile: ``decile, people``; ``monkey_nearer``, share of them whose nearest monkey is nearer than
    their nearest training person, 0 to 1; ``to_training`` and ``to_monkey``, medians of the distance to the
    nearest, in body sizes; ``drawn``, of how many each. A pose or its mirror image counts, whichever is nearer.

    Raises
    ------
    StudyError
        If a set of poses is empty or has other landmarks.
    """
    _refuse_other_landmarks(landmarks, people=people, training=training, monkeys=monkeys)
    drawn = min(len(training), len(monkeys))
    if not len(people) or not drawn:
        raise StudyError(
            f"cover of poses: expected test people, training people and monkeys, got {len(people)}, {len(training)} "
            f"and {len(monkeys)}: label all landmarks in some of each, or choose fewer landmarks"
        )
    rng = np.random.default_rng(_SEED)
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
            for own in [np.asarray(decile) == part]
        ]
    )


def _other_side(landmark: str) -> str:
    side, _, joint = landmark.partition("_")
    return {"right": f"left_{joint}", "left": f"right_{joint}"}.get(side, landmark)


def _refuse_other_landmarks(landmarks: Sequence[str], **sets: np.ndarray) -> None:
    for name, poses in sets.items():
        if poses.shape[1:] != (len(landmarks), 2):
            raise StudyError(
                f"{name} poses: expected shape (poses, {len(landmarks)}, 2) for {len(landmarks)} landmarks, got "
                f"{poses.shape}: normalise all poses with the same landmarks"
            )


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


def _fitted_density(
    training: np.ndarray, landmarks: Sequence[str], groups: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """The log likelihood of poses under the density of :func:`pose_rarity`, equal for a pose and its mirror image."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

    mixture = GaussianMixture(covariance_type="diag", tol=0.01, max_iter=500, random_state=_SEED)
    candidates = {
        "mixture__n_components": [n for n in _COMPONENTS if n * _PEOPLE_PER_COMPONENT <= len(training)],
        "mixture__reg_covar": _ADDED_VARIANCES,
    }
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    density = GridSearchCV(Pipeline([("axes", PCA()), ("mixture", mixture)]), candidates, cv=folds)
    both = np.concatenate([training, mirrored(training, landmarks)])
    with threadpool_limits(1):  # the matrices are small: several threads would mostly wait for each other
        density.fit(_without_place(both), groups=np.tile(groups, 2))

    def log_likelihood(poses: np.ndarray) -> np.ndarray:
        # The mixture itself is only about symmetric: it starts at random.
        either = [density.score_samples(_without_place(p)) for p in (poses, mirrored(poses, landmarks))]
        return np.logaddexp(*either) - np.log(2)

    return log_likelihood


def _without_place(poses: np.ndarray) -> np.ndarray:
    """(poses, 2 x (landmarks - 1)): Helmert's coordinates, in which no direction is lost to the choice of an origin.

    With it two directions would have no variance, and a density none that is finite. See Dryden and Mardia,
    "Statistical Shape Analysis" (2016), section 2.5.
    """
    from scipy.linalg import helmert

    landmarks = poses.shape[1]
    return (helmert(landmarks) @ poses).reshape(len(poses), -1) / np.sqrt(landmarks)


def ranks(rarity: pd.Series) -> pd.Series:
    """Each person's rank of rarity between 0, the most ordinary, and 1, the rarest; equals share the mean of theirs.

    Raises StudyError when there is nobody or a rarity is missing.
    """
    return (_ranks(rarity) - 0.5) / len(rarity)


def _ranks(rarity: pd.Series) -> pd.Series:
    """1 for the most ordinary to the number of people for the rarest; equals share the mean of their ranks."""
    if rarity.empty or rarity.isna().any():
        raise StudyError(
            f"rarity of people: expected a number for each of at least one person, got {rarity.notna().sum()} numbers "
            f"for {len(rarity)} people: leave out people without"
        )
    return rarity.rank()
