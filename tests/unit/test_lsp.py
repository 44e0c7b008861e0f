"""LSP and LSPET: two layouts of one kind of file, and what is wrong with files of their kind."""

import os
from pathlib import Path

import numpy as np
import pytest
from bad_input import refused
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_array

from monkey_transfer.datasets.assembly import GET_IT
from monkey_transfer.datasets.lsp import read_lsp
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import LSP_14

DATA = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WIDTH, HEIGHT = 100, 80
RIGHT_SHOULDER, LEFT_SHOULDER, RIGHT_HIP, LEFT_HIP, NECK, HEAD_TOP = 8, 9, 2, 3, 12, 13


def poses(people: int) -> np.ndarray:
    """(people, 14, 3) joints in a row at (10 + 5 k, 20 + k), all flagged 1."""
    joints = np.ones((people, 14, 3))
    joints[..., 0] = 10 + 5 * np.arange(14)
    joints[..., 1] = 20 + np.arange(14)
    return joints


def write(folder: Path, joints: np.ndarray, digits: int) -> Path:
    (folder / "images").mkdir()
    extended = digits == 5
    savemat(folder / "joints.mat", {"joints": joints.transpose(1, 2, 0) if extended else joints.transpose(2, 1, 0)})
    for number in range(1, len(joints) + 1):
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / f"im{number:0{digits}d}.jpg")
    return folder


def write_lspet(folder: Path, joints: np.ndarray) -> Path:
    return write(folder, joints, digits=5)


def write_lsp(folder: Path, joints: np.ndarray) -> Path:
    return write(folder, joints, digits=4)


def joint(dataset, image_id: str, keypoint: str):
    labels = dataset.labels
    return labels[(labels["image_id"] == image_id) & (labels["keypoint"] == keypoint)].iloc[0]


def lengths(dataset, image_id: str) -> dict[str, float]:
    table = dataset.reference_lengths
    return table[table["image_id"] == image_id].set_index("name")["length"].to_dict()


def test_lspet_flag_one_means_labelled(tmp_path):
    joints = poses(2)
    joints[1, 0] = (-40, -30, 0)
    dataset = read_lsp(write_lspet(tmp_path, joints))
    assert dataset.name == "LSPET"
    assert dataset.images["image_id"].tolist() == ["im00001", "im00002"]
    assert dataset.images["split"].tolist() == ["train", "train"]
    assert dataset.images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]] * 2
    assert all(Path(path).is_file() for path in dataset.images["path"])
    assert len(dataset.labels) == 2 * 14
    knee = joint(dataset, "im00002", "right_knee")
    assert (knee["x"], knee["y"], knee["labelled"], knee["visible"]) == (15, 21, True, True)
    ankle = joint(dataset, "im00002", "right_ankle")
    assert np.isnan(ankle["x"])
    assert not ankle["labelled"]
    assert not ankle["visible"]


def test_lsp_flag_one_means_hidden_but_labelled(tmp_path):
    joints = poses(4)
    joints[:, 1:, 2] = 0
    dataset = read_lsp(write_lsp(tmp_path, joints))
    assert dataset.name == "LSP"
    assert dataset.images["image_id"].tolist() == ["im0001", "im0002", "im0003", "im0004"]
    assert dataset.images["split"].tolist() == ["train", "train", "test", "test"]
    assert dataset.labels["labelled"].all()
    assert not joint(dataset, "im0001", "right_ankle")["visible"]
    assert joint(dataset, "im0001", "right_knee")["visible"]
    assert joint(dataset, "im0001", "right_knee")["x"] == 15


def test_box_is_that_of_the_labelled_joints_and_a_tenth(tmp_path):
    joints = poses(1)
    joints[0, 10:, 2] = 0
    images = read_lsp(write_lspet(tmp_path, joints)).images
    # Joints 0 to 9 reach from (10, 20) to (55, 29); a tenth of the longer side is 4.5.
    assert images[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy()[0] == pytest.approx([5.5, 15.5, 54, 18])


def test_reference_lengths(tmp_path):
    joints = poses(3)
    joints[1, [NECK, RIGHT_SHOULDER], 2] = 0
    joints[2, [LEFT_SHOULDER, RIGHT_SHOULDER], 2] = 0
    joints[2, HEAD_TOP] = joints[2, NECK]
    dataset = read_lsp(write_lspet(tmp_path, joints))
    step = np.hypot(5, 1)
    box = 13 * 5 * 1.2
    assert lengths(dataset, "im00001") == pytest.approx(
        {"bbox_length": box, "head_segment": step, "torso": (RIGHT_SHOULDER - LEFT_HIP) * step}
    )
    # Without the right shoulder it is the other diagonal, and without the neck there is no head segment.
    assert lengths(dataset, "im00002") == pytest.approx(
        {"bbox_length": box, "torso": (LEFT_SHOULDER - RIGHT_HIP) * step}
    )
    # A head segment of length zero is no yardstick.
    assert lengths(dataset, "im00003").keys() == {"bbox_length"}


def test_joints_outside_and_people_without_joints_are_counted(tmp_path):
    joints = poses(3)
    joints[0, 0, :2] = (-0.6, 20)
    joints[0, 1, :2] = (WIDTH - 0.4, 20)
    joints[0, 2, :2] = (-0.5, HEIGHT - 0.5)
    joints[1, 1:, 2] = 0
    dataset = read_lsp(write_lspet(tmp_path, joints))
    assert dataset.left_out.values.tolist() == [
        ["im00002", "", "fewer than 2 labelled joints"],
        ["im00001", "right_ankle", "the joint lies outside its picture"],
        ["im00001", "right_knee", "the joint lies outside its picture"],
    ]
    assert dataset.images["image_id"].tolist() == ["im00001", "im00003"]
    assert not joint(dataset, "im00001", "right_ankle")["labelled"]
    assert not joint(dataset, "im00001", "right_knee")["labelled"]
    # The edge of the outermost pixels is still inside.
    assert joint(dataset, "im00001", "right_hip")["labelled"]


def test_unlabelled_nan_is_fine_and_labelled_nan_is_not(tmp_path):
    joints = poses(2)
    joints[1, 4] = (np.nan, np.nan, 0)
    assert len(read_lsp(write_lspet(tmp_path, joints))) == 2
    joints[1, 4, 2] = 1
    savemat(tmp_path / "joints.mat", {"joints": joints.transpose(1, 2, 0)})
    sentence = "joint left_knee of picture im00002 is marked as labelled but has no finite"
    with refused("LSP file", "NaN at a labelled joint", match=sentence):
        read_lsp(tmp_path)


def test_one_picture_whose_last_dimension_matlab_dropped(tmp_path):
    write_lspet(tmp_path, poses(1))
    savemat(tmp_path / "joints.mat", {"joints": poses(1)[0]})
    assert len(read_lsp(tmp_path)) == 1


def test_missing_pictures_are_counted_and_the_first_is_named(tmp_path):
    write_lspet(tmp_path, poses(4))
    for number in (2, 4):
        (tmp_path / "images" / f"im0000{number}.jpg").unlink()
    sentence = f"2 of 4 labelled pictures are missing, the first is .*im00002.jpg: {GET_IT}$"
    with refused("LSP file", "missing pictures", match=sentence):
        read_lsp(tmp_path)


def test_pictures_of_another_size_than_was_labelled(tmp_path):
    joints = poses(100)
    joints[3, 6:, 0] += WIDTH
    joints[4, :8, 2] = 0
    joints[4, :8, 0] += WIDTH  # unlabelled ones do not count
    assert len(read_lsp(write_lspet(tmp_path, joints))) == 100
    Image.new("RGB", (WIDTH // 3, HEIGHT // 3)).save(tmp_path / "images" / "im00009.jpg")
    sentence = "most joints of 2 of 100 pictures lie outside them, the first is .*im00004.jpg with 100 x 80"
    with refused("LSP file", "pictures of another size", match=sentence):
        read_lsp(tmp_path)


def test_a_picture_that_is_none(tmp_path):
    write_lspet(tmp_path, poses(2))
    (tmp_path / "images" / "im00002.jpg").write_bytes(b"")
    with pytest.raises(StudyError, match="im00002.jpg: not a whole picture"):
        read_lsp(tmp_path)


def test_empty_data_set(tmp_path):
    savemat(tmp_path / "joints.mat", {"joints": np.zeros((14, 3, 0))})
    with refused("LSP file", "no pictures", match="joints.mat: the data set is empty"):
        read_lsp(tmp_path)


@pytest.mark.parametrize(
    "what, variables, sentence",
    [
        ("another variable", {"points": np.zeros((14, 3, 1))}, "there is no 'joints' in it"),
        (
            "sixteen joints",
            {"joints": np.zeros((16, 3, 5))},
            r"'joints' has shape \(16, 3, 5\): expected \(14, 3, number",
        ),
        ("flags of 2", {"joints": np.full((14, 3, 1), 2.0)}, "expected flags of 0 and 1 beside the positions, found 2"),
        ("flags of NaN", {"joints": np.full((14, 3, 1), np.nan)}, "expected flags of 0 and 1 .*, found nan"),
        ("words for joints", {"joints": "left"}, "'joints' holds no plain numbers"),
        ("a cell of joints", {"joints": np.array([[1.0], "a"], object)}, "'joints' holds no plain numbers"),
        ("a sparse matrix", {"joints": csc_array(np.ones((14, 3)))}, "'joints' holds no plain numbers"),
    ],
)
def test_mat_files_of_another_layout(tmp_path, what, variables, sentence):
    savemat(tmp_path / "joints.mat", variables)
    with refused("LSP file", what, match=f"joints.mat: {sentence}"):
        read_lsp(tmp_path)


@pytest.mark.parametrize(
    "what, content", [("an empty file", b""), ("words", b"no matrix at all"), ("other bytes", b"x" * 4000)]
)
def test_bytes_that_are_no_mat_file(tmp_path, what, content):
    (tmp_path / "joints.mat").write_bytes(content)
    with refused("LSP file", what, match="joints.mat: not a readable .mat file"):
        read_lsp(tmp_path)


def test_one_missing_picture_in_a_hundred_is_left_out_and_said(tmp_path):
    folder = write_lspet(tmp_path, poses(100))
    (folder / "images" / "im00007.jpg").unlink()
    dataset = read_lsp(folder)
    assert len(dataset) == 99
    assert dataset.left_out.values.tolist() == [["im00007", "", "the picture is missing"]]
    (folder / "images" / "im00008.jpg").unlink()
    with pytest.raises(StudyError, match="2 of 100 labelled pictures are missing, the first is .*im00007.jpg"):
        read_lsp(folder)


def test_people_without_the_yardstick_are_left_out_and_said(tmp_path):
    joints = poses(3)
    joints[1, HEAD_TOP, 2] = 0
    dataset = read_lsp(write_lspet(tmp_path, joints)).measured_by("head_segment")
    assert dataset.images["image_id"].tolist() == ["im00001", "im00003"]
    assert dataset.left_out.values.tolist() == [["im00002", "", "the yardstick head_segment is not known"]]
    sentence = "yardstick 'head_size' is not known for any picture .* one of bbox_length, "
    with refused("profile", "a yardstick that no picture has", match=sentence):
        dataset.measured_by("head_size")


def test_no_mat_file(tmp_path):
    with refused("LSP file", "no file", match=f"joints.mat: there is no such file.*; {GET_IT}$"):
        read_lsp(tmp_path)


@pytest.mark.skipif(not (DATA / "lspet").is_dir(), reason=f"no LSPET in {DATA}: set MONKEY_TRANSFER_DATA")
def test_the_release():
    dataset = read_lsp(DATA / "lspet")
    assert dataset.left_out["reason"].value_counts().to_dict() == {"the joint lies outside its picture": 4}
    assert dataset.skeleton is LSP_14
    assert len(dataset) == 8000
    assert dataset.labels["labelled"].sum() == 98_489 - 4
    # Read from the file by hand: joints(2, :, 1), joints(13:14, :, 1) and the header of the first picture.
    knee = joint(dataset, "im00001", "right_knee")
    assert (knee["x"], knee["y"]) == pytest.approx((26.0309, 86.4102), abs=1e-4)
    assert dataset.images.loc[0, ["width", "height"]].tolist() == [157, 105]
    assert lengths(dataset, "im00001")["head_segment"] == pytest.approx(np.hypot(19.6835, 3.1894), abs=1e-3)
    # The README: people are scaled to roughly 150 pixels.
    boxes = dataset.reference_lengths.query("name == 'bbox_length'")["length"]
    assert 120 < boxes.median() < 180
