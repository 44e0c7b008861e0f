"""Scores are measured once: whom an arm is beside changes nothing, and each seed has people and a floor of its own."""

from dataclasses import replace

import by_hand
import numpy as np
import pytest
from metric_tables import matched as matched_errors

from monkey_transfer.errors import StudyError
from monkey_transfer.measure.scores import (
    Point,
    Scores,
    as_committed,
    evaluated,
    floor,
    of_networks,
)
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched

TRANSFER, CONTROL, LONGER = (Point(arm, 3) for arm in ("transfer", "scratch_control", "scratch_longer"))
FEW = Point("transfer", 1)


@pytest.fixture
def by_three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture(scope="module")
def scores():
    with by_hand.enough() as results:
        yield results.scores


def network(hits: list[int], keypoints: tuple[str, ...] = ("right_wrist", "left_wrist")) -> Matched:
    """Of people with two joints each, of whom it finds so many."""
    errors = [(0 if joint < found else 99, 0) for found in hits for joint in range(2)]
    people = [f"p{number}" for number in range(len(hits)) for _ in range(2)]
    return matched_errors(errors, np.ones(len(errors)), people, keypoints * len(hits))


def test_points_of_a_study(by_three):
    assert list(by_three.scores.runs) == [
        Point("baseline", 2),
        Point("benchmark", 7),
        *[Point("transfer", images) for images in (1, 3)],
        *[Point("scratch_control", images) for images in (1, 3, 7)],
        Point("mean_pose", 0),
    ]
    assert {len(of_seeds) for of_seeds in by_three.scores.runs.values()} == {3}


def test_a_difference_turned_round_has_the_other_sign(scores):
    ours, theirs = scores.compare(TRANSFER, CONTROL)["pckh"], scores.compare(CONTROL, TRANSFER)["pckh"]
    assert (ours.value, ours.low, ours.high) == pytest.approx((-theirs.value, -theirs.high, -theirs.low))
    assert (ours.standard_error, ours.freedom) == pytest.approx((theirs.standard_error, theirs.freedom))
    assert ours.value > 0


def test_other_arms_change_no_number(scores):
    pair = Scores({point: scores.runs[point] for point in (CONTROL, FEW)}, pck_scores)
    for metric in ("pckh", "pckh/wrist", "pckh/area"):
        assert pair.compare(FEW, CONTROL)[metric] == scores.compare(FEW, CONTROL)[metric]
        assert pair.of(FEW)[metric] == scores.of(FEW)[metric]


def test_seeds_are_paired(scores):
    """The same three networks in another order: a mean of the same, and another scatter of what the pairs differ by."""
    turned = Scores({FEW: scores.runs[FEW][::-1], CONTROL: scores.runs[Point("scratch_control", 1)]}, pck_scores)
    ours = Scores({FEW: scores.runs[FEW], CONTROL: scores.runs[Point("scratch_control", 1)]}, pck_scores)
    # 37.5 - 12.5, 25 - 25, 12.5 - 0 against 12.5 - 12.5, 25 - 25, 37.5 - 0.
    assert ours.compare(FEW, CONTROL)["pckh"].value == pytest.approx(12.5)
    assert turned.compare(FEW, CONTROL)["pckh"].value == pytest.approx(12.5)
    assert ours.compare(FEW, CONTROL)["pckh"].standard_error < turned.compare(FEW, CONTROL)["pckh"].standard_error


def test_people_of_one_group_are_resampled_together():
    """Twenty people in ten pairs who do alike are ten people: more is not known of them."""
    hits = [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0]
    alone = network(hits)
    groups = [f"g{number // 2}" for number in range(len(hits))]
    together = replace(alone, people=alone.people.assign(group=groups))
    point = Point("arm", 1)
    apart, paired = (Scores({point: [run]}, pck_scores).of(point)["pckh"] for run in (alone, together))
    assert (apart.freedom, paired.freedom) == (19, 9)
    of_groups = np.array(hits[::2]) / 2 * 100
    assert paired.standard_error == pytest.approx(np.std(of_groups, ddof=1) / np.sqrt(10), rel=0.06)


def test_predictions_are_measured_with_the_precision_with_which_they_are_kept(by_three):
    """With the last seed transfer misses Ann's head by 5 pixels and a ten millionth, where 5 are correct."""
    study = by_three.study
    run = study.finished_run("transfer", 2, 3)
    kept = as_committed(run.predictions()).set_index(["image_id", "keypoint"]).loc[("ann", "head_top")]
    assert run.predictions().set_index(["image_id", "keypoint"]).loc[("ann", "head_top"), "x"] != kept["x"] == 63
    assert (
        evaluated(study, Point("transfer", 3), 2)
        .joints.query("image_id == 'ann' and keypoint == 'head_top'")["correct"]
        .all()
    )


def test_a_threshold_is_chosen_on_the_validation_people_of_the_seed(by_three):
    """On the test people it would be 0.75 with each seed. The second seed's rests on an error of 5 pixels and a ten
    millionth that is kept as 5."""
    study = by_three.study
    chosen = [evaluated(study, Point("transfer", 3), seed).threshold for seed in (0, 1, 2)]
    assert chosen == [0.875, 0.75, 0.75]
    runs = [study.runs_of("transfer", seed)[0] for seed in (0, 1, 2)]
    assert [study.threshold_people(run) for run in runs] == [("max",), ("eve",), ("hal",)]


def test_each_seed_has_its_floor(by_three):
    """The mean pose of three people is Ann's own, and 20 pixels to its right and left."""
    for seed, off in enumerate([(0, 0), (20, 0), (-20, 0)]):
        joints = floor(by_three.study, seed).joints
        of_ann = joints[joints["image_id"] == "ann"]
        np.testing.assert_allclose(of_ann[["dx", "dy"]].to_numpy(), [off] * 4, atol=1e-5)
    runs = by_three.scores.runs[Point("mean_pose", 0)]
    assert [run.joints["correct"].sum() for run in runs] == [5, 3, 0]


def test_single_networks_stand_beside_the_floor_of_their_seed(by_three):
    study = by_three.study
    runs = {arm: study.finished_run(arm, 1, 3) for arm in ("transfer", "scratch_control")}
    found = of_networks(study, runs.values())
    values = {point: found.of(point)["pckh"].value for point in found.runs}
    assert values == {
        Point("transfer", 3): 100 * 6 / 8,
        Point("scratch_control", 3): 100 * 5 / 8,
        Point("mean_pose", 0): 100 * 2 / 8,
    }
    assert found.of(Point("transfer", 3))["pckh"].over == "people"


def test_arms_that_cannot_be_compared():
    one, other = network([1, 2]), network([2, 1])
    with pytest.raises(StudyError, match="as many networks of each arm as of the others, got 2 of a n1, 1 of b n1"):
        Scores({Point("a", 1): [one, one], Point("b", 1): [other]}, pck_scores)
    with pytest.raises(StudyError, match=r"arms 'a n1 \(run 0\)' and 'b n1 \(run 0\)' were evaluated on different"):
        Scores({Point("a", 1): [one], Point("b", 1): [network([1, 2, 0])]}, pck_scores)
    knees = network([1, 2], ("right_knee", "left_knee"))
    pair = Scores({Point("a", 1): [one], Point("b", 1): [knees]}, pck_scores)
    with pytest.raises(StudyError, match="arms a and b share no keypoint"):
        pair.compare(Point("a", 1), Point("b", 1))
