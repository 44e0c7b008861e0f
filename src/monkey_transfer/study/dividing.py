"""How people are divided before anybody trains: who tests, who is held out, whom arms may learn, and what would fit."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.splits import Draw, Split, draw_people, fold_people, set_aside, split_people


@dataclass(frozen=True)
class Asked:
    """What is asked of people: how many test, how many are held out, and how many the largest arm learns.

    ``folds``, as in a profile, take the place of ``test``; ``aside`` are people whom only arms learn that say so;
    ``seeds`` each draw for themselves.
    """

    test: int | None
    validation: int
    images: int
    seeds: tuple[int, ...]
    folds: int | Literal["by_group"] | None = None
    aside: int = 0
    split_seed: int = 0

    @classmethod
    def by(cls, profile: Profile, role: str = "target") -> "Asked":
        """What a profile asks of the data set of that role."""
        of_target = role == "target"
        return cls(
            profile.learnt_data[role].test,
            profile.largest_validation(role),
            profile.largest_training_set(role),
            profile.seeds,
            profile.folds if of_target else None,
            profile.target.set_aside if of_target else 0,
            profile.split_seed,
        )


class Division(NamedTuple):
    """Who tests, and whom each seed holds out and may learn beside them."""

    split: Split
    draws: list[Draw]


@dataclass(frozen=True)
class Crowd:
    """People to be divided: the images table, of which image_id and group count, and who of them cannot be tested."""

    images: pd.DataFrame
    unscored: Collection[str] = ()

    @classmethod
    def measured(cls, people: Dataset, yardstick: str) -> "Crowd":
        """The people of a data set, of whom only those can be tested whose yardstick is known; StudyError if nobody."""
        known = people.measured_by(yardstick).images["image_id"]
        return cls(people.images, frozenset(people.images["image_id"]) - frozenset(known))

    @property
    def scored(self) -> int:
        """How many can be tested."""
        return len(self.images) - len(self.unscored)

    def divided(self, asked: Asked) -> list[Division]:
        """How these people are divided, once or for each fold; StudyError if they are too few."""
        if asked.test is None:
            assert asked.folds is not None
            splits = list(fold_people(self.images, asked.folds, asked.split_seed, self.unscored))
        else:
            splits = [split_people(self.images, asked.test, asked.split_seed, self.unscored)]
        if asked.aside:
            splits = [set_aside(split, asked.aside)[0] for split in splits]
        return [
            Division(split, [draw_people(split, asked.validation, seed) for seed in asked.seeds]) for split in splits
        ]

    def lacks(self, asked: Asked) -> str:
        """What is wrong with what is asked of these people, nothing if they are enough."""
        try:
            for division in self.divided(asked):
                for draw in division.draws:
                    draw.training_subset(asked.images)
        except StudyError as error:
            return str(error)
        return ""

    def most_to_learn(self, asked: Asked) -> int:
        """Most pictures that an arm can learn, whatever fold and seed, beside who tests and is held out; 0 if none."""
        try:
            return min(len(draw.train) for division in self.divided(asked) for draw in division.draws)
        except StudyError:
            return 0

    def largest(self, asked: Asked) -> dict[str, int]:
        """Of ``test``, ``validation`` and ``images`` the largest that fits, the others being as asked; 0 if none.

        With folds everybody tests, and ``test`` is not there.
        """

        def fits(changed: Asked) -> bool:
            return self.most_to_learn(changed) >= changed.images

        test = {} if asked.test is None else {"test": _largest(lambda n: fits(replace(asked, test=n)), self.scored)}
        return {
            **test,
            "validation": _largest(lambda n: fits(replace(asked, validation=n)), self.scored),
            "images": self.most_to_learn(asked),
        }

    def smallest_test(self, asked: Asked, groups: int = FEWEST_GROUPS) -> int | None:
        """Fewest test pictures that are of so many groups; None if there are not as many groups."""

        def too_few(test: int) -> bool:
            drawn = split_people(self.images, test, asked.split_seed, self.unscored).test
            return len(self.groups_of(drawn)) < groups

        test = _largest(too_few, self.scored) + 1
        return test if test <= self.scored else None

    def tested_groups(self, asked: Asked) -> np.ndarray:
        """How many pictures of each group are tested, in all folds together; StudyError if there are too few people."""
        tested = [one for division in self.divided(asked) for one in division.split.test]
        return self.images.loc[self.images["image_id"].isin(tested), "group"].value_counts().to_numpy()

    def groups_of(self, image_ids: Collection[str]) -> set[str]:
        """The groups that these pictures are of."""
        return set(self.images.loc[self.images["image_id"].isin(image_ids), "group"])

    def parts(self, asked: Asked) -> pd.DataFrame:
        """What each part gets: ``part``, ``pictures``, ``groups``, the last two ranges over folds and seeds, such as
        80 to 82.

        StudyError if there are too few people.
        """
        divisions = self.divided(asked)
        draws = [(division.split, draw) for division in divisions for draw in division.draws]
        parts: dict[str, list[Collection[str]]] = {
            "test": [division.split.test for division in divisions],
            "validation": [draw.validation for _, draw in draws],
            "left to learn": [draw.train for _, draw in draws],
            "of these never tested": [[one for one in draw.train if one in self.unscored] for _, draw in draws],
        }
        rows = [
            (part, _range(len(ids) for ids in own), _range(len(self.groups_of(ids)) for ids in own))
            for part, own in parts.items()
        ]
        dropped = _range(split.dropped + draw.dropped for split, draw in draws)
        return pd.DataFrame([*rows, ("dropped", dropped, "")], columns=["part", "pictures", "groups"])


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number up to ``most`` that fits, where every smaller one does; 0 if none."""
    return bisect_left(range(1, most + 1), True, key=lambda n: not fits(n))


def _range(numbers: Iterable[int]) -> str:
    found = list(numbers)
    low, high = min(found), max(found)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
