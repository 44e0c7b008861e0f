"""Rendered primates: the same every time, plausible, and labelled as what is drawn."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.rendered import SPECIES, render, rendered_dataset
from monkey_transfer.rendered.bodies import BUILDERS
from monkey_transfer.rendered.drawing import Camera, outline, rasterise, view_turn
from monkey_transfer.rendered.kinematics import LIMITS
from monkey_transfer.rendered.parts import WORLD, Body
from monkey_transfer.rendered.postures import POSE_NAMES, draw_pose
from monkey_transfer.rendered.rendering import FLESH, in_sight
from monkey_transfer.skeletons import MPII_16

SIZE = 64


def digest(drawn) -> str:
    return hashlib.sha256(drawn.image.tobytes() + drawn.joints.tobytes() + drawn.visible.tobytes()).hexdigest()


def straight_camera(yaw: float, target=(0.0, 0.0, 0.0)) -> Camera:
    """100 pixels a unit, from far away, the target in the middle of 160 pixels."""
    return Camera(view_turn(yaw, 0, 0), np.array(target), 100.0, np.array([80.0, 80.0]), 1000.0)


@pytest.mark.parametrize("species", SPECIES)
def test_same_arguments_give_the_same_bytes_and_others_do_not(species):
    first = digest(render(species, 5, 3, SIZE))
    assert first == digest(render(species, 5, 3, SIZE))
    assert first != digest(render(species, 5, 4, SIZE))
    assert first != digest(render(species, 6, 3, SIZE))


def test_a_picture_does_not_depend_on_how_many_are_asked_for(tmp_path):
    few, more = (rendered_dataset("human", n, 1, tmp_path / str(n), SIZE) for n in (2, 4))
    for a, b in zip(few.images["path"], more.images["path"], strict=False):
        assert Path(a).read_bytes() == Path(b).read_bytes()
    assert few.labels.equals(more.labels[: 2 * 16])


@pytest.mark.parametrize("species", SPECIES)
def test_every_joint_stays_within_its_limits_and_every_pose_occurs(species):
    poses = [draw_pose(species, np.random.default_rng([9, i])) for i in range(150)]
    for pose in poses:
        assert set(pose.angles) == set(LIMITS[species])
        for name, angle in pose.angles.items():
            low, high = LIMITS[species][name]
            assert low <= angle <= high, f"{pose.kind.name}: {name} is {angle}"
    assert {pose.kind.name for pose in poses} == set(POSE_NAMES)


@pytest.mark.parametrize("species", SPECIES)
def test_bones_keep_their_length_and_feet_stand_on_one_ground(species):
    for i in range(60):
        pose = draw_pose(species, np.random.default_rng([4, i]))
        joints = pose.joints()
        shank = np.linalg.norm(joints["left_knee"] - joints["left_ankle"])
        assert shank == pytest.approx(pose.bones.shank)
        if pose.kind.name == "standing":
            assert abs(joints["left_ankle"][1] - joints["right_ankle"][1]) < 0.06


@pytest.mark.parametrize("species", SPECIES)
def test_joints_lie_in_the_box_and_nearly_all_in_the_picture(species):
    drawn = [render(species, 2, i, SIZE) for i in range(25)]
    joints = np.array([d.joints for d in drawn])
    inside = ((joints >= -0.5) & (joints <= SIZE - 0.5)).all(axis=-1)
    assert inside.mean() > 0.95
    boxes = np.array([d.bbox for d in drawn])[:, None]
    held = (joints >= boxes[..., :2]).all(-1) & (joints <= boxes[..., 2:]).all(-1)
    assert held[inside].all()
    assert not np.array([d.visible for d in drawn])[~inside].any()
    assert all(SIZE * 0.04 < d.head_size < SIZE * 0.4 for d in drawn)


def test_a_point_is_out_of_sight_behind_a_ball_outside_the_picture_and_not_in_front_of_the_ball():
    body = Body()
    body.blob(WORLD, (0, 0, 0), (0.2, 0.2, 0.2), "skin")
    camera = straight_camera(0)
    surface = rasterise(camera.look(body.solids()), 160)
    world = np.array([[0, 0, -0.5], [0, 0, 0.3], [0, 0, 0.15], [0.5, 0, -0.5], [2.0, 0, 0.0]])
    pixels, _ = camera.project(world)
    assert in_sight(surface, pixels, np.full(5, 10.0), 160).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("species", SPECIES)
def test_from_one_side_the_other_hip_is_hidden(species):
    seeds = (np.random.default_rng([1, i]) for i in range(100))
    pose = next(p for p in (draw_pose(species, rng) for rng in seeds) if p.kind.name == "standing")
    body = BUILDERS[species](pose, np.random.default_rng(0))
    joints = np.array([pose.joints()[name] for name in MPII_16.keypoints])
    right, left = MPII_16.keypoints.index("right_hip"), MPII_16.keypoints.index("left_hip")
    # Turned by 90 degrees about the vertical the front points to the picture's right: the right side is near.
    for yaw, near, far in ((90, right, left), (-90, left, right)):
        camera = straight_camera(yaw, joints[6])
        surface = rasterise(camera.look(body.solids()), 160)
        pixels, scales = camera.project(joints)
        visible = in_sight(surface, pixels, FLESH * scales, 160)
        assert visible[near]
        assert not visible[far]


def test_depth_of_a_ball_and_of_a_capsule_is_exact():
    body = Body()
    body.blob(WORLD, (-0.4, 0, 0), (0.2, 0.1, 0.3), "skin")
    body.cone(WORLD, (0.2, 0, 0), (0.6, 0, 0), (0.1, 0.1), "skin")
    seen = straight_camera(0).look(body.solids())
    depth = rasterise(seen, 160).depth
    row, ball, capsule = (int((80 + 0.5) * 1.5 + along * 150) for along in (0, -0.4, 0.4))
    assert depth[row, ball] == pytest.approx(30, abs=0.1)
    assert depth[row, capsule] == pytest.approx(10, abs=0.1)
    assert outline(seen.boxes) == pytest.approx([20, 70, 150, 90], abs=0.1)


def test_dataset_keeps_the_contract(tmp_path):
    dataset = rendered_dataset("macaque", 3, 7, tmp_path / "pictures", SIZE)
    assert (dataset.name, dataset.skeleton, dataset.rendered) == ("rendered macaques", MPII_16, True)
    assert dataset.images["image_id"].tolist() == ["macaque-7-00000", "macaque-7-00001", "macaque-7-00002"]
    assert (dataset.images["group"] == dataset.images["image_id"]).all()
    assert len(dataset.labels) == 3 * 16
    lengths = dataset.reference_lengths.pivot(index="image_id", columns="name", values="length")
    assert set(lengths) == {"head_size", "head_segment", "bbox_length", "torso"}
    drawn = render("macaque", 7, 1, SIZE)
    assert np.array_equal(cv2.imread(dataset.images["path"][1])[..., ::-1], drawn.image)
    assert lengths.loc["macaque-7-00001", "head_size"] == pytest.approx(drawn.head_size)
    rows = dataset.labels[dataset.labels["image_id"] == "macaque-7-00001"]
    assert rows["keypoint"].tolist() == list(MPII_16.keypoints)
    assert np.array_equal(rows[["x", "y"]].to_numpy()[rows["labelled"]], drawn.joints[rows["labelled"]])
    assert np.array_equal(rows["visible"], drawn.visible)


def test_half_written_folder_is_completed_and_a_finished_one_left_alone(tmp_path):
    whole = rendered_dataset("human", 55, 3, tmp_path, 32)
    stamps = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    lost = tmp_path / "human-3-00052.png"
    content = lost.read_bytes()
    lost.unlink()
    again = rendered_dataset("human", 55, 3, tmp_path, 32)
    assert lost.read_bytes() == content
    assert again.labels.equals(whole.labels)
    kept = {p.name for p in tmp_path.iterdir() if p.stat().st_mtime_ns == stamps[p.name]}
    assert {"human-3-00000.png", "human-3-00049.png", "labels-00000.parquet", "manifest.json"} <= kept
    assert set(stamps) == {p.name for p in tmp_path.iterdir()}


def test_processes_do_not_change_the_pictures(tmp_path):
    one, two = (rendered_dataset("human", 51, 3, tmp_path / str(n), 32, processes=n) for n in (1, 2))
    assert one.labels.equals(two.labels)
    assert Path(one.images["path"][50]).read_bytes() == Path(two.images["path"][50]).read_bytes()


def test_a_folder_of_other_pictures_is_refused(tmp_path):
    rendered_dataset("human", 1, 3, tmp_path / "a", 32)
    with pytest.raises(StudyError, match=r"a: expected .* made from .*'seed': 4.* but it holds .*'seed': 3"):
        rendered_dataset("human", 1, 4, tmp_path / "a", 32)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "holiday.png").touch()
    with pytest.raises(StudyError, match="expected an empty folder .* but it holds something else"):
        rendered_dataset("human", 1, 3, tmp_path / "b", 32)


def test_unknown_species_and_no_pictures_are_refused(tmp_path):
    with pytest.raises(StudyError, match="'gibbon' cannot be rendered: choose one of human, macaque"):
        render("gibbon", 0, 0)
    with pytest.raises(StudyError, match="expected at least 1"):
        rendered_dataset("human", 0, 0, tmp_path)
