from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import KEYPOINTS, arms, matched, repeated, values
from scipy.integrate import trapezoid
from sklearn.metrics import average_precision_score, roc_auc_score

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection, oks, pckh
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.headline import headline, pck_scores, pixel_errors
from monkey_transfer.metrics.matching import Matched, in_frame, refuse_different_people

RIGHT, WRONG = (0, 0), (9, 0)
NAN = float("nan")


def everyone(arm: Matched, threshold: float = 0.5) -> dict[str, float]:
    return values(headline(replace(arm, threshold=threshold)), np.ones(arm.people["group"].nunique(), int))


def by_definition(arm: Matched, threshold: float) -> dict[str, float]:
    """Every number as docs/metrics.md defines it, without OKS (test_metrics_oks.py)."""
    joints, scored = arm.joints, pckh.scored(arm.joints)
    groups = pckh.joint_groups(scored["keypoint"])
    curve = pckh.curve(scored, pckh.curve_thresholds("head_size"))
    correct, confidence = joints["correct"], joints["likelihood"]
    bins = np.minimum(np.floor(confidence * 10), 9).astype(int)
    gaps = (correct - confidence).groupby(bins).sum().abs()
    kinds = joints["error"].value_counts(normalize=True)
    best = detection.threshold_of(joints)
    paper, ours = detected(joints, best), detected(joints, threshold)
    return {
        **{f"pckh{at}": pckh.pck(scored, part) for at, part in {"": 0.5, "@0.1": 0.1, "@0.2": 0.2}.items()},
        **{f"pckh/{group}": pckh.pck(scored[groups == group], 0.5) for group in groups.unique() if group != "other"},
        "pckh/area": trapezoid(curve["pck"], curve["threshold"]) / 0.5,
        "normalised_mean": joints["floored"].mean(),
        "normalised_median": np.sort(joints["floored"])[(len(joints) - 1) // 2],
        "mean_distance": joints["distance"].mean(),
        **root_mean_squares(joints),
        **{f"errors/{kind}": 100 * kinds.get(kind, 0.0) for kind in ERROR_TYPES},
        "expected_calibration_error": gaps.sum() / len(joints),
        **{f"calibration/{number}": correct[bins == number].mean() for number in bins.unique()},
        "auc": roc_auc_score(correct, confidence) if correct.nunique() > 1 else NAN,
        "average_precision": average_precision_score(correct, confidence) if correct.any() else NAN,
        "best_f1": paper["f1"] if correct.any() else 0,
        "best_f1/threshold": best,
        "kept": ours["f1"],
        "kept/threshold": threshold,
        "kept/f1_over_all_labelled": ours["f1_over_all_labelled"],
        **{
            f"{way}/{name}": numbers[name]
            for way, numbers in {"best_f1": paper, "kept": ours}.items()
            for name in ("precision", "recall_over_own_correct", "recall_over_all_labelled", *root_mean_squares(joints))
        },
    }


def root_mean_squares(joints: pd.DataFrame) -> dict[str, float]:
    squares = joints[["dx", "dy", "distance"]] ** 2
    return dict(zip(("rmse_x", "rmse_y", "rmse_distance"), np.sqrt(squares.mean()), strict=True))


def detected(joints: pd.DataFrame, threshold: float) -> dict[str, float]:
    """All numbers of the predictions that are kept; NaN where there are none."""
    kept = joints[joints["likelihood"] >= threshold]
    right, own = kept["correct"].sum(), joints["correct"].sum()
    if kept.empty:
        right = NAN
    numbers = {
        "precision": right / len(kept) if len(kept) else NAN,
        "recall_over_own_correct": right / own if own else NAN,
        "recall_over_all_labelled": right / len(joints),
        "f1": 2 * right / (len(kept) + own) if len(kept) else NAN,
        "f1_over_all_labelled": 2 * right / (len(kept) + len(joints)),
    }
    return numbers | root_mean_squares(kept)


@settings(deadline=None, max_examples=40)
@given(arms(), st.sampled_from([0.0, 0.25, 0.6, 1.0, NAN]))
def test_every_number_is_what_its_definition_says(arm, threshold):
    expected = by_definition(arm, threshold) | values(oks.statistic(arm), [1] * len(arm.people))
    assert everyone(arm, threshold) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(arms(), st.data())
def test_a_person_with_weight_two_counts_like_two_people(arm, data):
    count = len(arm.people)
    weights = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).filter(any))
    expected = everyone(repeated(arm, weights))
    found = values(headline(arm), weights)
    emptied = dict.fromkeys(found.keys() - expected.keys(), np.nan)  # bins whose people all have weight 0
    assert all(metric.startswith("calibration/") for metric in emptied)
    assert found == pytest.approx(expected | emptied, nan_ok=True, abs=1e-12)


def test_weightings_do_not_disturb_each_other():
    arm = matched(np.random.default_rng(0).normal(0, 5, (300, 2)), np.linspace(0, 1, 300), area=900.0)
    weights = np.random.default_rng(1).integers(0, 3, (40, 300))
    together = headline(arm)(weights)
    for row, weighting in enumerate(weights):
        alone = values(headline(arm), weighting)
        assert {metric: value[row] for metric, value in together.items()} == pytest.approx(alone, nan_ok=True)


def test_nobody_drawn_is_nothing_known():
    found = values(headline(matched([RIGHT, WRONG], [0.9, 0.2], area=900.0)), [0, 0])
    assert found.pop("kept/threshold") == 0.5
    assert np.isnan([*found.values()]).all()


def test_root_mean_squares_and_means_by_hand():
    found = everyone(matched([(3, 4), (0, 5), (-3, 0)], [1, 1, 1]))
    assert found["rmse_x"] == pytest.approx(np.sqrt(18 / 3))
    assert found["rmse_y"] == pytest.approx(np.sqrt(41 / 3))
    assert found["rmse_distance"] == pytest.approx(np.sqrt(59 / 3))
    assert found["mean_distance"] == pytest.approx(13 / 3)
    assert found["normalised_mean"] == pytest.approx(1.3 / 3)
    assert found["normalised_median"] == 0.5


def test_smaller_thresholds_by_hand():
    # 0.1, 0.15, 0.2 and 0.5 of a head: at most counts.
    found = everyone(matched([(1, 0), (1.5, 0), (2, 0), (5, 0), (5.1, 0)], [1] * 5))
    assert [found[name] for name in ("pckh@0.1", "pckh@0.2", "pckh")] == pytest.approx([20, 60, 80])


def test_the_area_of_one_joint():
    # Right from 0.2 of a head on: 31 of 51 thresholds, and half a step of the trapezoid before the first.
    assert everyone(matched([(2, 0)], [1]))["pckh/area"] == pytest.approx(100 * 30.5 / 50)


@pytest.mark.parametrize(
    "weights, median",
    [
        ([1, 1, 1, 1], 0.2),  # of an even number the lower one: two of four are at most 0.2
        ([1, 1, 1, 0], 0.2),
        ([1, 1, 3, 0], 0.4),  # 0.1 0.2 0.4 0.4 0.4
        ([4, 1, 1, 1], 0.1),
        ([0, 0, 0, 2], 0.8),
        ([3, 0, 0, 3], 0.1),
        ([3, 0, 0, 4], 0.8),
    ],
)
def test_the_weighted_median_by_hand(weights, median):
    arm = matched([(1, 0), (2, 0), (4, 0), (8, 0)], [1] * 4)
    assert values(headline(arm), weights)["normalised_median"] == median


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_half_of_the_weight_is_at_most_the_median_and_not_less(people, seed):
    rng = np.random.default_rng(seed)
    arm = matched(np.column_stack([rng.integers(0, 40, people), np.zeros(people)]), np.ones(people))
    weights = rng.integers(0, 4, (5, people)) * (rng.random((5, people)) < 0.7)
    weights[:, 0] += 1
    errors = arm.joints["floored"].to_numpy()
    for weighting, median in zip(weights, headline(arm)(weights)["normalised_median"], strict=True):
        half = weighting.sum() / 2
        assert weighting[errors <= median].sum() >= half > weighting[errors < median].sum()


def test_a_floored_yardstick_changes_normalised_errors_and_no_pck():
    arm = matched([(3, 0), (9, 0), (2, 0)], [1] * 3)
    floored = replace(arm, joints=arm.joints.assign(floored=[0.3, 0.3, 0.2]))
    before, after = everyone(arm), everyone(floored)
    assert (before["normalised_mean"], after["normalised_mean"]) == pytest.approx((1.4 / 3, 0.8 / 3))
    assert after["normalised_median"] == 0.3
    changed = {metric for metric in before if before[metric] != after[metric]}
    assert changed == {"normalised_mean"}


def test_what_is_kept_by_a_threshold_from_elsewhere_by_hand():
    # Kept are 0.9 right, 0.8 right, 0.7 wrong; not 0.4 right, 0.2 wrong.
    arm = matched([(3, 4), RIGHT, (6, 8), (0, 1), WRONG], [0.9, 0.8, 0.7, 0.4, 0.2])
    found = {metric: value for metric, value in everyone(arm, 0.7).items() if metric.startswith("kept")}
    assert found == pytest.approx(
        {
            "kept/threshold": 0.7,
            "kept": 2 * (2 / 3) * (2 / 3) / (2 / 3 + 2 / 3),
            "kept/precision": 2 / 3,
            "kept/recall_over_own_correct": 2 / 3,
            "kept/recall_over_all_labelled": 2 / 5,
            "kept/f1_over_all_labelled": 2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5),
            "kept/rmse_x": np.sqrt((9 + 36) / 3),
            "kept/rmse_y": np.sqrt((16 + 64) / 3),
            "kept/rmse_distance": np.sqrt((25 + 100) / 3),
        }
    )
    assert everyone(arm)["best_f1/threshold"] == 0.4
    for nothing in (0.91, NAN):
        kept = {metric: value for metric, value in everyone(arm, nothing).items() if metric.startswith("kept")}
        assert kept.pop("kept/threshold") == pytest.approx(nothing, nan_ok=True)
        assert np.isnan([*kept.values()]).all()


@settings(deadline=None, max_examples=20)
@given(arms())
def test_on_the_same_people_the_papers_own_threshold_is_the_best(arm):
    best = detection.threshold_of(arm.joints)
    found = everyone(arm, best)
    for name in ("threshold", "precision", "recall_over_own_correct", "recall_over_all_labelled", "rmse_distance"):
        assert found[f"kept/{name}"] == pytest.approx(found[f"best_f1/{name}"], nan_ok=True)
    if arm.joints["correct"].any():
        assert found["kept"] == pytest.approx(found["best_f1"])
        others = [everyone(arm, threshold)["kept"] for threshold in (0.0, 0.25, 0.9)]
        assert np.nanmax(others) <= found["best_f1"] + 1e-12


def test_only_what_is_kept_at_the_best_f1_counts_there():
    found = everyone(matched([(3, 0), (1, 0), (40, 0), (60, 0)], [0.9, 0.8, 0.3, 0.2]))
    assert found["best_f1/rmse_distance"] == pytest.approx(np.sqrt(10 / 2))
    assert found["rmse_distance"] > 30


def test_errors_by_type_are_shares_of_all_joints():
    arm = matched([RIGHT, WRONG, WRONG, WRONG], [1] * 4, people=["a", "a", "b", "b"], keypoints=KEYPOINTS[:2] * 2)
    arm.joints["error"] = ["correct", "swap", "miss", "swap"]
    found = values(headline(arm), [1, 3])
    shares = {kind: found[f"errors/{kind}"] for kind in ERROR_TYPES}
    assert shares == {"correct": 12.5, "swap": 50, "inversion": 0, "jitter": 0, "miss": 37.5}


@settings(deadline=None, max_examples=20)
@given(arms(), st.data())
def test_shares_of_errors_sum_to_a_hundred_for_any_weighting(arm, data):
    count = len(arm.people)
    weights = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).filter(any))
    found = values(headline(arm), weights)
    assert sum(found[f"errors/{kind}"] for kind in ERROR_TYPES) == pytest.approx(100)


@settings(deadline=None, max_examples=20)
@given(arms())
def test_distance_squared_is_the_sum_of_the_axes_and_bounds_the_mean(arm):
    found = everyone(arm)
    assert found["rmse_distance"] ** 2 == pytest.approx(found["rmse_x"] ** 2 + found["rmse_y"] ** 2)
    assert found["mean_distance"] <= found["rmse_distance"] * (1 + 1e-12)


@settings(deadline=None, max_examples=20)
@given(arms(), st.data())
def test_a_prediction_that_moves_towards_its_label_never_worsens_pck_or_distance(arm, data):
    row = data.draw(st.integers(0, len(arm.joints) - 1))
    distances = arm.joints[["dx", "dy"]].to_numpy()
    distances[row] *= data.draw(st.sampled_from([0, 0.25, 0.5]))
    moved = matched(distances, arm.joints["likelihood"], arm.joints["image_id"], arm.joints["keypoint"])
    still = matched(arm.joints[["dx", "dy"]], arm.joints["likelihood"], arm.joints["image_id"], arm.joints["keypoint"])
    before, after = everyone(still), everyone(moved)
    for metric in ("pckh", "pckh@0.1", "pckh@0.2", "pckh/area", "errors/correct"):
        assert after[metric] >= before[metric]
    for metric in ("mean_distance", "rmse_distance", "normalised_mean", "normalised_median"):
        assert after[metric] <= before[metric]


def test_other_yardsticks_have_their_own_names_and_thresholds():
    segment = everyone(matched([RIGHT], [1], reference="head_segment"))
    assert {"pck" in name and name for name in segment} >= {"pckh_by_head_segment/wrist", "pckh_by_head_segment@0.2"}
    assert "pckh" not in segment
    torso = everyone(matched([RIGHT], [1], reference="torso"))
    assert {"pck_by_torso", "pck_by_torso@0.1"} <= torso.keys()
    assert "pck_by_torso@0.2" not in torso  # it is the score itself


def test_pck_scores_alone_are_those_of_all():
    arm = matched([RIGHT, WRONG, (1, 0)], [1] * 3, keypoints=["right_wrist", "left_knee", "pelvis"])
    whole = {metric: value for metric, value in everyone(arm).items() if metric.startswith("pckh")}
    assert values(pck_scores(arm), [1, 1, 1]) == whole


def test_groups_are_drawn_whole():
    arm = matched([RIGHT, WRONG, RIGHT], [0.9, 0.8, 0.7])
    videos = replace(arm, people=arm.people.assign(group=["video 2", "video 1", "video 2"]))
    assert values(headline(videos), [3, 1])["pckh"] == pytest.approx(100 * 2 / 5)  # by the groups' sorted names
    assert values(headline(videos), [0, 1])["pckh"] == 100


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    arm = matched(rng.normal(0, 5, (60, 2)), rng.random(60), area=900.0)
    shuffled = replace(arm, joints=arm.joints.sample(frac=1, random_state=1))
    assert everyone(shuffled) == pytest.approx(everyone(arm), nan_ok=True)


def test_what_cannot_be_ranked_is_undefined():
    right, wrong = everyone(matched([RIGHT] * 4, [0.5] * 4)), everyone(matched([WRONG] * 4, [0.5] * 4))
    assert np.isnan(right["auc"])
    assert np.isnan([wrong["auc"], wrong["average_precision"], wrong["best_f1/threshold"]]).all()
    assert wrong["best_f1"] == 0
    assert everyone(matched([RIGHT, RIGHT, WRONG, WRONG], [0.5] * 4))["auc"] == 0.5


def test_a_better_prediction_can_worsen_auc_and_the_papers_recall():
    # The least confident prediction moves onto its label: more joints are found, and ranking looks worse.
    confidence = [0.9, 0.8, 0.7, 0.6, 0.5, 0.1]
    before = everyone(matched([RIGHT, RIGHT, WRONG, WRONG, WRONG, WRONG], confidence))
    after = everyone(matched([RIGHT, RIGHT, WRONG, WRONG, WRONG, RIGHT], confidence))
    assert before["auc"] == 1 > after["auc"]
    assert before["best_f1/recall_over_own_correct"] == 1 > after["best_f1/recall_over_own_correct"]
    assert before["best_f1/recall_over_all_labelled"] == after["best_f1/recall_over_all_labelled"]


def test_calibration_by_hand():
    # Two of mean confidence 0.125, one right; two of 0.975, both right.
    found = everyone(matched([RIGHT, WRONG, RIGHT, RIGHT], [0.1, 0.15, 0.95, 1.0]))
    assert (found["calibration/1"], found["calibration/9"]) == (0.5, 1)
    assert found["expected_calibration_error"] == pytest.approx((0.375 + 0.025) / 2)


def test_another_frame_scales_pixels_and_nothing_else():
    arm = matched([(3, 4), (0, 9), (1, 0)], [0.9, 0.8, 0.2], area=900.0)
    seen = in_frame(arm, pd.Series(2.0, index=arm.people["image_id"]))
    before, after = everyone(arm), everyone(seen)
    pixels = values(pixel_errors(arm), [1, 1, 1])
    assert pixels.keys() == {
        "mean_distance",
        *(f"{way}rmse_{axis}" for way in ("", "best_f1/", "kept/") for axis in ("x", "y", "distance")),
    }
    assert pixels == {metric: before[metric] for metric in pixels}
    assert after == pytest.approx({m: 2 * value if m in pixels else value for m, value in before.items()}, nan_ok=True)
    refuse_different_people({"original": arm, "seen": seen})


@pytest.mark.parametrize("likelihood", [np.nan, -0.1, 1.1])
def test_a_confidence_outside_0_to_1_is_named(likelihood):
    with pytest.raises(StudyError, match="'right_wrist' of picture 'p001'"):
        headline(matched([RIGHT, RIGHT], [0.5, likelihood]))


def test_arms_that_cannot_be_compared_are_refused():
    one, other = matched([RIGHT, RIGHT], [1, 1]), matched([RIGHT, RIGHT, RIGHT], [1, 1, 1])
    with pytest.raises(StudyError, match="'one' and 'other' were evaluated on different people .*'p002'"):
        refuse_different_people({"one": one, "other": other})
    regrouped = replace(one, people=one.people.assign(group="video"))
    with pytest.raises(StudyError, match="different people or groups .*'p000'"):
        refuse_different_people({"one": one, "other": regrouped})
    with pytest.raises(StudyError, match="head_size and torso"):
        refuse_different_people({"one": one, "other": matched([RIGHT, RIGHT], [1, 1], reference="torso")})
    refuse_different_people({"one": one, "again": matched([WRONG, WRONG], [0, 0])})


def test_mean_and_median_of_normalised_errors_are_over_yardsticks_with_a_floor():
    """Of three joints, 3, 4 and 5 px off over 1 px, where the floor of the last one's yardstick is 10 px."""
    one = matched([(3, 0), (4, 0), (5, 0)], [0.5] * 3, length=1.0)
    floored = replace(one, joints=one.joints.assign(floored=[3.0, 4.0, 0.5]))
    found = headline(floored)(np.ones((1, 3), np.int64))
    assert found["normalised_median"].item() == 3
    assert found["normalised_mean"].item() == 2.5
