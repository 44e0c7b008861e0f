from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from metric_tables import labels, lengths, predictions
from pandas.testing import assert_frame_equal, assert_series_equal

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.matching import CORRECT_WITHIN, in_frame, match, on_keypoints

LABELS = labels(
    [
        ("a", "head_top", 10, 10),
        ("a", "right_wrist", 30, 40),
        ("a", "pelvis", None, None),
        ("b", "head_top", 5, 5),
        ("b", "right_wrist", None, None),
        ("b", "pelvis", 7, 9),
    ]
)
PREDICTIONS = predictions(
    [
        ("a", "head_top", 13, 14, 0.9),  # 5 px, exactly half a head
        ("a", "right_wrist", 30, 48, 0.4),
        ("b", "head_top", 5, 5.5, 0.8),
        ("b", "right_wrist", 1, 1, 0.7),
        ("b", "tail", 1, 1, 0.7),
    ]
)
LENGTHS = lengths(["a", "b"], [10.0, 4.0])


def test_one_row_per_labelled_joint_that_the_arm_has():
    joints = match(LABELS, PREDICTIONS, LENGTHS).joints
    assert joints[["image_id", "keypoint"]].values.tolist() == [
        ["a", "head_top"],
        ["a", "right_wrist"],
        ["b", "head_top"],
    ]
    assert joints["dx"].tolist() == [3, 0, 0]
    assert joints["dy"].tolist() == [4, 8, 0.5]
    assert joints["distance"].tolist() == [5, 8, 0.5]
    assert joints["normalised"].tolist() == [0.5, 0.8, 0.125]
    assert joints["correct"].tolist() == [True, False, True]
    assert joints["likelihood"].tolist() == [0.9, 0.4, 0.8]


def test_people_are_those_with_a_labelled_joint_even_if_the_arm_has_none_of_theirs():
    wrists = PREDICTIONS[PREDICTIONS["keypoint"] == "right_wrist"]
    matched = match(LABELS, wrists, LENGTHS)
    assert matched.joints["image_id"].tolist() == ["a"]
    assert matched.people["image_id"].tolist() == ["a", "b"]


def test_groups_and_areas_come_from_the_images():
    boxes = {"image_id": ["b", "a"], "group": ["video 2", "video 1"], "bbox_w": [30.0, np.nan], "bbox_h": [20.0, 9.0]}
    people = match(LABELS, PREDICTIONS, LENGTHS, images=pd.DataFrame(boxes)).people
    assert people["group"].tolist() == ["video 1", "video 2"]
    assert people["area"].tolist() == pytest.approx([np.nan, 600], nan_ok=True)
    alone = match(LABELS, PREDICTIONS, LENGTHS).people
    assert alone["group"].tolist() == ["a", "b"]
    assert alone["area"].isna().all()


def many_people(heads, boxes, reference="head_size") -> pd.Series:
    """By person: over how many pixels the normalised error is taken that counts in means."""
    names = [f"p{number}" for number in range(len(heads))]
    given = pd.concat([lengths(names, np.array(heads, float)), lengths(names, np.array(boxes, float), "bbox_length")])
    reference_lengths = given.dropna()
    matched = match(
        labels([(name, "nose", 0, 0) for name in names]),
        predictions([(name, "nose", 8, 0, 1) for name in names]),
        reference_lengths,
        reference,
    )
    joints = matched.joints.set_index("image_id")
    used = reference_lengths[reference_lengths["name"] == reference].set_index("image_id")["length"]
    assert_series_equal(joints["reference_length"], used, check_names=False)
    np.testing.assert_allclose(joints["normalised"], 8 / used)  # whatever the floor
    np.testing.assert_array_equal(joints["correct"], joints["normalised"] <= CORRECT_WITHIN[reference])
    return 8 / joints["floored"]


def test_a_yardstick_is_at_least_a_quarter_of_what_the_box_lets_one_expect():
    # Heads are an eighth of the box in the median: 20 are expected of a box of 160, 40 of one of 320.
    found = many_people([20, 10, 40, 20, 4.9, 5.1, 2, 1], [160, 80, 320, 160, 160, 160, 320, None])
    # 0.25 x 20 is the floor of the fifth and sixth, 0.25 x 40 that of the seventh; the last has no box.
    assert found.tolist() == pytest.approx([20, 10, 40, 20, 5, 5.1, 10, 1])


def test_a_box_length_is_its_own_floor():
    assert many_people([1, 1, 1], [160, 3, 80], "bbox_length").tolist() == pytest.approx([160, 3, 80])


def test_without_any_box_there_is_no_floor():
    joints = match(LABELS, PREDICTIONS, lengths(["a", "b"], [10.0, 0.01])).joints
    assert_series_equal(joints["floored"], joints["normalised"], check_names=False)


def test_only_evaluated_people_say_what_is_expected():
    others = [f"other {number}" for number in range(9)]
    more = pd.concat(
        [LENGTHS, lengths(["a", "b"], 40.0, "bbox_length"), lengths(others, 400.0), lengths(others, 4.0, "bbox_length")]
    )
    # Of 10 / 40 and 4 / 40 the median is 7 / 40, so 7 are expected of both and the floor is 1.75.
    assert_series_equal(
        match(LABELS, PREDICTIONS, more).joints["floored"], pd.Series([0.5, 0.8, 0.125], name="floored")
    )


def test_each_prediction_has_its_type_of_error_by_all_labelled_joints():
    # Person a's wrist lies 5 px from the head top; the arm that knows wrists alone makes the same error.
    lost = PREDICTIONS.replace({"x": {30.0: 10.0}, "y": {48.0: 15.0}})
    joints = match(LABELS, lost, LENGTHS).joints
    assert joints["error"].tolist() == ["correct", "inversion", "correct"]
    wrists = match(LABELS, lost[lost["keypoint"] == "right_wrist"], LENGTHS).joints
    assert wrists["error"].tolist() == ["inversion"]
    assert match(LABELS, PREDICTIONS, LENGTHS).joints["error"].tolist() == ["correct", "jitter", "correct"]


@pytest.mark.parametrize("seed", range(5))
def test_order_of_rows_does_not_matter(seed):
    shuffled = (table.sample(frac=1, random_state=seed) for table in (LABELS, PREDICTIONS, LENGTHS))
    assert_frame_equal(match(*shuffled).joints, match(LABELS, PREDICTIONS, LENGTHS).joints)


def test_shift_and_scale_of_the_picture_change_pixels_only():
    def moved(table):
        return table.assign(x=4 * table["x"] + 32, y=4 * table["y"] - 64)

    before = match(LABELS, PREDICTIONS, LENGTHS).joints
    after = match(moved(LABELS), moved(PREDICTIONS), LENGTHS.assign(length=4 * LENGTHS["length"])).joints
    pixels = ["dx", "dy", "distance", "reference_length"]
    assert_frame_equal(after, before.assign(**{column: 4 * before[column] for column in pixels}))


def test_a_joint_unlabelled_is_a_joint_left_out():
    wrist = (LABELS["image_id"] == "a") & (LABELS["keypoint"] == "right_wrist")
    unlabelled = LABELS.assign(
        x=LABELS["x"].mask(wrist), y=LABELS["y"].mask(wrist), labelled=LABELS["labelled"] & ~wrist
    )
    before = match(LABELS, PREDICTIONS, LENGTHS).joints
    expected = before[before["keypoint"] != "right_wrist"].reset_index(drop=True)
    assert_frame_equal(match(unlabelled, PREDICTIONS, LENGTHS).joints, expected)


def test_an_arm_can_be_measured_on_some_of_its_keypoints():
    everything = match(LABELS, PREDICTIONS, LENGTHS)
    heads = match(LABELS, PREDICTIONS[PREDICTIONS["keypoint"] == "head_top"], LENGTHS)
    found = on_keypoints(everything, ["head_top", "tail"])
    assert_frame_equal(found.joints, heads.joints)
    assert_frame_equal(found.people, everything.people)
    with pytest.raises(StudyError, match="tail"):
        on_keypoints(everything, ["tail"])


def test_another_frame_changes_pixels_and_nothing_else():
    matched = match(LABELS, PREDICTIONS, LENGTHS)
    matched.people["area"] = [100.0, np.nan]
    framed = in_frame(matched, pd.Series({"a": 0.5, "b": 3.0}))
    assert framed.people["area"].tolist() == pytest.approx([25, np.nan], nan_ok=True)
    seen = framed.joints
    np.testing.assert_allclose(seen["distance"], matched.joints["distance"] * [0.5, 0.5, 3])
    np.testing.assert_allclose(seen["distance"] / seen["reference_length"], seen["normalised"])
    same = ["normalised", "floored", "correct", "error"]
    assert_frame_equal(seen[same], matched.joints[same])
    with pytest.raises(StudyError, match="picture 'b'"):
        in_frame(matched, pd.Series({"a": 0.5}))
    with pytest.raises(StudyError, match="two rows with image_id 'a': keep one"):
        in_frame(matched, pd.Series([0.5, 3.0, 1.0], ["a", "b", "a"]))


def test_an_arm_that_is_put_together_twice():
    arm = match(LABELS, PREDICTIONS, LENGTHS)
    with pytest.raises(StudyError, match="image_id 'a', keypoint 'head_top': keep one"):
        replace(arm, joints=pd.concat([arm.joints, arm.joints]))
    with pytest.raises(StudyError, match="two rows with image_id 'a': keep one"):
        replace(arm, people=pd.concat([arm.people, arm.people]))


BAD = {
    "no labelled joint": (
        "no joint is labelled",
        {"labels": LABELS.assign(x=np.nan, y=np.nan, labelled=False)},
    ),
    "zero head size": ("image_id 'b'", {"reference_lengths": lengths(["a", "b"], [10.0, 0.0])}),
    "missing head size": ("head_size of picture 'b'", {"reference_lengths": lengths(["a"])}),
    "other yardstick only": ("torso of picture 'a'", {"reference": "torso"}),
    "duplicate prediction": (
        "image_id 'a', keypoint 'head_top'",
        {"predictions": pd.concat([PREDICTIONS, PREDICTIONS.head(1)], ignore_index=True)},
    ),
    "duplicate label": ("labels", {"labels": pd.concat([LABELS, LABELS.head(1)], ignore_index=True)}),
    "unknown picture": (
        "picture 'c' is not among",
        {"predictions": pd.concat([PREDICTIONS, predictions([("c", "head_top", 1, 1, 1)])], ignore_index=True)},
    ),
    "prediction lost": ("'head_top' of picture 'b'", {"predictions": PREDICTIONS.drop(2)}),
    "infinite prediction": ("'head_top' of picture 'a'", {"predictions": PREDICTIONS.replace({"x": {13.0: np.inf}})}),
    "other names": ("rename the predictions", {"predictions": PREDICTIONS.assign(keypoint=list("vwxyz"))}),
    "duplicate picture": ("group: .* image_id 'a'", {"images": pd.DataFrame({"image_id": ["a"] * 2, "group": "v"})}),
    "no group": ("group of picture 'b'", {"images": pd.DataFrame({"image_id": ["a"], "group": ["v"]})}),
}


@pytest.mark.parametrize("message, change", BAD.values(), ids=BAD)
def test_bad_input_is_named(message, change):
    good = {"labels": LABELS, "predictions": PREDICTIONS, "reference_lengths": LENGTHS}
    with pytest.raises(StudyError, match=message):
        match(**(good | change))
