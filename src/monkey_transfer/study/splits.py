"""Who tests and whom each seed learns: seeded, nested, and no group of pictures in two parts."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

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
    grouping, never on the order of rows. StudyError if the images table has not enough pictures.
    """
    groups = [tuple(sorted(ids)) for _, ids in images.groupby("group")["image_id"]]
    drawn, pool, dropped = _part(groups, test, seed, "test")
    return Split(seed, drawn, tuple(sorted(pool)), dropped)


def set_aside(split: Split, people: int) -> tuple[Split, Split]:
    """The split without so many pictures of its pool, and a split of which these are the pool.

    Whole groups are set aside, as for the test (:func:`split_people`). StudyError if the pool is too small.
    """
    drawn, left, dropped = _part(split.pool, people, split.seed, "set-aside")
    aside = set(drawn)
    groups = {tuple(image_id for image_id in ids if image_id in aside) for ids in split.pool} - {()}
    rest = replace(split, pool=tuple(sorted(left)), dropped=split.dropped + dropped)
    return rest, Split(split.seed, (), tuple(sorted(groups)), 0)


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


def _digest(ids: object) -> str:
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()


def _rank(image_id: str, seed: int) -> str:
    # A hash instead of a random generator: a picture's place depends on nothing but its own name and the seed,
    # so adding pictures or changing library versions does not shuffle the others.
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _shuffled(ids: Iterable[str], seed: int) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda image_id: _rank(image_id, seed)))
