"""What monkeys are worth follows what was put in, and whether the method cries wolf is tried with the names swapped."""

from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import by_hand
import numpy as np
import pytest
from scipy.stats import t

from monkey_transfer.measure.controls import TRIALS, equivalents, swapped_names
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics.headline import pck_scores

TRANSFER, CONTROL = Point("transfer", 3), Point("scratch_control", 3)


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


def grouped(scores: Scores, group_of: Callable[[int], int]) -> Scores:
    """The same networks on people of other groups, by the number of the person."""

    def regrouped(run):
        names = [f"video {group_of(person)}" for person in range(len(run.people))]
        return replace(run, people=run.people.assign(group=names))

    runs = {point: [regrouped(run) for run in of_seeds] for point, of_seeds in scores.runs.items()}
    return Scores(runs, pck_scores)


# In labelled people: the control has 12.5 % with 2 of them and 37.5 % with 4


def test_half_way_between_two_numbers_is_half_way_on_a_logarithmic_scale(enough):
    """Transfer has 25 % with 2 labelled people, 62.5 % with 4: the first is worth sqrt(2 x 4) of the control's."""
    table = equivalents(enough).set_index(["arm", "images"])
    assert list(table.index) == [("transfer", 1), ("transfer", 3), ("scratch_longer", 3)]
    assert table["people"].tolist() == [2, 4, 4]
    assert table["equivalent"].tolist() == pytest.approx([sqrt(8), np.inf, np.inf])
    assert table.loc[("transfer", 1), "low"] < sqrt(8) < table.loc[("transfer", 1), "high"]


def test_a_bound_is_no_surer_than_the_difference(enough):
    """With one image the difference is not shown, so 2 people may do. With three it is, against the control's most."""
    table = equivalents(enough).set_index(["arm", "images"])
    pairs = enough.comparisons[enough.comparisons["metric"] == "pckh"].set_index(["arm_a", "arm_b", "images_a"])
    assert pairs.sort_index().loc[("transfer", "scratch_control", 1), "low"].item() < 0
    assert table.loc[("transfer", 1), "low"] <= 2
    assert pairs.sort_index().loc[("transfer", "scratch_control", 3), "low"].item() > 0
    assert table.loc[("transfer", 3), "low"] > 3


def test_the_control_and_the_benchmark_are_worth_nothing_in_themselves(enough):
    assert not {"scratch_control", "benchmark", "baseline", "mean_pose"} & set(equivalents(enough)["arm"])


def test_one_number_of_people_is_no_curve(enough):
    arms = dict(enough.study.profile.arms)
    arms["scratch_control"] = arms["scratch_control"].model_copy(update={"images": 3})
    profile = enough.study.profile.model_copy(update={"arms": arms})
    assert equivalents(replace(enough, study=by_hand.with_data(enough.study, profile=profile))).empty


# Names that are swapped


def by_other_means(enough: Results) -> float:
    """The share of trials in which a t interval, of the ratio linearised, excludes zero."""
    apart = np.repeat([2.0, -1.0, 1.0], by_hand.COPIES)  # in joints, of Ann, Bob and Cid
    joints = np.repeat([3.0, 3.0, 2.0], by_hand.COPIES)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(apart), TRIALS))
    differences = signs * apart[:, None]
    ratio = differences.sum(axis=0) / joints.sum()
    # As many as joints of one size would be.
    groups = joints.sum() ** 2 / np.sum(joints**2)
    squares = np.sum((differences - ratio * joints[:, None]) ** 2, axis=0) / joints.sum() ** 2
    error = np.sqrt(squares * groups / (groups - 1))
    return float(np.mean(np.abs(ratio) > t.ppf(0.975, groups - 1) * error))


def test_names_that_are_swapped_differ_as_often_as_they_should(enough):
    share = swapped_names(enough.scores, TRANSFER, CONTROL)
    assert share == pytest.approx(by_other_means(enough), abs=0.01)
    assert 0.03 <= share <= 0.08
    assert share == swapped_names(enough.scores, TRANSFER, CONTROL)


def test_people_of_one_group_are_one_unit(enough):
    """Fifteen pairs are enough for an interval; seven groups are too few, and so are sixteen of which one has half of
    all people."""
    share = swapped_names(grouped(enough.scores, lambda person: person % 15), TRANSFER, CONTROL)
    assert 0.02 <= share <= 0.09
    assert np.isnan(swapped_names(grouped(enough.scores, lambda person: person % 7), TRANSFER, CONTROL))
    assert np.isnan(swapped_names(grouped(enough.scores, lambda person: max(0, person - 14)), TRANSFER, CONTROL))


def test_arms_that_do_the_same_have_no_interval(enough):
    same = Scores({TRANSFER: enough.scores.runs[TRANSFER], CONTROL: enough.scores.runs[TRANSFER]}, pck_scores)
    assert np.isnan(swapped_names(same, TRANSFER, CONTROL))
