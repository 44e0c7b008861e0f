import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from metric_tables import matched, values

from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import match
from monkey_transfer.skeletons import FULL_HUMAN_14, LSP_14, MACAQUEPOSE_17, MPII_16, SKELETONS

GOLDEN = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).parents[3] / "shared" / "data")) / "pckh_golden"


@pytest.fixture(scope="module")
def golden():
    """MPII's validation people and two published sets of predictions, matched by the official head size."""
    if not GOLDEN.is_dir():
        pytest.skip(f"{GOLDEN.name} is not there: set MONKEY_TRANSFER_DATA to the folder that holds it")
    import h5py
    from scipy.io import loadmat

    truth = loadmat(GOLDEN / "mpii_val_ground_truth.mat")
    positions = truth["pos_gt_src"].transpose(2, 0, 1)
    labelled = truth["jnt_missing"].T == 0
    people = [f"person {i:04d}" for i in range(len(positions))]
    first, last = truth["headboxes_src"]
    lengths = pd.DataFrame({"image_id": people, "name": "head_size", "length": 0.6 * np.hypot(*(last - first))})
    rows = pd.DataFrame({"image_id": np.repeat(people, 16), "keypoint": np.tile(MPII_16.keypoints, len(people))})
    labels = rows.assign(
        x=np.where(labelled, positions[..., 0], np.nan).ravel(),
        y=np.where(labelled, positions[..., 1], np.nan).ravel(),
        labelled=labelled.ravel(),
        visible=labelled.ravel(),
    )
    with h5py.File(GOLDEN / "tompson_predictions.h5") as file:
        tompson = file["preds"][:].transpose(2, 1, 0)
    hourglass = loadmat(GOLDEN / "hg_s8_predictions.mat")["preds"]

    def arm(predicted):
        x, y = predicted.astype(float).reshape(-1, 2).T
        return match(labels, rows.assign(x=x, y=y, likelihood=1.0), lengths)

    return {"hourglass": arm(hourglass), "tompson": arm(tompson)}


@pytest.mark.parametrize(
    "arm, threshold, published",
    [
        ("hourglass", 0.5, 89.092),
        ("hourglass", 0.1, 24.494),
        ("tompson", 0.5, 82.337),
        ("tompson", 0.1, 28.975),
    ],
)
def test_published_scores(golden, arm, threshold, published):
    scores = values(pck_scores(golden[arm]), np.ones(len(golden[arm].people), int))
    assert round(scores["pckh" if threshold == 0.5 else f"pckh@{threshold}"], 3) == published
    curve = pckh.curve(pckh.scored(golden[arm].joints), pckh.curve_thresholds("head_size"))
    at = curve.set_index("threshold")["pck"]
    assert round(at[threshold], 3) == published


def test_pooled_over_joints_at_most_threshold_without_pelvis_and_thorax():
    arm = matched(
        [(5, 0), (5.1, 0), (0, 0), (9, 0), (9, 0)],
        np.ones(5),
        people=["a", "a", "b", "a", "a"],
        keypoints=["right_knee", "left_knee", "right_knee", "pelvis", "thorax"],
    )
    scores = values(pck_scores(arm), [1, 1])
    assert (scores["pckh"], scores["pckh/knee"]) == pytest.approx((200 / 3, 200 / 3))
    assert pckh.pck(pckh.scored(arm.joints), 0.5) == pytest.approx(200 / 3)
    assert pckh.pck(arm.joints, 0.5) == 40


def test_no_joint_no_score():
    assert np.isnan(pckh.pck(matched([(1, 1)], [1]).joints.head(0), 0.5))


@pytest.mark.parametrize(
    "skeleton, sizes",
    [
        (MPII_16, {"head": 2, "other": 2}),
        (LSP_14, {"head": 2}),
        (FULL_HUMAN_14, {"head": 2}),
        (MACAQUEPOSE_17, {"other": 5}),
        (SKELETONS["openmonkeychallenge_17"], {"head": 2, "hip": None, "other": 5}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_keypoints_of_every_set_are_grouped_by_landmark(skeleton, sizes):
    expected = dict.fromkeys(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"), 2) | sizes
    found = pckh.joint_groups(pd.Series(skeleton.keypoints)).value_counts().to_dict()
    assert found == {group: size for group, size in expected.items() if size}


def test_a_keypoint_name_means_the_same_landmark_in_every_set():
    landmarks: dict[str, set[str]] = {}
    for skeleton in SKELETONS.values():
        for keypoint, landmark in skeleton.landmarks:
            landmarks.setdefault(keypoint, set()).add(landmark)
    assert {keypoint for keypoint, meanings in landmarks.items() if len(meanings) > 1} == set()


def test_the_curve_of_one_joint():
    # Right from 0.2 of a head on: 31 of 51 thresholds.
    curve = pckh.curve(matched([(2, 0)], [1]).joints, pckh.curve_thresholds("head_size"))
    assert (curve["pck"] == 100).sum() == 31


def test_the_curve_ends_where_the_yardstick_calls_a_joint_correct():
    assert pckh.curve_thresholds("head_size")[[0, 1, 10, 50]].tolist() == [0, 0.01, 0.1, 0.5]
    assert pckh.curve_thresholds("torso")[-1] == 0.2
