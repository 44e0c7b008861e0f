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

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], origin: object) -> "Split":
        """What :meth:`as_dict` gave; StudyError naming ``origin`` if a key is missing or the ids were changed."""
        missing = [key for key in ("seed", "test", "validation", "train", "dropped", "digest") if key not in stored]
        if missing:
            raise StudyError(f"{origin}: the stored split lacks {', '.join(missing)}: delete the file to split again")
        parts = {part: tuple(stored[part]) for part in ("test", "validation", "train")}
        split = cls(seed=stored["seed"], dropped=stored["dropped"], **parts)
        if split.digest != stored["digest"]:
            raise StudyError(f"{origin}: the stored split does not match its digest: delete the file to split again")
        return split


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


def leaks(arms_train: Mapping[str, Iterable[str]], test_ids: Iterable[str], images: pd.DataFrame) -> pd.DataFrame:
    """Count, for each arm, the test pictures that it may know from its training.

    Parameters
    ----------
    arms_train : arm -> the pictures of ``images`` that it was trained on; empty for an arm trained elsewhere.
    test_ids : the test pictures.
    images : images table that holds them all.

    Returns
    -------
    DataFrame with one row per arm: ``arm``, ``test_pictures``, ``trained_on`` (the arm learnt that very picture)
    and ``shared_group`` (the arm learnt a picture of the same group, that very picture included).

    Raises
    ------
    StudyError
        If an id is not in ``images``, since its group would be unknown and a leak overlooked.
    """
    group_of = dict(zip(images["image_id"], images["group"], strict=True))

    def groups(ids: Collection[str], whose: str) -> list[str]:
        unknown = [image_id for image_id in ids if image_id not in group_of]
        if unknown:
            raise StudyError(
                f"{whose} names picture '{unknown[0]}', which is not in the images table: audit each data set alone"
            )
        return [group_of[image_id] for image_id in ids]

    test_ids = tuple(test_ids)
    test_groups = groups(test_ids, "the test set")
    rows = []
    for arm, ids in arms_train.items():
        trained_on = set(ids)
        trained_groups = set(groups(sorted(trained_on), f"the training set of arm {arm}"))
        rows.append(
            {
                "arm": arm,
                "test_pictures": len(test_ids),
                "trained_on": sum(image_id in trained_on for image_id in test_ids),
                "shared_group": sum(group in trained_groups for group in test_groups),
            }
        )
    return pd.DataFrame(rows, columns=["arm", "test_pictures", "trained_on", "shared_group"])


def _rank(image_id: str, seed: int) -> str:
    # A hash instead of a random generator: a picture's place depends on nothing but its own name and the seed,
    # so adding pictures or changing library versions does not shuffle the others.
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _shuffled(ids: Iterable[str], seed: int) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda image_id: _rank(image_id, seed)))
