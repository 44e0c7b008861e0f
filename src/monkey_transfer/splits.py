"""Seeded, nested, group-disjoint subsets of a data set, and the audit of what leaks between them."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from monkey_transfer.errors import StudyError


@dataclass(frozen=True)
class Split:
    """Which pictures test, validate and train. No group of pictures is in more than one part.

    Attributes
    ----------
    seed : what the order was drawn with.
    test, validation, train : image ids, in random order; the first n of ``train`` are the training set
        of size n, so that a larger set holds every smaller one.
    dropped : pictures in no part, because their group was cut when a part was full.
    """

    seed: int
    test: tuple[str, ...]
    validation: tuple[str, ...]
    train: tuple[str, ...]
    dropped: int

    @property
    def digest(self) -> str:
        """SHA-256 over the ids of the three parts, in order."""
        return hashlib.sha256(json.dumps([self.test, self.validation, self.train]).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """All of it, digest included, in types that JSON knows."""
        return {
            "seed": self.seed,
            "test": list(self.test),
            "validation": list(self.validation),
            "train": list(self.train),
            "dropped": self.dropped,
            "digest": self.digest,
        }


def split_people(images: pd.DataFrame, test: int, validation: int, seed: int) -> Split:
    """Draw exactly ``test`` and ``validation`` pictures at random; all others are the training pool.

    Whole groups (``images.group``: a video, a person, a source photograph) are drawn in random order
    until a part is full. What then remains of the last group is dropped. The result depends on the
    seed, the ids and their grouping, never on the order of rows.

    Parameters
    ----------
    images : images table.
    test, validation : number of pictures.
    seed : another seed draws other pictures.

    Raises
    ------
    StudyError
        If there are not enough pictures, or not enough groups to keep them apart.
    """
    members = [tuple(sorted(ids)) for _, ids in images.groupby("group")["image_id"]]
    groups = sorted(members, key=lambda ids: _rank(ids[0], seed))
    drawn: dict[str, tuple[str, ...]] = {}
    dropped = 0
    for part, wanted in (("test", test), ("validation", validation)):
        pool: list[str] = []
        while len(pool) < wanted and groups:
            pool.extend(_shuffled(groups.pop(0), seed))
        if len(pool) < wanted:
            raise StudyError(
                f"{test} test and {validation} validation pictures were asked for, but there are only {len(images)} "
                f"pictures in {len(members)} groups that must stay whole: ask for fewer or add pictures"
            )
        drawn[part] = _shuffled(pool[:wanted], seed)
        dropped += len(pool) - wanted
    train = _shuffled((image_id for ids in groups for image_id in ids), seed)
    return Split(seed=seed, train=train, dropped=dropped, **drawn)


def training_subset(split: Split, n: int) -> tuple[str, ...]:
    """The training set of ``n`` pictures; StudyError if the pool holds fewer."""
    if not 1 <= n <= len(split.train):
        raise StudyError(
            f"{n} training pictures were asked for, but the training pool holds {len(split.train)}: "
            f"ask for 1 to {len(split.train)}, or for fewer test and validation pictures"
        )
    return split.train[:n]


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
    alike : :func:`~monkey_transfer.near_duplicates.near_duplicates` of the test pictures and all others.

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


def _rank(image_id: str, seed: int) -> str:
    # A hash instead of a random generator: a picture's place depends on nothing but its own name and the seed,
    # so adding pictures or changing library versions does not shuffle the others.
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _shuffled(ids: Iterable[str], seed: int) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda image_id: _rank(image_id, seed)))
