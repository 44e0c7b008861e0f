import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.measure.pose_space import common_landmarks, coverage, mirrored, normalised_poses, variety
from monkey_transfer.skeletons import FULL_HUMAN_14, LIMB_JOINTS, LSP_14, SKELETONS, Skeleton

JOINTS = len(LSP_14.keypoints)
RNG = np.random.default_rng(0)
# Joints in general position, never all at one point.
POINTS = arrays(float, (3, JOINTS, 2), elements=st.integers(0, 20).map(float)).map(
    lambda points: points + 30 * np.arange(JOINTS)[:, None]
)

unhurried = settings(deadline=None, max_examples=30)


def dataset_of(points, skeleton: Skeleton = LSP_14) -> Dataset:
    """People with these joints (people, keypoints, 2); NaN is not labelled."""
    points = np.asarray(points, float)
    ids = [f"p{i}" for i in range(len(points))]
    labelled = np.isfinite(points).all(axis=-1).ravel()
    images = pd.DataFrame({"image_id": ids, "path": ids, "width": 100, "height": 100, "group": ids, "split": "all"})
    return Dataset(
        name="hand",
        skeleton=skeleton,
        images=images.assign(bbox_x=0.0, bbox_y=0.0, bbox_w=100.0, bbox_h=100.0),
        labels=pd.DataFrame(
            {
                "image_id": np.repeat(ids, points.shape[1]),
                "keypoint": np.tile(skeleton.keypoints, len(points)),
                "x": points[..., 0].ravel(),
                "y": points[..., 1].ravel(),
                "labelled": labelled,
                "visible": labelled,
            }
        ),
        reference_lengths=pd.DataFrame({"image_id": ids, "name": "torso", "length": 1.0}),
    )


@unhurried
@given(points=POINTS, shift=st.tuples(st.integers(-500, 500), st.integers(-500, 500)), scale=st.floats(0.01, 100))
def test_place_and_size_do_not_matter(points, shift, scale):
    _, poses = normalised_poses(dataset_of(points))
    _, moved = normalised_poses(dataset_of(points * scale + shift))
    np.testing.assert_allclose(moved, poses, atol=1e-6)


@unhurried
@given(points=POINTS)
def test_hips_in_the_origin_and_unit_size(points):
    _, poses = normalised_poses(dataset_of(points))
    hips = [LIMB_JOINTS.index("right_hip"), LIMB_JOINTS.index("left_hip")]
    np.testing.assert_allclose(poses[:, hips].mean(axis=1), 0, atol=1e-9)
    from_centre = poses - poses.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(np.mean(np.sum(from_centre**2, axis=-1), axis=-1), 1)


def test_a_line_by_hand():
    # Four joints at x = 0, 2, 4, 6: the centre is 3, the body size sqrt((9 + 1 + 1 + 9) / 4) = sqrt(5).
    points = np.full((1, JOINTS, 2), np.nan)
    line = ("right_shoulder", "right_hip", "left_hip", "left_shoulder")
    for x, keypoint in zip((0, 2, 4, 6), line, strict=True):
        points[0, LSP_14.keypoints.index(keypoint)] = (x, 7)
    _, poses = normalised_poses(dataset_of(points), line)
    np.testing.assert_allclose(poses[0], np.transpose([(-3, -1, 1, 3), (0, 0, 0, 0)]) / np.sqrt(5), atol=1e-12)


def test_without_both_hips_the_centre_of_all_joints_is_the_origin():
    people, monkeys = (
        dataset_of(RNG.uniform(0, 99, (1, JOINTS, 2))),
        dataset_of(RNG.uniform(0, 99, (1, 17, 2)), SKELETONS["openmonkeychallenge_17"]),
    )
    landmarks = common_landmarks(people, monkeys)
    assert len(landmarks) == 12
    assert not {"right_hip", "left_hip", "pelvis"} & set(landmarks)
    _, poses = normalised_poses(dataset_of(RNG.uniform(0, 99, (4, JOINTS, 2))), landmarks)
    np.testing.assert_allclose(poses.mean(axis=1), 0, atol=1e-12)


def test_a_landmark_that_nobody_labels_is_not_common():
    points = RNG.uniform(0, 99, (3, JOINTS, 2))
    lacking = points.copy()
    lacking[:, LSP_14.keypoints.index("head_top")] = np.nan
    landmarks = common_landmarks(dataset_of(points), dataset_of(lacking))
    assert landmarks == tuple(landmark for _, landmark in LSP_14.landmarks if landmark != "head_top")
    with pytest.raises(StudyError, match="label no landmark that both have"):
        common_landmarks(dataset_of(points), dataset_of(np.full_like(points, np.nan)))


def test_the_same_person_in_two_keypoint_sets_has_one_pose():
    points = RNG.uniform(0, 99, (2, JOINTS, 2))
    landmarks = common_landmarks(dataset_of(points), dataset_of(points, FULL_HUMAN_14))
    assert landmarks == tuple(landmark for _, landmark in LSP_14.landmarks)
    order = [LSP_14.keypoints.index(LSP_14.keypoint_of[landmark]) for _, landmark in FULL_HUMAN_14.landmarks]
    _, poses = normalised_poses(dataset_of(points), landmarks)
    _, other = normalised_poses(dataset_of(points[:, order], FULL_HUMAN_14), landmarks)
    np.testing.assert_array_equal(other, poses)


def test_pictures_that_lack_a_landmark_are_left_out():
    points = RNG.uniform(0, 99, (3, JOINTS, 2))
    points[1, LSP_14.keypoints.index("left_knee")] = np.nan
    points[2, LSP_14.keypoints.index("head_top")] = np.nan  # not a limb joint
    image_ids, poses = normalised_poses(dataset_of(points))
    assert list(image_ids) == ["p0", "p2"]
    np.testing.assert_array_equal(poses[1], normalised_poses(dataset_of(points).subset(["p2"]))[1][0])


def unlabelled_knees():
    points = RNG.uniform(0, 99, (2, JOINTS, 2))
    points[:, LSP_14.keypoints.index("left_knee")] = np.nan
    return dataset_of(points)


def test_poses_that_cannot_be_normalised_are_left_out():
    at_one_point = np.concatenate([np.full((1, JOINTS, 2), 0.1), RNG.uniform(0, 99, (1, JOINTS, 2))])
    image_ids, poses = normalised_poses(dataset_of(at_one_point))
    assert image_ids.tolist() == ["p1"]
    image_ids, poses = normalised_poses(unlabelled_knees())
    assert poses.shape == (0, len(LIMB_JOINTS), 2)
    assert not len(image_ids)


def test_a_landmark_that_the_skeleton_lacks_is_an_error():
    with pytest.raises(StudyError, match="has no right_hip, left_hip"):
        normalised_poses(dataset_of(RNG.uniform(0, 99, (1, 17, 2)), SKELETONS["openmonkeychallenge_17"]))


def along_a_line(*steps) -> np.ndarray:
    """Poses of two joints that both move to the right, by these distances."""
    return np.stack([np.full((2, 2), [step, 0.0]) for step in steps])


def test_variety_by_hand():
    found = variety(along_a_line(0, 1, 3))
    assert found["poses"] == 3
    assert found["total_variance"] == pytest.approx(np.var([0, 1, 3]))
    assert found["effective_dimension"] == pytest.approx(1)
    assert found["nearest_neighbour"] == pytest.approx(1)  # of 1, 1 and 2


def test_effective_dimension_counts_equal_directions():
    corners = [np.array([[x, y], [0, z]], float) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    assert variety(np.stack(corners))["effective_dimension"] == pytest.approx(3)


def test_equal_poses_have_no_variety():
    found = variety(along_a_line(2, 2, 2))
    assert (found["total_variance"], found["nearest_neighbour"]) == (0, 0)
    assert np.isnan(found["effective_dimension"])


def test_coverage_by_hand():
    np.testing.assert_allclose(coverage(of=along_a_line(0, 5, 9), by=along_a_line(1, 10)), [1, 4, 1])


@given(poses=arrays(float, (6, 4, 2), elements=st.integers(-9, 9).map(float)))
def test_coverage_agrees_with_all_pairs(poses):
    of, by = poses[:2], poses[2:]
    distances = np.sqrt(np.mean(np.sum((of[:, None] - by) ** 2, axis=-1), axis=-1))
    np.testing.assert_allclose(coverage(of, by), distances.min(axis=1), atol=1e-9)


@unhurried
@given(poses=arrays(float, (3, len(LIMB_JOINTS), 2), elements=st.integers(-9, 9).map(float)))
def test_a_mirror_image_twice_is_the_pose(poses):
    np.testing.assert_array_equal(mirrored(mirrored(poses, LIMB_JOINTS), LIMB_JOINTS), poses)


def test_a_mirror_image_by_hand():
    pose = np.array([[[1, 2], [3, 4], [5, 6]]])
    image = mirrored(pose, ("right_knee", "head_top", "left_knee"))
    np.testing.assert_array_equal(image, [[[-5, 6], [-3, 4], [-1, 2]]])


def test_one_side_alone_has_no_mirror_image():
    with pytest.raises(StudyError, match="right_knee without the same of the other side"):
        mirrored(np.zeros((1, 2, 2)), ("right_knee", "head_top"))
