"""COCO keypoint files: as they should be, and as they should not."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monkey_transfer.datasets.coco import read_coco
from monkey_transfer.datasets.framing import framed, in_network_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.images import read_picture
from monkey_transfer.profiles.framing import WholePicture
from monkey_transfer.skeletons import MACAQUEPOSE_17, OPENMONKEYCHALLENGE_17

DATA = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WIDTH, HEIGHT = 100, 80
NAMES = ["nose", "left eye", "right_shoulder", "left_hip"]
POSE = [10, 20, 2, 0, 0, 0, 30, 41, 1, 33, 45, 2]


def content() -> dict:
    """Two pictures: one with one monkey, one with two and an annotation that has no pose."""
    return {
        "images": [
            {"id": 1, "file_name": "one.png", "width": WIDTH, "height": HEIGHT},
            {"id": 7, "file_name": "two.png", "width": WIDTH, "height": HEIGHT},
        ],
        "annotations": [
            {"id": 10, "image_id": 1, "category_id": 3, "keypoints": POSE, "bbox": [5, 10, 40, 50]},
            {"id": 11, "image_id": 7, "category_id": 3, "keypoints": POSE, "bbox": [5, 10, 40, 50]},
            {"id": 12, "image_id": 7, "category_id": 3, "keypoints": POSE},
            {"id": 13, "image_id": 1, "category_id": 3, "keypoints": [0] * 12, "bbox": [0, 0, 5, 5]},
            {"id": 14, "image_id": 1, "category_id": 4, "bbox": [0, 0, 5, 5]},
        ],
        "categories": [{"id": 3, "name": "monkey", "keypoints": NAMES}, {"id": 4, "name": "tree"}],
    }


def read(folder: Path, annotations: dict | str, keypoints: dict[str, str] | None = None):
    """Write the pictures and the file, and read them."""
    (folder / "images").mkdir(exist_ok=True)
    for name in ("one.png", "two.png"):
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / name)
    text = annotations if isinstance(annotations, str) else json.dumps(annotations)
    (folder / "labels.json").write_text(text)
    return read_coco(folder / "labels.json", folder / "images", MACAQUEPOSE_17, keypoints)


def test_one_record_per_annotation_with_a_pose(tmp_path):
    images = read(tmp_path, content()).images
    assert images["image_id"].tolist() == ["one", "two-11", "two-12"]
    assert images["group"].tolist() == ["one.png", "two.png", "two.png"]
    assert [Path(path).name for path in images["path"]] == ["one.png", "two.png", "two.png"]
    assert images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]] * 3


def test_labels_have_a_row_for_every_keypoint_of_the_skeleton(tmp_path):
    labels = read(tmp_path, content()).labels
    assert len(labels) == 3 * 17
    first = labels[labels["image_id"] == "one"].set_index("keypoint")
    assert first.index.tolist() == list(MACAQUEPOSE_17.keypoints)
    assert first.loc[first["labelled"], ["x", "y"]].to_dict("index") == {
        "nose": {"x": 10, "y": 20},
        "right_shoulder": {"x": 30, "y": 41},
        "left_hip": {"x": 33, "y": 45},
    }
    assert first.index[first["visible"]].tolist() == ["nose", "left_hip"]
    assert first.loc["left_eye", ["x", "y"]].isna().all()


@pytest.mark.parametrize("without_extent", [None, [], [5, 10, 0, 50]])
def test_boxes_move_by_half_a_pixel_or_come_from_the_joints(tmp_path, without_extent):
    annotations = content()
    annotations["annotations"][2]["bbox"] = without_extent
    boxes = read(tmp_path, annotations).images[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy()
    assert boxes[0] == pytest.approx([4.5, 9.5, 40, 50])
    # The joints reach from (10, 20) to (33, 45); a tenth of the longer side is 2.5.
    assert boxes[2] == pytest.approx([7.5, 17.5, 28, 30])


def test_reference_lengths_that_the_joints_allow(tmp_path):
    lengths = read(tmp_path, content()).reference_lengths
    assert lengths[lengths["image_id"] == "one"].set_index("name")["length"].to_dict() == pytest.approx(
        {"bbox_length": 50, "torso": 5}
    )


def test_joint_outside_the_picture_and_person_with_one_joint(tmp_path):
    annotations = content()
    annotations["annotations"][0]["keypoints"] = [WIDTH, 20, 2, 0, 0, 0, 30, 41, 1, 33, 45, 2]
    annotations["annotations"][2]["keypoints"] = [10, 20, 2] + [0] * 9
    dataset = read(tmp_path, annotations)
    assert dataset.left_out[["keypoint", "reason"]].values.tolist() == [
        ["", "fewer than 2 labelled joints"],
        ["nose", "the joint lies outside its picture"],
    ]
    assert dataset.images["image_id"].tolist() == ["one", "two-11"]
    assert not dataset.labels.set_index(["image_id", "keypoint"]).loc[("one", "nose"), "labelled"]


def test_a_mapping_names_all_that_is_read(tmp_path):
    """Their 'nose' is one of the skeleton's names, but the mapping does not name it."""
    annotations = broken("categories", 0, keypoints=["nose", "muzzle", "shoulder (R)", "hip"])
    dataset = read(tmp_path, annotations, {"hip": "left_hip", "shoulder (R)": "right_shoulder", "muzzle": "nose"})
    first = dataset.labels[(dataset.labels["image_id"] == "one") & dataset.labels["labelled"]].set_index("keypoint")
    assert first[["x", "y"]].to_dict("index") == {
        "right_shoulder": {"x": 30, "y": 41},
        "left_hip": {"x": 33, "y": 45},
    }
    assert first.index[first["visible"]].tolist() == ["left_hip"]


def test_a_mapping_may_name_keypoints_of_any_category(tmp_path):
    annotations = broken("categories", 1, keypoints=["branch", "eye of a knot"])
    annotations["annotations"][4]["keypoints"] = [7, 8, 2, 9, 10, 2]
    mapping = {"nose": "nose", "left_hip": "left_hip", "branch": "left_wrist", "eye of a knot": "left_eye"}
    labels = read(tmp_path, annotations, mapping).labels
    found = labels[labels["labelled"]].groupby("image_id")["keypoint"].agg(list).to_dict()
    assert found == {
        "one-10": ["nose", "left_hip"],
        "one-14": ["left_eye", "left_wrist"],
        "two-11": ["nose", "left_hip"],
        "two-12": ["nose", "left_hip"],
    }


@pytest.mark.parametrize(
    "keypoints, sentence",
    [
        (
            {"snout": "nose"},
            "the profile's 'keypoints' say 'snout: nose', but the file has no 'snout' .nose, left eye,",
        ),
        ({"left eye": "eye"}, "keypoint 'eye' is not one of skeleton macaquepose_17 .* which of them 'left eye' is"),
        ({"nose": "nose", "left eye": "nose"}, "'nose' and 'left eye' would both be keypoint 'nose'"),
    ],
)
def test_names_that_lead_nowhere(tmp_path, keypoints, sentence):
    with pytest.raises(StudyError, match=f"labels.json: {sentence}") as caught:
        read(tmp_path, content(), keypoints)
    assert "\n" not in str(caught.value)


def test_pictures_of_one_name_in_two_folders(tmp_path):
    annotations = content()
    for picture, folder in zip(annotations["images"], ("s1", "s2"), strict=False):
        picture["file_name"] = f"{folder}/0001.png"
    for folder in ("s1", "s2"):
        (tmp_path / "images" / folder).mkdir(parents=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / folder / "0001.png")
    names = set(read(tmp_path, annotations).images["image_id"])
    assert any(name.startswith("s1-0001") for name in names)
    assert any(name.startswith("s2-0001") for name in names)


def read_tagged(folder: Path, tag: int, stored: tuple[int, int], **said):
    """One picture of that size in the file, black with white spots where POSE is when the picture is shown upright."""
    exif = Image.Exif()
    exif[0x0112] = tag
    shown = np.zeros((*(stored if tag > 4 else stored[::-1]), 3), np.uint8)
    for x, y, v in np.reshape(POSE, (-1, 3)):
        shown[y - 2 : y + 3, x - 2 : x + 3] = 255 * (v > 0)
    lying = {1: shown, 3: np.rot90(shown, 2), 6: np.rot90(shown)}[tag]
    (folder / "images").mkdir()
    Image.fromarray(lying).save(folder / "images" / "one.jpg", exif=exif, quality=95)
    annotations = content()
    annotations["images"] = [{"id": 1, "file_name": "one.jpg", **said}]
    annotations["annotations"] = annotations["annotations"][:1]
    (folder / "labels.json").write_text(json.dumps(annotations))
    return read_coco(folder / "labels.json", folder / "images", MACAQUEPOSE_17)


@pytest.mark.parametrize("tag, stored", [(1, (WIDTH, HEIGHT)), (6, (HEIGHT, WIDTH))])
def test_a_picture_is_turned_to_the_size_that_its_labels_state(tmp_path, tag, stored):
    dataset = read_tagged(tmp_path, tag, stored, width=WIDTH, height=HEIGHT)
    assert dataset.images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]]
    frames = framed(dataset, WholePicture(framing="whole", size=(2 * WIDTH, 2 * HEIGHT)), tmp_path / "frames")
    joints = in_network_pixels(dataset.labels[dataset.labels["labelled"]], frames)
    columns, rows = joints[["x", "y"]].round().astype(int).to_numpy().T
    assert (read_picture(frames["path"].item())[rows, columns] > 200).all()


def test_a_picture_whose_labels_state_its_stored_size_is_not_turned(tmp_path):
    images = read_tagged(tmp_path, 6, (WIDTH, HEIGHT), width=WIDTH, height=HEIGHT).images
    assert images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]]


@pytest.mark.parametrize(
    "tag, stored, said",
    [
        (3, (WIDTH, HEIGHT), {"width": WIDTH, "height": HEIGHT}),
        (6, (WIDTH, WIDTH), {"width": WIDTH, "height": WIDTH}),
        (6, (HEIGHT, WIDTH), {}),
    ],
    ids=["upside down", "square", "no size"],
)
def test_a_tag_that_the_labels_may_follow_or_not_is_refused(tmp_path, tag, stored, said):
    with pytest.raises(StudyError, match=f"one.jpg: its EXIF orientation is {tag}, and .*labels.json does not tell"):
        read_tagged(tmp_path, tag, stored, **said)


def test_an_untagged_picture_needs_no_size(tmp_path):
    assert len(read_tagged(tmp_path, 1, (WIDTH, HEIGHT))) == 1
    annotations = content()
    for picture in annotations["images"]:
        del picture["height"]
    assert len(read(tmp_path, annotations)) == 3
    annotations["images"][0]["width"] = 640
    with pytest.raises(StudyError, match="one.png: the picture is 100 x 80 pixels, but .* says 640 x 80"):
        read(tmp_path, annotations)


def broken(part: str, position: int, **changes) -> dict:
    annotations = content()
    annotations[part][position].update(changes)
    return annotations


@pytest.mark.parametrize(
    "annotations, sentence",
    [
        ("", "labels.json: not JSON"),
        ("{'images': []}", "labels.json: not JSON"),
        ("[]", "labels.json: there is no list 'images' in it"),
        ({"images": [], "annotations": []}, "labels.json: there is no list 'categories' in it"),
        ({"images": [], "annotations": [], "categories": []}, "labels.json: the data set is empty"),
        ({"images": [{"id": 1}], "annotations": [], "categories": []}, "entry 0 of 'images' lacks 'file_name'"),
        ({"images": ["a.png"], "annotations": [], "categories": []}, "entry 0 of 'images' lacks 'id'"),
        (broken("categories", 0, keypoints=["snout", *NAMES[1:]]), "keypoint 'snout' is not one of .*macaquepose_17"),
        (broken("images", 1, file_name="one.png"), "2 pictures have the file_name 'one.png'"),
        (broken("annotations", 2, id=11), "labels.json: 2 labels are all two-11, of the picture .*two.png: keep one"),
        (broken("images", 1, id=1), "2 pictures have the id 1"),
        (broken("images", 1, file_name="gone.png"), "1 of 2 labelled pictures are missing, the first is .*gone.png"),
        (broken("images", 0, width=640), "one.png: the picture is 100 x 80 pixels, but .* says 640 x 80"),
        (broken("annotations", 1, image_id=99), "annotation 11 belongs to picture 99, which is not listed"),
        (broken("annotations", 0, keypoints=POSE[:-1]), "annotation 10 needs a list of 12 numbers under 'keypoints'"),
        (broken("annotations", 0, keypoints=["a"] * 12), "annotation 10 needs a list of 12 numbers under 'keypoints'"),
        (broken("annotations", 0, bbox=[1, 2, 3]), "annotation 10 needs a list of 4 numbers under 'bbox'"),
        (broken("annotations", 1, keypoints=[float("nan"), *POSE[1:]]), "joint nose of picture two-11 is marked as"),
        (broken("annotations", 1, keypoints=[None, *POSE[1:]]), "joint nose of picture two-11 is marked as"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, annotations, sentence):
    with pytest.raises(StudyError, match=sentence) as caught:
        read(tmp_path, annotations)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(StudyError, match=r"labels.json: cannot be read \(No such file"):
        read_coco(tmp_path / "labels.json", tmp_path, MACAQUEPOSE_17)


@pytest.mark.skipif(not (DATA / "omc_crops").is_dir(), reason=f"no omc_crops in {DATA}: set MONKEY_TRANSFER_DATA")
def test_recovered_openmonkeychallenge_crops():
    folder = DATA / "omc_crops"
    dataset = read_coco(folder / "annotations.json", folder / "images", OPENMONKEYCHALLENGE_17)
    assert len(dataset) == 564
    assert dataset.labels["labelled"].sum() == 9546
    # Read from the file by hand: the first annotation.
    first = dataset.labels[dataset.labels["image_id"] == "omc_0001"].set_index("keypoint")
    assert first.loc["tail", ["x", "y"]].tolist() == [116.9, 150.7]
    assert dataset.images.loc[0, ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].tolist() == pytest.approx(
        [67.8, 95.8, 56.6, 62.4]
    )
    # It has no hips, hence no torso.
    assert set(dataset.reference_lengths["name"]) == {"bbox_length", "head_segment"}
    assert np.isfinite(dataset.reference_lengths["length"]).all()
