"""Angles of arms: of whom, on which joints and with what intervals, for people whose knees bend by known degrees."""

from collections.abc import Callable, Sequence
from math import cos, radians, sin, sqrt
from types import SimpleNamespace

import by_hand
import numpy as np
import pandas as pd
import pytest
from test_metrics_agreement import by_loops
from test_pose_space import dataset_of

from monkey_transfer.measure.angles import angles_of, pairs_of
from monkey_transfer.measure.scores import FLOOR, Point, Scores
from monkey_transfer.metrics.matching import Matched, match
from monkey_transfer.skeletons import LSP_14

COUNT = 12
SEEDS = 3
TRANSFER = Point("transfer", 3)
SHOWN = (Point("baseline", 2), Point("benchmark", 7), TRANSFER, Point("scratch_control", 7), FLOOR)
POINTS = (*SHOWN, Point("scratch_control", 3))  # the control is compared at the number that transfer learns
# By how much the right and the left knee of each person are bent, and by how much a network bends them more.
RIGHT, LEFT = 10.0 + 5 * np.arange(COUNT), 90.0 - 4 * np.arange(COUNT)
MORE = np.array([2.0, 4.0, 9.0] * (COUNT // 3))
PROFILE = by_hand.profile(elsewhere=None)
NO_INTERVAL = "too few groups"


def pose(right: float, left: float, lean: float = 0.0) -> np.ndarray:
    """Somebody upright whose knees are bent by so much, everything else stretched; the trunk leans."""
    places = {}
    for side, off, knee in (("right", -10, right), ("left", 10, left)):
        x, y = off + 100 * sin(radians(lean)), -100 * cos(radians(lean))
        places |= {f"{side}_shoulder": (x, y), f"{side}_elbow": (x, y + 40), f"{side}_wrist": (x, y + 80)}
        places |= {f"{side}_hip": (off, 0), f"{side}_knee": (off, 50)}
        places[f"{side}_ankle"] = (off + 50 * sin(radians(knee)), 50 + 50 * cos(radians(knee)))
    places |= {"upper_neck": (0, -110), "head_top": (0, -140)}
    return np.array([places[landmark] for _, landmark in LSP_14.landmarks], float)


def people(change: Callable[[np.ndarray], None] = lambda points: None, groups: Sequence[str] | None = None):
    points = np.stack([pose(right, left) for right, left in zip(RIGHT, LEFT, strict=True)])
    change(points)
    found = dataset_of(points)
    if groups is not None:
        found.images["group"] = groups
    return found


def network(of, more=0.0, lean: float = 0.0, lacks: Sequence[str] = (), at_one_place: Sequence[int] = ()) -> Matched:
    """Knees bent by so much more than they are, the trunk by ``lean``; some left ankles are put on the knee."""
    more = np.broadcast_to(more, COUNT)
    points = np.stack([pose(r + m, le + m, lean) for r, le, m in zip(RIGHT, LEFT, more, strict=True)])
    for person in at_one_place:
        points[person, LSP_14.keypoints.index("left_ankle")] = points[person, LSP_14.keypoints.index("left_knee")]
    predictions = pd.DataFrame(
        {
            "image_id": np.repeat(of.images["image_id"].to_numpy(), len(LSP_14.keypoints)),
            "keypoint": np.tile(LSP_14.keypoints, COUNT),
            "x": points[..., 0].ravel(),
            "y": points[..., 1].ravel(),
            "likelihood": 0.5,
        }
    )
    predictions = predictions[~predictions["keypoint"].isin(lacks)]
    return match(of.labels, predictions, of.reference_lengths, "torso", of.images)


def measured(of=None, **networks: Sequence[Matched]):
    """By arm its three networks; all others bend knees by one degree more."""
    of = people() if of is None else of
    usual = [network(of, 1.0)] * SEEDS
    runs = {point: networks.get(point.arm, usual) for point in POINTS}
    study = SimpleNamespace(profile=PROFILE, test_people=of)
    return angles_of(study, Scores(runs)), study, Scores(runs)


def of_arm(table: pd.DataFrame, arm: str, angle: str) -> pd.DataFrame:
    return table[(table["arm"] == arm) & (table["angle"] == angle)].set_index("metric")


def test_every_arm_as_it_is_shown_and_the_floor_have_every_angle():
    found, _, _ = measured()
    assert found.missing == ""
    for angle in ("knee", "hip", "elbow", "trunk"):
        rows = found.table[(found.table["angle"] == angle) & (found.table["metric"] == "mae")]
        assert [*zip(rows["arm"], rows["images"], strict=True)] == [*SHOWN]
        assert rows["angles"].unique().tolist() == [COUNT if angle == "trunk" else 2 * COUNT]
        assert (rows["tested"].unique().tolist(), rows["groups"].unique().tolist()) == ([COUNT], [COUNT])
    people_of = found.table.drop_duplicates("arm").set_index("arm")["people"]
    assert people_of["transfer"] == 4  # three who are learnt and one to validate
    assert found.table.duplicated(["arm", "angle", "metric"]).sum() == 0


def test_numbers_are_means_over_seeds_of_the_definitions():
    """Of the networks of three seeds, each bends every knee by another multiple of what each person gets."""
    of = people(groups=[f"g{number // 2}" for number in range(COUNT)])
    found, _, _ = measured(of, transfer=[network(of, times * MORE) for times in (1, -1, 0.5)])
    rows = of_arm(found.table, "transfer", "knee")
    label, group = np.concatenate([RIGHT, LEFT]), np.tile(np.arange(COUNT) // 2, 2)
    by_seed = [by_loops(label, label + times * np.tile(MORE, 2), group, [1] * 6) for times in (1, -1, 0.5)]
    expected = {metric: np.mean([one[metric] for one in by_seed]) for metric in by_seed[0]}
    assert rows["value"].to_dict() == pytest.approx(expected, abs=1e-6)
    assert rows["groups"].unique().tolist() == [6]
    assert rows["note"].unique().tolist() == [NO_INTERVAL]  # of six groups there is none
    # The angles that nobody bends are right.
    assert of_arm(found.table, "transfer", "hip").loc["mae", "value"] == pytest.approx(0, abs=1e-6)


def test_intervals_are_over_people():
    """All seeds alike: a mean of twelve people who are 2, 4 and 9 degrees off in turn."""
    of = people()
    found, _, _ = measured(of, transfer=[network(of, MORE)] * SEEDS)
    rows = of_arm(found.table, "transfer", "knee")
    for metric in ("bias", "mae"):
        assert rows.loc[metric, "value"] == pytest.approx(5)
        assert rows.loc[metric, "standard_error"] == pytest.approx(sqrt(np.var(MORE) / (COUNT - 1)), rel=0.05)
        assert rows.loc[metric, "freedom"] == pytest.approx(COUNT - 1)
        assert rows.loc[metric, "low"] < 5 < rows.loc[metric, "high"]
    assert (rows["over"].unique().tolist(), rows["seeds"].unique().tolist()) == (["people and seeds"], [SEEDS])
    assert rows.loc["upper_limit", "value"] == pytest.approx(5 + 1.96 * np.std(MORE, ddof=1), rel=1e-6)
    assert (rows.loc["undefined", "value"], rows.loc["undefined", "note"]) == (0, "the same on all resamples")


def test_intervals_are_over_seeds():
    """All people alike: seeds are 1, 4 and 10 degrees off."""
    of = people()
    found, _, _ = measured(of, transfer=[network(of, more) for more in (1.0, 4.0, 10.0)])
    mae = of_arm(found.table, "transfer", "knee").loc["mae"]
    assert mae["value"] == pytest.approx(5)
    assert mae["standard_error"] == pytest.approx(np.std([1, 4, 10], ddof=1) / sqrt(3))
    assert mae["freedom"] == pytest.approx(SEEDS - 1)


def test_transfer_minus_its_control():
    of = people()
    found, _, _ = measured(of, transfer=[network(of, 3.0)] * SEEDS, scratch_control=[network(of, -MORE)] * SEEDS)
    assert found.differences["angle"].tolist() == ["knee", "hip", "elbow", "trunk"]
    knee = found.differences.set_index("angle").loc["knee"]
    assert (knee["arm_a"], knee["arm_b"], knee["images_a"], knee["images_b"]) == ("transfer", "scratch_control", 3, 3)
    assert (knee["metric"], knee["joints"], knee["people"], knee["tested"]) == ("mae", 14, 4, COUNT)
    assert knee["difference"] == pytest.approx(3 - 5)
    assert knee["standard_error"] == pytest.approx(sqrt(np.var(MORE) / (COUNT - 1)), rel=0.05)


def test_an_arm_without_a_joint_has_no_row_of_its_angles():
    of = people()
    ankles = ("right_ankle", "left_ankle")
    found, _, _ = measured(of, scratch_control=[network(of, 1.0, lacks=ankles)] * SEEDS)
    angles_of_arm = found.table.groupby("arm")["angle"].unique()
    assert list(angles_of_arm["scratch_control"]) == ["hip", "elbow", "trunk"]
    assert list(angles_of_arm["transfer"]) == ["knee", "hip", "elbow", "trunk"]
    assert found.differences["angle"].tolist() == ["hip", "elbow", "trunk"]


def test_arms_that_share_no_angle_have_no_difference():
    of = people()
    arms = [name for name in LSP_14.keypoints if name.endswith(("elbow", "wrist"))]
    legs = [name for name in LSP_14.keypoints if name.endswith(("hip", "knee", "ankle"))]
    found, _, _ = measured(
        of, transfer=[network(of, lacks=arms)] * SEEDS, scratch_control=[network(of, lacks=legs)] * SEEDS
    )
    assert found.differences.empty
    assert found.table.groupby("arm")["angle"].unique()["scratch_control"].tolist() == ["elbow"]


def test_arms_are_compared_on_the_angles_that_both_have():
    """Of the control's network the left leg ends at the knee; only left knees are bent too much by transfer."""
    of = people()
    ours = network(of, 6.0)
    stays = ours.joints["keypoint"] == "right_ankle"
    ours.joints.loc[stays, ["dx", "dy"]] = 0.0
    found, _, _ = measured(
        of, transfer=[ours] * SEEDS, scratch_control=[network(of, 2.0, lacks=["left_ankle"])] * SEEDS
    )
    assert of_arm(found.table, "transfer", "knee").loc["mae", "value"] == pytest.approx(3)
    assert of_arm(found.table, "scratch_control", "knee").loc["mae", ["value", "angles"]].tolist() == [
        pytest.approx(2),
        COUNT,
    ]
    knee = found.differences.set_index("angle").loc["knee"]
    assert (knee["difference"], knee["angles"]) == (pytest.approx(0 - 2), COUNT)


@pytest.mark.parametrize("labelled, note", [(7, NO_INTERVAL), (8, "")])
def test_an_angle_is_as_sure_as_the_people_who_have_it(labelled, note):
    """Both elbows are labelled in some; everybody has knees."""

    def change(points):
        for name in ("right_elbow", "left_elbow"):
            points[labelled:, LSP_14.keypoints.index(name)] = np.nan

    of = people(change)
    # By all seeds elbows are right, and so without an interval: let one person's wrist be off.
    off = network(of, MORE)
    wrist = (off.joints["image_id"] == "p1") & (off.joints["keypoint"] == "right_wrist")
    off.joints.loc[wrist, "dx"] = 30.0
    found, _, _ = measured(of, transfer=[off] * SEEDS)
    elbow, knee = (of_arm(found.table, "transfer", angle) for angle in ("elbow", "knee"))
    assert elbow["tested"].unique().tolist() == [labelled]
    assert (elbow.loc["mae", "note"], knee.loc["mae", "note"]) == (note, "")
    if not note:
        assert elbow.loc["mae", "freedom"] == pytest.approx(labelled - 1)


def test_the_trunk_is_measured_on_the_circle():
    """Everybody hangs upside down, 175 degrees round; the network says 185, which is -175."""

    def change(points):
        points[:] = np.stack([pose(right, left, 175.0) for right, left in zip(RIGHT, LEFT, strict=True)])

    of = people(change)
    found, _, _ = measured(of, transfer=[network(of, lean=-175.0)] * SEEDS)
    trunk = of_arm(found.table, "transfer", "trunk")["value"]
    assert (trunk["bias"], trunk["mae"]) == pytest.approx((10, 10))


def test_what_a_network_puts_at_one_place_is_undefined_and_left_out():
    of = people()
    half = [network(of, MORE, at_one_place=[0, 1, 2])] * SEEDS
    found, study, scores = measured(of, transfer=half)
    rows = of_arm(found.table, "transfer", "knee")
    assert rows.loc["undefined", "value"] == pytest.approx(100 * 3 / (2 * COUNT))
    assert rows.loc["mae", "value"] == pytest.approx((MORE.sum() + MORE[3:].sum()) / (2 * COUNT - 3))
    assert rows["angles"].unique().tolist() == [2 * COUNT]
    pairs = pairs_of(study, scores, TRANSFER)
    assert pairs.columns.tolist() == ["seed", "image_id", "angle", "label", "prediction"]
    assert (pairs["angle"] == "left_knee").sum() == (COUNT - 3) * SEEDS
    assert pairs["seed"].unique().tolist() == list(PROFILE.seeds)
    right = pairs[(pairs["angle"] == "right_knee") & (pairs["seed"] == 0)].set_index("image_id")
    assert right.loc["p5", ["label", "prediction"]].tolist() == pytest.approx([RIGHT[5], RIGHT[5] + MORE[5]])


def test_angles_that_nobody_has_are_said():
    def change(points):
        points[:, LSP_14.keypoints.index("left_hip")] = np.nan
        points[:, [LSP_14.keypoints.index(f"{side}_wrist") for side in ("right", "left")]] = np.nan

    found, _, _ = measured(people(change))
    assert found.table["angle"].unique().tolist() == ["knee", "hip"]
    assert found.missing == (
        "Not measured, since no test person has their joints labelled: elbow (shoulder, elbow and wrist of one side), "
        "trunk (both hips and shoulders)."
    )


def test_a_study_whose_skeleton_has_no_such_joints_has_empty_tables_and_a_sentence():
    with by_hand.enough() as results:
        found = angles_of(results.study, results.scores)
    assert found.table.empty
    assert found.differences.empty
    assert found.missing.startswith(
        "Not measured, since no test person has their joints labelled: knee (hip, knee and "
    )
