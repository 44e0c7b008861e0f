import numpy as np
import pandas as pd
import pytest
from metric_tables import labels, lengths, predictions
from pandas.testing import assert_frame_equal

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.matching import in_frame, match, on_keypoints, on_shared_keypoints

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


def test_groups_come_from_the_images():
    images = pd.DataFrame({"image_id": ["b", "a"], "group": ["video 1", "video 1"]})
    assert match(LABELS, PREDICTIONS, LENGTHS, images=images).people["group"].tolist() == ["video 1", "video 1"]


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


def test_arms_can_be_measured_on_the_keypoints_that_all_have():
    some = match(LABELS, PREDICTIONS[PREDICTIONS["keypoint"] == "head_top"], LENGTHS)
    shared = on_shared_keypoints({"all": match(LABELS, PREDICTIONS, LENGTHS), "some": some})
    assert shared["all"].joints["keypoint"].unique().tolist() == ["head_top"]
    assert_frame_equal(shared["all"].joints, shared["some"].joints)
    other = match(LABELS, PREDICTIONS[PREDICTIONS["keypoint"] == "right_wrist"], LENGTHS)
    with pytest.raises(StudyError, match="share no keypoint"):
        on_shared_keypoints({"some": some, "other": other})
    with pytest.raises(StudyError, match="tail"):
        on_keypoints(some, ["tail"])


def test_another_frame_changes_pixels_and_nothing_else():
    matched = match(LABELS, PREDICTIONS, LENGTHS)
    seen = in_frame(matched, pd.Series({"a": 0.5, "b": 3.0})).joints
    np.testing.assert_allclose(seen["distance"], matched.joints["distance"] * [0.5, 0.5, 3])
    np.testing.assert_allclose(seen["distance"] / seen["reference_length"], seen["normalised"])
    assert_frame_equal(seen[["normalised", "correct"]], matched.joints[["normalised", "correct"]])
    with pytest.raises(StudyError, match="picture 'b'"):
        in_frame(matched, pd.Series({"a": 0.5}))


BAD = {
    "no labelled joint": (
        "no joint is labelled",
        {"labels": LABELS.assign(x=np.nan, y=np.nan, labelled=False)},
    ),
    "zero head size": ("image_id 'b'", {"reference_lengths": lengths(["a", "b"], [10.0, 0.0])}),
    "missing head size": ("head_size of picture 'b'", {"reference_lengths": lengths(["a"])}),
    "other yardstick only": ("torso of picture 'a'", {"reference": "torso"}),
    "unknown yardstick": ("'foot' is unknown", {"reference": "foot"}),
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
    "no group": ("group of picture 'b'", {"images": pd.DataFrame({"image_id": ["a"], "group": ["v"]})}),
}


@pytest.mark.parametrize("message, change", BAD.values(), ids=BAD)
def test_bad_input_is_named(message, change):
    good = {"labels": LABELS, "predictions": PREDICTIONS, "reference_lengths": LENGTHS}
    with pytest.raises(StudyError, match=message):
        match(**(good | change))
