from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import arms, matched
from pandas.testing import assert_frame_equal

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection, pckh
from monkey_transfer.metrics.headline import headline, pck_scores, summary, table_one
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.rmse import errors, errors_at_best_f1

RIGHT, WRONG = (0, 0), (9, 0)


def by_definition(arm: Matched) -> dict[str, float]:
    """Every headline number from the module that defines it."""
    joints, scored = arm.joints, pckh.scored(arm.joints)
    own, over_all = detection.best_f1(joints), detection.best_f1(joints, "recall_over_all_labelled")
    everything, kept = errors(joints), errors_at_best_f1(joints)
    operating = {name: value for name, value in asdict(own).items() if name not in ("f1", "correct", "labelled")}
    names = ("x", "y", "distance", "normalised")
    return {
        "pckh": pckh.official_pckh(arm),
        **{f"pckh/{group}": value for group, value in pckh.by_group(scored, 0.5).items()},
        "pckh/area": pckh.area(pckh.curve(scored, pckh.curve_thresholds("head_size"))),
        "labelled": own.labelled,
        "correct": own.correct,
        **{f"rmse_{name}": getattr(everything, name) for name in names},
        "mean_distance": everything.mean_distance,
        "expected_calibration_error": detection.expected_calibration_error(detection.calibration(joints)),
        **{f"calibration/{round(10 * row.low)}": row.correct for row in detection.calibration(joints).itertuples()},
        "auc": detection.roc(joints).auc,
        "average_precision": detection.average_precision(joints),
        "best_f1": own.f1,
        **{f"best_f1/{name}": value for name, value in operating.items()},
        **{f"best_f1/rmse_{name}": getattr(kept, name) for name in names},
        "best_f1_over_all_labelled": over_all.f1,
        **{
            f"best_f1_over_all_labelled/{name}": getattr(over_all, name)
            for name in ("threshold", "kept", "precision", "recall_over_all_labelled")
        },
    }


@settings(deadline=None, max_examples=50)
@given(arms())
def test_the_summary_is_what_the_definitions_say(arm):
    assert summary(arm) == pytest.approx(by_definition(arm), nan_ok=True, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(arms(), st.data())
def test_a_person_with_weight_two_counts_like_two_people(arm, data):
    people = arm.people["image_id"]
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(people), max_size=len(people)).filter(any))
    copies = [
        arm.joints[arm.joints["image_id"] == person].assign(image_id=f"{person} copy {copy}")
        for person, weight in zip(people, weights, strict=True)
        for copy in range(weight)
    ]
    repeated = pd.concat(copies, ignore_index=True)
    names = sorted(repeated["image_id"].unique())
    expected = summary(Matched(repeated, pd.DataFrame({"image_id": names, "group": names}), arm.reference))
    found = {metric: value.item() for metric, value in headline(arm)(np.array([weights])).items()}
    emptied = dict.fromkeys(found.keys() - expected.keys(), np.nan)  # bins whose people all have weight 0
    assert all(metric.startswith("calibration/") for metric in emptied)
    assert found == pytest.approx(expected | emptied, nan_ok=True, abs=1e-12)


def test_other_yardsticks_have_their_own_names():
    assert set(summary(matched([RIGHT], [1], reference="head_segment"))) > {
        "pckh_by_head_segment",
        "pckh_by_head_segment/wrist",
    }
    assert "pckh" not in summary(matched([RIGHT], [1], reference="bbox_length"))


def people_of_two(seed, right=0.7, people=40):
    rng = np.random.default_rng(seed)
    correct = rng.random(2 * people) < right
    names = np.repeat([f"p{i:03d}" for i in range(people)], 2)
    shifts = np.column_stack([np.where(correct, 1, 9), rng.normal(size=2 * people)])
    confidence = np.clip(0.5 + 0.2 * correct + 0.2 * rng.normal(size=2 * people), 0, 1)
    return matched(shifts, confidence, names, ["right_wrist", "right_knee"] * people)


ARMS = {"a": people_of_two(0, 0.9), "b": people_of_two(1, 0.4), "c": people_of_two(2, 0.4)}


def test_table_one_holds_every_number_with_its_interval_and_every_pair():
    table = table_one(ARMS, resamples=300, seed=5)
    values = table.values.set_index(["arm", "metric"])
    for arm in ARMS:
        assert values.loc[arm, "value"].to_dict() == pytest.approx(summary(ARMS[arm]))
    sure = table.values[~table.values["note"].str.startswith("no interval: it rests on the people of one group")]
    assert len(sure) > 0.8 * len(table.values)
    assert (sure["low"] <= sure["high"]).all()
    scores = values.loc[(slice(None), "pckh"), :]
    assert (scores["low"] < scores["value"]).all()
    assert (scores["value"] < scores["high"]).all()
    assert (table.values["people"] == 40).all()
    assert (table.values["seed"] == 5).all()
    paired = table.differences.set_index(["arm_a", "arm_b", "metric"])
    assert set(zip(table.differences["arm_a"], table.differences["arm_b"], strict=True)) == {
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    }
    difference = paired.loc[("a", "b", "pckh")]
    assert difference["difference"] == pytest.approx(summary(ARMS["a"])["pckh"] - summary(ARMS["b"])["pckh"])
    assert difference["low"] > 0


def test_joints_is_what_a_metric_divides_by():
    values = table_one({"a": ARMS["a"]}, resamples=10).values.set_index("metric")
    point = detection.best_f1(ARMS["a"].joints)
    assert values.loc["pckh", "joints"] == 80
    assert values.loc["pckh/knee", "joints"] == 40
    assert values.loc["best_f1/precision", "joints"] == point.kept
    assert values.loc["best_f1/rmse_x", "joints"] == point.kept
    assert values.loc["best_f1/recall_over_own_correct", "joints"] == point.correct
    assert values.loc["best_f1/recall_over_all_labelled", "joints"] == 80


def test_the_same_seed_gives_the_same_table_in_any_order_of_rows():
    shuffled = {
        arm: Matched(arm_.joints.sample(frac=1, random_state=1), arm_.people, arm_.reference)
        for arm, arm_ in ARMS.items()
    }
    assert_frame_equal(table_one(ARMS, resamples=50).values, table_one(shuffled, resamples=50).values)


def test_pck_scores_alone_are_those_of_the_whole_table():
    whole = table_one(ARMS, resamples=50).values
    alone = table_one(ARMS, resamples=50, statistic_of=pck_scores).values
    expected = whole[whole["metric"].str.startswith("pckh")].reset_index(drop=True)
    assert_frame_equal(alone, expected)


def test_groups_are_drawn_whole():
    # 20 videos of 20 copies of one person are worth 20 people, not 400.
    rng = np.random.default_rng(0)
    correct = np.repeat(rng.random(20) < 0.5, 20)
    shifts = np.column_stack([np.where(correct, 0, 9), np.zeros(400)])
    single = matched(shifts, np.ones(400))
    grouped = Matched(single.joints, single.people.assign(group=np.repeat(range(20), 20).astype(str)), "head_size")
    widths = {}
    for name, arm in {"single": single, "grouped": grouped}.items():
        row = table_one({"arm": arm}, resamples=500, statistic_of=pck_scores).values.iloc[0]
        widths[name] = row["high"] - row["low"]
        assert row["people"] == 400
    assert widths["grouped"] > 3 * widths["single"]


def test_an_undefined_number_says_why():
    table = table_one({"right": matched([RIGHT] * 4, [0.5] * 4), "wrong": matched([WRONG] * 4, [0.5] * 4)}, 50)
    notes = table.values.set_index(["arm", "metric"])
    assert np.isnan(notes.loc[("right", "auc"), "value"])
    assert notes.loc[("right", "auc"), "note"] == "a ROC needs correct and wrong predictions, and all 4 are correct"
    assert "no prediction is correct" in notes.loc[("wrong", "best_f1/precision"), "note"]
    assert notes.loc[("wrong", "best_f1"), "value"] == 0
    both = table_one({"both": matched([RIGHT, RIGHT, WRONG, WRONG], [0.5] * 4)}, 50).values.set_index("metric")
    assert both.loc["auc", "value"] == 0.5
    assert "resamples, which are left out" in both.loc["auc", "note"]
    one = table_one({"one": matched([RIGHT, WRONG, WRONG], [0.5] * 3)}, 50).values.set_index("metric")
    assert one.loc["auc", "note"] == "no interval: it rests on the people of one group"
    assert one.loc["auc", ["low", "high"]].isna().all()


def test_arms_that_cannot_be_compared_are_refused():
    one, other = matched([RIGHT, RIGHT], [1, 1]), matched([RIGHT, RIGHT, RIGHT], [1, 1, 1])
    with pytest.raises(StudyError, match="'one' and 'other' were evaluated on different people .*'p002'"):
        table_one({"one": one, "other": other}, 10)
    regrouped = Matched(one.joints, one.people.assign(group="video"), "head_size")
    with pytest.raises(StudyError, match="different people or groups .*'p000'"):
        table_one({"one": one, "other": regrouped}, 10)
    with pytest.raises(StudyError, match="head_size and torso"):
        table_one({"one": one, "other": matched([RIGHT, RIGHT], [1, 1], reference="torso")}, 10)
    with pytest.raises(StudyError, match="no arm"):
        table_one({}, 10)
