"""Who tests and whom each seed learns: seeded, nested, and no group of pictures in two parts."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

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
    dropped : pictures in neither, because their group is in the test and they are not: they are not scored, or the test
        was full.
    unscored : pictures that are learnt and neither tested nor held out.
    """

    seed: int
    test: tuple[str, ...]
    pool: tuple[tuple[str, ...], ...]
    dropped: int
    unscored: frozenset[str] = frozenset()

    @property
    def scored(self) -> int:
        """How many pictures of the pool can be held out as well as learnt."""
        return sum(image_id not in self.unscored for ids in self.pool for image_id in ids)

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
    validation, train : image ids, in random order, in ``train`` those last that are not scored; the first n of
        ``train`` are the training set of size n, so that a larger set holds every smaller one. No group of pictures is
        in both.
    dropped : pictures in neither, because their group is in the validation and they are not.
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


def split_people(images: pd.DataFrame, test: int, seed: int, unscored: Collection[str] = ()) -> Split:
    """Draw exactly ``test`` pictures at random; all others are the pool.

    Whole groups (``images.group``: a video, a person, a source photograph) are drawn in random order until the test
    is full. What then remains of the last group is dropped, and so is what of any of them is ``unscored``. The result
    depends on the seed, the ids and their grouping, never on the order of rows. StudyError if the images table has not
    enough pictures.
    """
    unscored = frozenset(unscored)
    groups = [_scored_first(sorted(ids), unscored) for _, ids in images.groupby("group")["image_id"]]
    drawn, pool, dropped = _part(groups, test, seed, "test", unscored)
    return Split(seed, drawn, tuple(sorted(pool)), dropped, unscored)


def fold_people(
    images: pd.DataFrame, folds: int | Literal["by_group"], seed: int, unscored: Collection[str] = ()
) -> tuple[Split, ...]:
    """Every group tested once: for each fold a split of which it is the test, and all other groups the pool.

    Groups go one by one, the largest first and equal ones at random, to the fold that has fewest pictures so far; or
    each is a fold. What of a tested group is ``unscored`` is dropped. As with :func:`split_people` the result depends
    on the seed, the ids and their grouping alone. StudyError if there are fewer groups with pictures to score than
    folds, or than two.
    """
    unscored = frozenset(unscored)
    groups = [_scored_first(sorted(ids), unscored) for _, ids in images.groupby("group")["image_id"]]
    scored = {ids: tuple(image_id for image_id in ids if image_id not in unscored) for ids in groups}
    tested = sorted(filter(scored.get, groups), key=lambda ids: (-len(scored[ids]), _rank(ids[0], seed)))
    wanted = max(2, len(tested)) if folds == "by_group" else folds
    if len(tested) < wanted:
        raise StudyError(
            f"{wanted} folds were asked for, but the pictures are of {len(tested)} groups that must stay whole: "
            "ask for fewer folds or add groups"
        )
    parts: list[list[tuple[str, ...]]] = [[] for _ in range(wanted)]
    for ids in tested:
        min(parts, key=lambda part: sum(len(scored[own]) for own in part)).append(ids)
    return tuple(
        Split(
            seed,
            _shuffled((image_id for ids in part for image_id in scored[ids]), seed),
            tuple(sorted(set(groups) - set(part))),
            sum(len(ids) - len(scored[ids]) for ids in part),
            unscored,
        )
        for part in parts
    )


def everybody(images: pd.DataFrame, seed: int, unscored: Collection[str] = ()) -> Split:
    """All who are tested by one fold or another; the pool is everybody as well, for networks that learn nobody."""
    unscored = frozenset(unscored)
    groups = (_scored_first(sorted(ids), unscored) for _, ids in images.groupby("group")["image_id"])
    scored = (image_id for image_id in images["image_id"] if image_id not in unscored)
    return Split(seed, _shuffled(scored, seed), tuple(sorted(groups)), 0, unscored)


def set_aside(split: Split, people: int) -> tuple[Split, Split]:
    """The split without so many pictures of its pool, and a split of which these are the pool.

    Whole groups are set aside, as for the test (:func:`split_people`). StudyError if the pool is too small.
    """
    drawn, left, dropped = _part(split.pool, people, split.seed, "set-aside", split.unscored)
    aside = set(drawn)
    groups = {tuple(image_id for image_id in ids if image_id in aside) for ids in split.pool} - {()}
    rest = replace(split, pool=tuple(sorted(left)), dropped=split.dropped + dropped)
    return rest, Split(split.seed, (), tuple(sorted(groups)), 0)


def draw_people(split: Split, validation: int, seed: int) -> Draw:
    """Draw exactly ``validation`` pictures of a split's pool at random; all others, in random order, may be learnt.

    Whole groups are drawn, as for the test (:func:`split_people`); every seed draws for itself, so that what two seeds
    differ by holds the chance of whom they learnt. Raises StudyError if the pool is too small.
    """
    drawn, rest, dropped = _part(split.pool, validation, seed, "validation", split.unscored)
    left = _shuffled((image_id for ids in rest for image_id in ids), seed)
    return Draw(seed, drawn, _scored_first(left, split.unscored), dropped)


def _part(
    groups: Iterable[tuple[str, ...]], wanted: int, seed: int, name: str, unscored: frozenset[str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]], int]:
    """So many scored pictures of whole groups, drawn at random; the groups that are left; how many were dropped."""
    scored = {ids: tuple(image_id for image_id in ids if image_id not in unscored) for ids in groups}
    left = sorted(filter(scored.get, scored), key=lambda ids: _rank(ids[0], seed))
    pictures, count = sum(map(len, scored.values())), len(left)
    drawn: list[str] = []
    taken = 0  # pictures of the groups drawn
    while len(drawn) < wanted and left:
        ids = left.pop(0)
        drawn.extend(_shuffled(scored[ids], seed))
        taken += len(ids)
    if len(drawn) < wanted:
        raise StudyError(
            f"{wanted} {name} pictures were asked for, but there are only {pictures} in {count} groups that must stay "
            "whole: ask for fewer or add pictures"
        )
    never = [ids for ids in scored if not scored[ids]]
    return _shuffled(drawn[:wanted], seed), left + never, taken - wanted


def _scored_first(ids: Iterable[str], unscored: frozenset[str]) -> tuple[str, ...]:
    """The same ids in their order, but for those that are not scored, which come last."""
    return tuple(sorted(ids, key=unscored.__contains__))


def _digest(ids: object) -> str:
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()


def _rank(image_id: str, seed: int) -> str:
    # A hash instead of a random generator: a picture's place depends on nothing but its own name and the seed,
    # so adding pictures or changing library versions does not shuffle the others.
    return hashlib.sha256(f"{seed}:{image_id}".encode()).hexdigest()


def _shuffled(ids: Iterable[str], seed: int) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda image_id: _rank(image_id, seed)))
