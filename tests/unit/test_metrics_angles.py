"""Joint angles: poses whose angles one sees, and what must not change them."""

from math import cos, radians, sin

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.metrics.angles import ANGLES, LANDMARKS_OF, angle_pairs, joint_angles
from monkey_transfer.skeletons import FULL_HUMAN_14, LSP_14, MACAQUEPOSE_17, MPII_16, SKELETONS, Skeleton, without_side

# Somebody who stands: x to the right of the picture, y down; the person's right is left of the picture.
STANDING = {
    "right_shoulder": (80, 100),
    "left_shoulder": (120, 100),
    "right_elbow": (80, 140),
    "left_elbow": (120, 140),
    "right_wrist": (80, 180),
    "left_wrist": (160, 140),  # the forearm to the side
    "right_hip": (80, 200),
    "left_hip": (120, 200),
    "right_knee": (80, 260),
    "left_knee": (180, 200),  # the thigh level
    "right_ankle": (110, 290),  # the shank halfway back
    "left_ankle": (180, 260),
}
SEEN = {
    "right_knee": 45,
    "left_knee": 90,
    "right_hip": 0,
    "left_hip": 90,
    "right_elbow": 0,
    "left_elbow": 90,
    "trunk": 0,
}
poses = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).uniform(0, 100, (len(STANDING), 2)))
unhurried = settings(deadline=None, max_examples=30)


def points(places, skeleton: Skeleton = LSP_14, image_id: str = "ann") -> pd.DataFrame:
    """Landmark -> place, or places in the order of STANDING, under the skeleton's names."""
    if isinstance(places, np.ndarray):
        places = dict(zip(STANDING, places, strict=True))
    rows = [(image_id, skeleton.keypoint_of[landmark], *place) for landmark, place in places.items()]
    return pd.DataFrame(rows, columns=["image_id", "keypoint", "x", "y"]).astype({"x": float, "y": float})


def degrees(places, skeleton: Skeleton = LSP_14) -> dict[str, float]:
    return joint_angles(points(places, skeleton), skeleton).set_index("angle")["degrees"].to_dict()


@pytest.mark.parametrize("skeleton", [LSP_14, MPII_16, FULL_HUMAN_14, MACAQUEPOSE_17], ids=lambda one: one.name)
def test_angles_that_one_sees(skeleton):
    """Also under the names of a skeleton that counts the sides."""
    assert degrees(STANDING, skeleton) == pytest.approx(SEEN)


@pytest.mark.parametrize("lean", [0, 30, 90, 135, 180, -30, -90, -179])
def test_the_trunk_leans_clockwise(lean):
    up = (200 + 100 * sin(radians(lean)), 200 - 100 * cos(radians(lean)))
    trunk = {f"{side}_hip": (200 + off, 200 - off) for side, off in (("right", -9), ("left", 9))}
    trunk |= {f"{side}_shoulder": (up[0] + off, up[1] + off) for side, off in (("right", -30), ("left", 30))}
    assert degrees(trunk)["trunk"] == pytest.approx(lean)


def test_upside_down_is_180_also_where_rounding_leans_the_other_way():
    trunk = {"right_hip": (-5, 0), "left_hip": (5, 0), "right_shoulder": (-5 - 1e-14, 50), "left_shoulder": (5, 50)}
    assert degrees(trunk)["trunk"] == 180


@unhurried
@given(poses, st.floats(-180, 180), st.floats(0.1, 50), st.tuples(*[st.floats(-500, 500)] * 2))
def test_turning_a_picture_turns_the_trunk_alone(pose, turn, scale, shift):
    across, down = (
        np.array([cos(radians(turn)), sin(radians(turn))]),
        np.array([-sin(radians(turn)), cos(radians(turn))]),
    )
    turned = degrees(pose @ np.stack([across, down]) * scale + shift)
    before = degrees(pose)
    assert (turned.pop("trunk") - before.pop("trunk") - turn + 180) % 360 == pytest.approx(180, abs=1e-4)
    assert turned == pytest.approx(before, abs=1e-4)


@unhurried
@given(poses)
def test_in_a_mirror_sides_change_places_and_the_trunk_leans_the_other_way(pose):
    places = dict(zip(STANDING, pose * (-1, 1), strict=True))
    other = {"right": "left", "left": "right"}
    swapped = {f"{other[side]}_{joint}": place for (side, _, joint), place in _parted(places).items()}
    before, mirrored = degrees(pose), degrees(swapped)
    assert mirrored["trunk"] == pytest.approx(-before["trunk"])
    for side, _, joint in _parted(SEEN.keys() - {"trunk"}):
        assert mirrored[f"{other[side]}_{joint}"] == pytest.approx(before[f"{side}_{joint}"])


def _parted(places):
    named = places if isinstance(places, dict) else dict.fromkeys(places)
    return {name.partition("_"): value for name, value in named.items()}


@unhurried
@given(poses)
def test_angles_have_their_ranges(pose):
    found = degrees(pose)
    assert -180 < found.pop("trunk") <= 180
    assert all(0 <= one <= 180 for one in found.values())


def test_without_a_joint_or_between_joints_at_one_place_there_is_no_angle():
    gone = {**STANDING, "right_knee": (np.nan, np.nan)}
    del gone["left_wrist"]
    found = degrees(gone)
    assert [angle for angle, one in found.items() if np.isnan(one)] == ["right_knee", "right_hip", "left_elbow"]
    found = degrees({**STANDING, "left_elbow": STANDING["left_shoulder"], "right_ankle": STANDING["right_hip"]})
    assert [angle for angle, one in found.items() if np.isnan(one)] == ["left_elbow"]
    assert found["right_knee"] == 180  # the ankle at the hip, but not at the knee
    folded = {**STANDING, **{f"{side}_shoulder": STANDING[f"{side}_hip"] for side in ("right", "left")}}
    assert np.isnan(degrees(folded)["trunk"])


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_skeleton_has_a_row_for_every_angle(skeleton):
    table = points({landmark: (place, place**2) for place, (_, landmark) in enumerate(skeleton.landmarks)}, skeleton)
    found = joint_angles(table, skeleton).set_index("angle")["degrees"]
    assert found.index.tolist() == list(LANDMARKS_OF)
    known = {angle for angle, needed in LANDMARKS_OF.items() if set(needed) <= skeleton.keypoint_of.keys()}
    assert set(found.dropna().index) == known


def test_angles_without_their_side_are_those_that_are_pooled():
    assert {without_side(angle) for angle in LANDMARKS_OF} == set(ANGLES)


def test_pictures_keep_their_own_angles():
    bent = {**STANDING, "right_wrist": (40, 140)}
    both = pd.concat([points(STANDING, image_id="zoe"), points(bent, image_id="ann")])
    found = joint_angles(both, LSP_14).set_index(["image_id", "angle"])["degrees"]
    assert (found["ann", "right_elbow"], found["zoe", "right_elbow"]) == pytest.approx((90, 0))


def test_two_rows_of_one_joint_are_refused():
    with refused("joint angles", "a joint with two rows", match="two rows with image_id 'ann', keypoint 'right_knee'"):
        joint_angles(pd.concat([points(STANDING), points({"right_knee": (0, 0)})]), LSP_14)


# Pairs


def test_labels_stand_beside_predictions():
    predicted = {**STANDING, "left_ankle": (240, 200)}
    pairs = angle_pairs(points(STANDING), points(predicted), LSP_14).set_index("angle")
    assert pairs["label"].to_dict() == pytest.approx(SEEN)
    assert pairs["prediction"].to_dict() == pytest.approx({**SEEN, "left_knee": 0})
    assert set(pairs["image_id"]) == {"ann"}


def test_what_is_not_labelled_or_that_the_network_lacks_is_no_pair():
    labelled = {landmark: place for landmark, place in STANDING.items() if landmark != "left_ankle"}
    predicted = {landmark: place for landmark, place in STANDING.items() if not landmark.endswith("wrist")}
    pairs = angle_pairs(points(labelled), points(predicted), LSP_14)
    assert pairs["angle"].tolist() == ["right_knee", "right_hip", "left_hip", "trunk"]


def test_a_prediction_at_one_place_is_a_pair_without_a_prediction():
    predicted = {**STANDING, "left_ankle": STANDING["left_knee"]}
    pairs = angle_pairs(points(STANDING), points(predicted), LSP_14).set_index("angle")["prediction"]
    assert pairs.index[pairs.isna()].tolist() == ["left_knee"]


def upside_down(lean: float) -> dict[str, tuple[float, float]]:
    """A trunk so many degrees from upside down, hips level."""
    x, y = 100 * sin(radians(180 + lean)), -100 * cos(radians(180 + lean))
    ends = {"hip": (0, 0), "shoulder": (x, y)}
    return {
        f"{side}_{joint}": (a + off, b) for joint, (a, b) in ends.items() for side, off in (("right", -5), ("left", 5))
    }


def test_the_trunk_is_counted_the_short_way_round():
    """Labels of 175 and -170 degrees; predictions lie 15 and 20 degrees farther round."""
    for label, prediction, counted in ((-5, 10, (175, 190)), (10, -10, (-170, -190))):
        [pair] = angle_pairs(points(upside_down(label)), points(upside_down(prediction)), LSP_14).to_dict("records")
        assert (pair["label"], pair["prediction"]) == pytest.approx(counted)


def test_a_knee_is_not_counted_round():
    """Stretched by its label, folded by the network: 180 degrees too much, and not too little."""
    leg = {"right_hip": (0, 0), "right_knee": (0, 50), "right_ankle": (0, 100)}
    folded = {**leg, "right_ankle": (0, 10)}
    for label, prediction, counted in ((leg, folded, (0, 180)), (folded, leg, (180, 0))):
        [pair] = angle_pairs(points(label), points(prediction), LSP_14).to_dict("records")
        assert (pair["label"], pair["prediction"]) == counted


@unhurried
@given(poses, poses)
def test_differences_are_at_most_half_a_turn(one, other):
    pairs = angle_pairs(points(one), points(other), LSP_14)
    assert len(pairs) == len(LANDMARKS_OF)
    assert (pairs["prediction"] - pairs["label"]).abs().max() <= 180
