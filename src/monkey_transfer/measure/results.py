"""The numbers of a study, each made once: scores, comparisons, budgets and the leak audit.

Chapters 5 and 6, the answer page and the tables of a report read them from here.
"""

from dataclasses import dataclass
from functools import cached_property, partial

import pandas as pd

from monkey_transfer.measure import paper
from monkey_transfer.measure.angles import angles_of
from monkey_transfer.measure.budgets import budgets
from monkey_transfer.measure.ceiling import measure_ceiling
from monkey_transfer.measure.choice import choice_of
from monkey_transfer.measure.comparisons import comparisons
from monkey_transfer.measure.elsewhere import elsewhere_comparisons, elsewhere_scores, elsewhere_table
from monkey_transfer.measure.leaks import audited, may_have_seen
from monkey_transfer.measure.scores import (
    FLOOR,
    Point,
    Scores,
    by_yardstick,
    in_network_frame,
    people_of,
    read_scores,
    shown_points,
)
from monkey_transfer.measure.where_it_helps import measure_where_it_helps
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.study.opening import Study

# Arms that figures of single networks draw: the paper's three, their controls and the floor. Tables have all arms.
DRAWN = ("baseline", "benchmark", "transfer", "imagenet_control", "scratch_control", "superanimal_control", MEAN_POSE)
# What source networks learn, where its name in the profile does not say it.
_IN_WORDS = {"source": "monkeys", "set_aside": "other people"}


@dataclass(frozen=True)
class Results:
    """What :func:`measure` gives.

    Attributes
    ----------
    study : whose numbers these are.
    scores : every arm, number of images and seed beside the labels.
    table : every score of every point: arm, images, people, metric, value, low, high and how they were made.
    comparisons : see :func:`monkey_transfer.measure.comparisons.comparisons`.
    budgets : what each run was given: see :func:`monkey_transfer.measure.budgets.budgets`.
    leaks : how many test people each arm may have seen: see :func:`monkey_transfer.measure.leaks.audited`.
    may_have_seen, pixel_errors, readings, where_it_helps, ceiling, choice, angles : what functions make of these, made
        when it is first asked for.
    elsewhere_scores, elsewhere, elsewhere_comparisons : of the people of another data set: scores, table and
        differences (:mod:`monkey_transfer.measure.elsewhere`); the tables are empty where the profile names none.
    """

    study: Study
    scores: Scores
    table: pd.DataFrame
    comparisons: pd.DataFrame
    budgets: pd.DataFrame
    leaks: pd.DataFrame

    may_have_seen = cached_property(lambda self: may_have_seen(self.leaks))
    pixel_errors = cached_property(lambda self: pixel_table(self.study, self.scores))
    readings = cached_property(lambda self: readings(self.study))
    elsewhere_scores = cached_property(lambda self: elsewhere_scores(self.study))
    where_it_helps = cached_property(lambda self: measure_where_it_helps(self.study, self.scores))
    ceiling = cached_property(lambda self: measure_ceiling(self.study))
    choice = cached_property(lambda self: choice_of(self.study, self.scores, self.ceiling))
    angles = cached_property(lambda self: angles_of(self.study, self.scores))

    @cached_property
    def elsewhere(self) -> pd.DataFrame:
        return elsewhere_table(self.study, self.elsewhere_scores) if self.study.elsewhere else pd.DataFrame()

    @cached_property
    def elsewhere_comparisons(self) -> pd.DataFrame:
        return elsewhere_comparisons(self.study, self.elsewhere_scores) if self.study.elsewhere else pd.DataFrame()

    def drawn_networks(self) -> dict[str, Matched]:
        """The first seed's network of each arm of :data:`DRAWN`, as it is shown."""
        points = [*shown_points(self.study), FLOOR]
        return {point.arm: self.scores.runs[point][0] for point in points if point.arm in DRAWN}

    @property
    def of_people(self) -> pd.DataFrame:
        """The rows of ``table`` of arms that learn people, and of the floor: those of a learning curve."""
        arms = [name for name, arm in self.study.profile.arms.items() if arm.learns == "target"]
        return self.table[self.table["arm"].isin([*arms, MEAN_POSE])]

    @property
    def pose_networks(self) -> list[str]:
        """The arms that one would use on people: those that learn them, and finished networks."""
        return [name for name in self.study.profile.arms if not self.study.profile.is_source_network(name)]

    def people(self, point: Point) -> int:
        """How many labelled people a point takes; of a source network, how many of what it learns."""
        return people_of(self.study, point)

    def labelled(self, point: Point) -> str:
        """The same as a reader sees it, such as '1,000', '500 monkeys' or '500 dogs'."""
        arm = self.study.profile.arms.get(point.arm)
        what = f" {_IN_WORDS.get(arm.learns, arm.learns)}" if arm and arm.learns_a_source else ""
        return f"{self.people(point):,}{what}"

    def iterations_in_all(self, point: Point) -> float:
        """Iterations of a point's training and of those that it started from, the mean over seeds."""
        own = (self.budgets["arm"] == point.arm) & (self.budgets["images"] == point.images)
        return float(self.budgets.loc[own, "iterations_in_all"].mean())


def measure(study: Study) -> Results:
    """Measure every arm of a study whose runs are all finished; StudyError if one is not."""
    scores = read_scores(study)
    table = scores.table(partial(people_of, study))
    return Results(study, scores, table, comparisons(study, scores), budgets(study), audited(study))


def pixel_table(study: Study, scores: Scores) -> pd.DataFrame:
    """Errors in pixels of the labelled picture and of the one that the network saw: the scores table and ``frame``."""
    frames = {"original px": scores, "network px": in_network_frame(study, scores)}
    parts = [found.table(partial(people_of, study)).assign(frame=frame) for frame, found in frames.items()]
    both = pd.concat(parts, ignore_index=True)
    return both[both["metric"].str.contains("rmse|mean_distance")].reset_index(drop=True)


def readings(study: Study) -> pd.DataFrame:
    """PCK by each head yardstick that the target has, every arm as it is shown.

    The paper's "head segment length" (section 2.5) can be read either way. The scores table and ``yardstick``.
    """
    known = set(study.test_people.reference_lengths["name"])
    parts = [
        by_yardstick(study, yardstick).table(partial(people_of, study)).assign(yardstick=yardstick)
        for yardstick in ("head_size", "head_segment")
        if yardstick in known
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def beside_the_paper(results: Results) -> pd.DataFrame:
    """The fifteen numbers of the paper's Table 1 beside ours, each arm at its largest number of images.

    Returns one row per number: ``metric`` (in words), ``arm``, ``paper``; of ours, on each arm's own joints and with
    errors in original pixels, ``value``, ``low``, ``high``, ``note`` and ``minus_paper``.
    """
    most = {name: results.study.profile.arm(name).largest for name in paper.TABLE_ONE}
    ours = results.table[results.table["images"] == results.table["arm"].map(most)].set_index(["metric", "arm"])
    numbers_of = ours[["value", "low", "high", "note"]].to_dict("index")
    rows = [
        {"metric": name, "arm": arm, "paper": numbers[metric], **numbers_of[metric, arm]}
        for metric, name in paper.TABLE_ONE_ROWS.items()
        for arm, numbers in paper.TABLE_ONE.items()
    ]
    table = pd.DataFrame(rows)
    return table.assign(minus_paper=table["value"] - table["paper"])


def shown(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of a scores table in which every arm is at the number of images at which it is shown; the floor too."""
    images = dict([*shown_points(study), FLOOR])
    return table[table["images"] == table["arm"].map(images)]
