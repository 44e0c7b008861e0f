"""Who tests and whom each seed learns: seeded, nested, group-disjoint, and the audit of what leaks between them."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from monkey_transfer.errors import StudyError


@dataclass(frozen=True)
class Split:
    """Who tests, the same for every arm and seed, and the pool that all others are drawn from.

    Attributes
    ----------
    seed : what the order was drawn with.
    test : image ids, in random order.
    pool : the groups of all pictures that are left, each a tuple of image ids. No group is in the test as well.
    dropped : pictures in neither, because their group was cut when the test was full.
    """

    seed: int
    test: tuple[str, ...]
    pool: tuple[tuple[str, ...], ...]
    dropped: int

    @property
    def digest(self) -> str:
        """SHA-256 over the ids of the test, in order."""
        return _digest(self.test)


@dataclass(frozen=True)
class Draw:
    """Whom one seed learns: its own validation and training people of the pool, the same for every arm.

    Attributes
    ----------
    seed : of the draw, and of the trainings that learn it.
    validation, train : image ids, in random order; the first n of ``train`` are the training set of size n, so that a
        larger set holds every smaller one. No group of pictures is in both.
    dropped : pictures in neither, because their group was cut when the validation was full.
    """

    seed: int
    validation: tuple[str, ...]
    train: tuple[str, ...]
    dropped: int

    @property
    def digest(self) -> str:
        """SHA-256 over the ids of both parts, in order."""
        return _digest([self.validation, self.train])

    def training_subset(self, n: int) -> tuple[str, ...]:
        """The training set of ``n`` pictures; StudyError if there are fewer."""
        if not 1 <= n <= len(self.train):
            raise StudyError(
                f"{n} training pictures were asked for, but the training pool holds {len(self.train)}: "
                f"ask for 1 to {len(self.train)}, or for fewer test and validation pictures"
            )
        return self.train[:n]


def split_people(images: pd.DataFrame, test: int, seed: int) -> Split:
    """Draw exactly ``test`` pictures at random; all others are the pool.

    Whole groups (``images.group``: a video, a person, a source photograph) are drawn in random order until the test
    is full. What then remains of the last group is dropped. The result depends on the seed, the ids and their
    grouping, never on the order of rows.

    Parameters
    ----------
    images : images table.
    test : number of pictures.
    seed : another seed draws other pictures.

    Raises
    ------
    StudyError
        If there are not enough pictures, or not enough groups to keep them apart.
    """
    groups = [tuple(sorted(ids)) for _, ids in images.groupby("group")["image_id"]]
    drawn, pool, dropped = _part(groups, test, seed, "test")
    return Split(seed, drawn, tuple(sorted(pool)), dropped)


def draw_people(split: Split, validation: int, seed: int) -> Draw:
    """Draw exactly ``validation`` pictures of a split's pool at random; all others, in random order, may be learnt.

    Whole groups are drawn, as for the test (:func:`split_people`); every seed draws for itself, so that what two seeds
    differ by holds the chance of whom they learnt. Raises StudyError if the pool is too small.
    """
    drawn, rest, dropped = _part(split.pool, validation, seed, "validation")
    return Draw(seed, drawn, _shuffled((image_id for ids in rest for image_id in ids), seed), dropped)


def _part(
    groups: Iterable[tuple[str, ...]], wanted: int, seed: int, name: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]], int]:
    """So many pictures of whole groups, drawn at random; the groups that are left; how many pictures were dropped."""
    left = sorted(groups, key=lambda ids: _rank(ids[0], seed))
    pictures, count = sum(map(len, left)), len(left)
    drawn: list[str] = []
    while len(drawn) < wanted and left:
        drawn.extend(_shuffled(left.pop(0), seed))
    if len(drawn) < wanted:
        raise StudyError(
            f"{wanted} {name} pictures were asked for, but there are only {pictures} in {count} groups that must stay "
            "whole: ask for fewer or add pictures"
        )
    return _shuffled(drawn[:wanted], seed), left, len(drawn) - wanted


@dataclass(frozen=True)
class Learnt:
    """What an arm was trained on, besides what the arm was trained on whose weights it started from.

    Attributes
    ----------
    role : the data set its pictures are of, 'source' or 'target'.
    image_ids : pictures that it was trained on or that decided when to stop.
    parent : the arm whose weights it started from, if any.
    elsewhere : why the weights it started from may know the test people, if they come from elsewhere and may.
    """

    role: str
    image_ids: Collection[str] = ()
    parent: str | None = None
    elsewhere: str = ""


def audit(
    arms: Mapping[str, Learnt], test_ids: Collection[str], images: Mapping[str, pd.DataFrame], alike: pd.DataFrame
) -> pd.DataFrame:
    """Count, for each arm, the test people whom it may know: from its own training or from its ancestors'.

    Parameters
    ----------
    arms : every arm and what it learnt; parents are among them.
    test_ids : the test people, of the target.
    images : 'source' and 'target' -> images table that holds all pictures named.
    alike : :func:`~monkey_transfer.study.near_duplicates.near_duplicates` of the test pictures and all others.

    Returns
    -------
    DataFrame with one row per arm: ``arm``, ``test_people`` and how many of them were ``trained_on``; are in a
    ``shared_group`` with a training picture (a video, a photograph); are in a picture of which the training
    has ``near_duplicates``, itself included; and ``may_have_seen``, all of them where weights come from a
    training that may have held them, as the ``note`` says.

    Raises
    ------
    StudyError
        If a picture is not in its images table, since its group would be unknown and a leak overlooked.
    """
    test = _pictures(images, "target", test_ids, "the test set")
    rows = []
    for arm in arms:
        lineage = {name: arms[name] for name in _lineage(arm, arms)}
        seen = pd.concat(
            _pictures(images, learnt.role, learnt.image_ids, f"the training set of arm {name}")
            for name, learnt in lineage.items()
        )
        seen_target = seen[seen["role"] == "target"]
        like_seen = alike.loc[alike["second"].isin(seen["path"]), "first"]
        notes = [learnt.elsewhere for learnt in lineage.values() if learnt.elsewhere]
        rows.append(
            {
                "arm": arm,
                "test_people": len(test),
                "trained_on": test["image_id"].isin(seen_target["image_id"]).sum(),
                "shared_group": test["group"].isin(seen_target["group"]).sum(),
                "near_duplicates": test["path"].isin(like_seen).sum(),
                "may_have_seen": len(test) if notes else 0,
                "note": "; ".join(notes),
            }
        )
    return pd.DataFrame(rows)


def _lineage(arm: str, arms: Mapping[str, Learnt]) -> list[str]:
    """The arm, the arm whose weights it started from, and so on."""
    parent = arms[arm].parent
    return [arm] if parent is None else [arm, *_lineage(parent, arms)]


def _pictures(images: Mapping[str, pd.DataFrame], role: str, image_ids: Collection[str], whose: str) -> pd.DataFrame:
    """The rows of those pictures, with their role."""
    table = images[role].assign(role=role)
    unknown = set(image_ids).difference(table["image_id"])
    if unknown:
        raise StudyError(
            f"{whose} names picture '{min(unknown)}', which is not in the images table of the {role}: "
            "give the table that the split was made of"
        )
    return table[table["image_id"].isin(image_ids)]


def _digest(ids: object) -> str:
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()


def _rank(image_id: str, seed: int) -> str:
    # A hash instead of a random generator: a picture's place depends on nothing but its own name and the seed,
    # so adding pictures or changing library versions does not shuffle the others.
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _shuffled(ids: Iterable[str], seed: int) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda image_id: _rank(image_id, seed)))
