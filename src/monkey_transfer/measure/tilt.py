"""How far people are tilted, and what networks score among the upright and the tilted.

The paper hopes that monkeys, who climb and hang, help with people whose poses are unusual. What is unusual for a
network is first of all a body that does not stand upright in the picture. How far it is tilted follows from labels
alone, so that no network has a say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics.estimate import FEWEST_GROUPS, Estimate, estimate
from monkey_transfer.metrics.headline import scores_and_errors
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT

# Everybody, also those whose tilt is not known.
ALL = "all"
# Up to so many degrees a person is upright; from more than the second on, tilted. Ours, said before the runs.
TILTS = ("upright", "between", "tilted")
_ENDS = (0, 60, 120, 180)
_NEEDED = ("upper_neck", "left_hip", "right_hip")


def tilt_of(people: Dataset) -> pd.Series:
    """By ``image_id``, degrees between up and the way from the middle of the hips to the neck, 0 to 180.

    Labels alone decide, in pixels of the original image. NaN for a person of whom one of the three is not labelled, and
    for everybody where the skeleton lacks one.
    """
    own, labels = people.skeleton.keypoint_of, people.labels
    ids = pd.Index(people.images["image_id"], name="image_id")
    if not all(landmark in own for landmark in _NEEDED):
        return pd.Series(np.nan, ids, name="tilt")
    of_three = labels[labels["keypoint"].isin([own[landmark] for landmark in _NEEDED])]
    places = of_three.pivot(index="image_id", columns="keypoint", values=["x", "y"]).reindex(ids)
    x, y = (
        places[axis][own["upper_neck"]] - (places[axis][own["left_hip"]] + places[axis][own["right_hip"]]) / 2
        for axis in ("x", "y")
    )
    return np.degrees(np.arctan2(x, -y)).abs().rename("tilt")


def tilt_groups(tilt: pd.Series) -> pd.Series:
    """One of :data:`TILTS` by ``image_id``; those whose tilt is not known are left out."""
    return pd.cut(tilt, _ENDS, labels=TILTS, include_lowest=True).dropna().astype(str)


@dataclass(frozen=True)
class ByTilt:
    """Scores among everybody and by tilt, all on the same resamples of people.

    Attributes
    ----------
    people : how many there are of :data:`ALL` and of each of :data:`TILTS`.
    among : the same -> networks on their joints alone, with the PCK scores and the shares of errors; groups of fewer
        people than an interval takes are left out.
    """

    people: Mapping[str, int]
    among: Mapping[str, Scores]

    @property
    def points(self) -> Collection[Point]:
        """Whose networks these are."""
        return self.among[ALL].runs

    def contrast(self, weights: Mapping[Point, float]) -> dict[str, dict[str, Estimate]]:
        """Among whom -> metric -> :meth:`monkey_transfer.measure.scores.Scores.contrast` among them.

        Besides :data:`ALL` and :data:`TILTS` there is 'tilted - upright', how much more it is among the tilted: the
        interaction of arm and tilt. Of groups with too few people the value is NaN, and the note says so.
        """
        found = {group: scores.contrast(weights) for group, scores in self.among.items()}
        few = {group: f"too few {group} people" for group in TILTS if group not in self.among}
        for group, note in few.items():
            found[group] = _unknown(found[ALL], note)
        lacking = [few[group] for group in ("tilted", "upright") if group in few]
        found[TILTED_LESS_UPRIGHT] = _unknown(found[ALL], lacking[0]) if lacking else self._interaction(weights)
        return {group: found[group] for group in (ALL, *TILTS, TILTED_LESS_UPRIGHT)}

    def _interaction(self, weights: Mapping[Point, float]) -> dict[str, Estimate]:
        tilted, upright = self.among["tilted"], self.among["upright"]
        # The difference is no surer than the smaller of its two groups lets it be.
        groups = min(of.groups(next(iter(weights)), of.shared_keypoints(*weights)) for of in (tilted, upright))
        more, less = tilted.summed(weights), upright.summed(weights)
        return {
            metric: estimate([x.minus(y) for x, y in zip(more[metric], less[metric], strict=True)], groups)
            for metric in more
            if metric in less
        }


def by_tilt(runs: Mapping[Point, Sequence[Matched]], people: Dataset) -> ByTilt:
    """The networks of some points by tilt of the people that they were tried on, all of whom are in ``people``."""
    groups = tilt_groups(tilt_of(people))
    ids = {ALL: pd.Index(people.images["image_id"])} | {group: groups.index[groups == group] for group in TILTS}
    among = {
        group: Scores(
            {point: [_joints_of(run, own) for run in of_seeds] for point, of_seeds in runs.items()}, scores_and_errors
        )
        for group, own in ids.items()
        if group == ALL or len(own) >= FEWEST_GROUPS
    }
    return ByTilt({group: len(own) for group, own in ids.items()}, among)


def _joints_of(run: Matched, image_ids: pd.Index) -> Matched:
    """With the joints of some people alone; all people stay, so that the same are drawn whoever is looked at."""
    return replace(run, joints=run.joints[run.joints["image_id"].isin(image_ids)].reset_index(drop=True))


def _unknown(like: Mapping[str, Estimate], note: str) -> dict[str, Estimate]:
    nan = float("nan")
    return {metric: Estimate(nan, nan, nan, nan, nan, one.seeds, one.over, note) for metric, one in like.items()}
