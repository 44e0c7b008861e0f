"""Errors by type: exactly one for each prediction, decided by where it lies among the person's own joints."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.metrics.error_types import ERROR_TYPES, error_types
from monkey_transfer.skeletons import FULL_HUMAN_14, MPII_16

# A person with a yardstick of 10: correct is 5 px, so knees, 4 px apart, and all else far away.
PERSON = pd.DataFrame(
    [("right_knee", 0, 0), ("left_knee", 4, 0), ("right_hip", 0, -40), ("left_hip", 8, -40), ("head_top", 0, -99)],
    columns=["keypoint", "x", "y"],
).assign(image_id="a")


def kind_of(keypoint: str, x: float, y: float, labelled: pd.DataFrame = PERSON, length: float = 10.0) -> str:
    row = pd.DataFrame([("a", keypoint, x, y, length)], columns=["image_id", "keypoint", "x", "y", "reference_length"])
    (kind,) = error_types(row, labelled, within=0.5)
    return kind


@pytest.mark.parametrize(
    "keypoint, x, y, kind",
    [
        ("right_knee", -5, 0, "correct"),  # at most half a yardstick away
        ("right_knee", 2, 0, "correct"),  # also where the other knee is as near
        ("right_knee", 6, 0, "swap"),  # 6 px from its own, 2 from the other knee
        ("right_knee", -8, 0, "jitter"),  # 12 from the other knee
        ("right_knee", -10, 0, "jitter"),
        ("right_knee", -10.1, 0, "miss"),
        ("right_hip", 8, -36, "swap"),
        ("right_hip", 0, 1, "inversion"),
        ("head_top", 4, 1, "inversion"),  # the head has no other side
        ("head_top", 0, -90, "jitter"),
        ("head_top", 50, -50, "miss"),
    ],
)
def test_by_hand(keypoint, x, y, kind):
    assert kind_of(keypoint, x, y) == kind


def test_the_nearest_other_joint_decides():
    # 2 px from the head top, 3 from the left hip; then the other way round; then as far from both.
    person = PERSON.assign(y=PERSON["y"].where(PERSON["keypoint"] != "head_top", -45), x=[0, 4, 40, 8, 8])
    assert kind_of("right_hip", 8, -43, person) == "inversion"
    assert kind_of("right_hip", 8, -42, person) == "swap"
    assert kind_of("right_hip", 8, -42.5, person) == "swap"


def test_the_other_side_is_known_by_its_landmark():
    person = pd.DataFrame({"image_id": "a", "keypoint": ["knee1", "knee2", "hip1"], "x": [0, 40, 80], "y": [0, 0, 0]})
    assert kind_of("knee1", 41, 0, person) == "swap"
    assert kind_of("knee1", 81, 0, person) == "inversion"


def test_an_unlabelled_joint_and_somebody_elses_are_no_others():
    assert kind_of("right_knee", 6, 0, PERSON[PERSON["keypoint"] != "left_knee"]) == "jitter"
    somebody = PERSON.assign(image_id="b", x=PERSON["x"] + 100)
    assert kind_of("right_knee", 104, 0, pd.concat([PERSON, somebody])) == "miss"


def test_lengths_are_parts_of_the_yardstick():
    assert kind_of("right_knee", -8, 0, length=16) == "correct"
    assert kind_of("right_knee", -8, 0, length=7) == "miss"


@st.composite
def people(draw):
    """(labelled, predicted): some of one to three people's joints, predictions among them, on a small grid."""
    skeleton = draw(st.sampled_from([MPII_16, FULL_HUMAN_14]))
    place = st.integers(0, 12)
    rows = [
        (image_id, keypoint, *draw(st.tuples(place, place, place, place)))
        for image_id in "abc"[: draw(st.integers(1, 3))]
        for keypoint in draw(st.sets(st.sampled_from(skeleton.keypoints), min_size=1))
    ]
    table = pd.DataFrame(rows, columns=["image_id", "keypoint", "x", "y", "to_x", "to_y"])
    predicted = table[["image_id", "keypoint"]].assign(x=table["to_x"], y=table["to_y"], reference_length=4.0)
    return skeleton, table[["image_id", "keypoint", "x", "y"]], predicted


def plainly(predicted, labelled, skeleton) -> str:
    """The definition, read out for one prediction."""
    away = {
        row.keypoint: np.hypot(predicted.x - row.x, predicted.y - row.y) / predicted.reference_length
        for row in labelled[labelled["image_id"] == predicted.image_id].itertuples()
    }
    own = away.pop(predicted.keypoint)
    other_side = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}.get(predicted.keypoint)
    nearest = min(away, key=lambda keypoint: (away[keypoint], keypoint != other_side), default=None)
    if own <= 0.5:
        return "correct"
    if nearest and away[nearest] <= 0.5:
        return "swap" if nearest == other_side else "inversion"
    return "jitter" if own <= 1 else "miss"


@settings(deadline=None, max_examples=40)
@given(people())
def test_the_definition_read_out_says_the_same(drawn):
    skeleton, labelled, predicted = drawn
    expected = [plainly(row, labelled, skeleton) for row in predicted.itertuples()]
    found = error_types(predicted, labelled, within=0.5)
    assert found.tolist() == expected
    assert set(found) <= set(ERROR_TYPES)


@settings(deadline=None, max_examples=40)
@given(people())
def test_mirroring_the_picture_and_the_sides_changes_no_type(drawn):
    skeleton, labelled, predicted = drawn
    swapped = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}

    def mirrored(table):
        return table.assign(x=-table["x"], keypoint=table["keypoint"].replace(swapped))

    np.testing.assert_array_equal(
        error_types(mirrored(predicted), mirrored(labelled), 0.5), error_types(predicted, labelled, 0.5)
    )


@settings(deadline=None, max_examples=40)
@given(people())
def test_exchanging_the_sides_of_predictions_turns_correct_into_swap_where_nobody_else_is_near(drawn):
    skeleton, labelled, _ = drawn
    # Everybody's joints far apart: on a line, 100 px from each other.
    labelled = labelled.assign(x=100.0 * np.arange(len(labelled)), y=0.0)
    swapped = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}
    there = labelled.set_index(["image_id", "keypoint"])["x"]
    moved = labelled.assign(
        x=[there.get((row.image_id, swapped.get(row.keypoint)), row.x) for row in labelled.itertuples()],
        reference_length=10.0,
    )
    expected = np.where(moved["x"] == labelled["x"], "correct", "swap")
    np.testing.assert_array_equal(error_types(moved, labelled, 0.5), expected)
