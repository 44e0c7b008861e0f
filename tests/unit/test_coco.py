"""COCO keypoint files: as they should be, and as they should not."""

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from bad_input import refused
from PIL import Image

from monkey_transfer.datasets.coco import folder_of_pictures, labelled_keypoints, read_coco
from monkey_transfer.datasets.pictures import framed, in_network_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.images import read_picture
from monkey_transfer.profiles.framing import WholePicture
from monkey_transfer.skeletons import MACAQUEPOSE_17, SKELETONS

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


def read(folder: Path, annotations: object, keypoints: dict[str, str] | None = None):
    """Write the pictures and the file, and read them."""
    (folder / "images").mkdir(exist_ok=True)
    for name in ("one.png", "two.png"):
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / name)
    text = annotations if isinstance(annotations, str | bytes) else json.dumps(annotations)
    (folder / "labels.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_coco(folder / "labels.json", folder / "images", MACAQUEPOSE_17, keypoints)


def test_one_record_per_annotation_with_a_pose(tmp_path):
    images = read(tmp_path, content()).images
    assert images["image_id"].tolist() == ["one", "two-11", "two-12"]
    assert images["group"].tolist() == ["one.png", "two.png", "two.png"]
    assert [Path(path).name for path in images["path"]] == ["one.png", "two.png", "two.png"]
    assert images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]] * 3


def test_labels_have_a_row_for_every_keypoint_that_somebody_has(tmp_path):
    people = read(tmp_path, content())
    somewhere = people.labels.loc[people.labels["labelled"], "keypoint"].unique()
    assert people.skeleton == MACAQUEPOSE_17.only(somewhere)
    assert len(people.labels) == 3 * len(somewhere) < 3 * 17
    first = people.labels[people.labels["image_id"] == "one"].set_index("keypoint")
    assert first.index.tolist() == list(people.skeleton.keypoints)
    assert first.loc[first["labelled"], ["x", "y"]].to_dict("index") == {
        "nose": {"x": 10, "y": 20},
        "right_shoulder": {"x": 30, "y": 41},
        "left_hip": {"x": 33, "y": 45},
    }
    assert first.index[first["visible"]].tolist() == ["nose", "left_hip"]
    assert first.loc[~first["labelled"], ["x", "y"]].isna().to_numpy().tolist() == [[True, True]] * (len(somewhere) - 3)


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


def test_of_how_many_people_a_keypoint_is_labelled(tmp_path):
    annotations = content()
    annotations["annotations"][0]["keypoints"] = [0, 0, 2, 0, 0, 0, 30, 41, 1, 33, 45, 0]
    read(tmp_path, annotations)
    counted = {"nose": 2, "left eye": 0, "right_shoulder": 3, "left_hip": 2}
    assert labelled_keypoints(tmp_path / "labels.json") == counted


@pytest.mark.parametrize("place", ["images", "labels", ".", "../images", ".."])
def test_pictures_are_found_near_their_file(tmp_path, place):
    (tmp_path / "sub").mkdir()
    read(tmp_path / "sub", content())
    images = (tmp_path / "sub" / place).resolve()
    images.mkdir(exist_ok=True)
    (tmp_path / "sub" / "images" / "two.png").rename(images / "two.png")  # the first one is missing
    (tmp_path / "sub" / "images" / "one.png").unlink()
    assert folder_of_pictures(tmp_path / "sub" / "labels.json").resolve() == images


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
    assert set(dataset.own_skeleton.keypoints) == {"hip", "shoulder (R)"}  # nobody has a muzzle


def test_a_mapping_may_name_keypoints_of_any_category(tmp_path):
    annotations = broken("categories", 1, keypoints=["branch", "eye of a knot"])
    annotations["annotations"][4].update(keypoints=[7, 8, 2, 9, 10, 2], bbox=[5, 6, 8, 8])
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
    "what, keypoints, sentence",
    [
        (
            "the profile maps a name that it has not",
            {"snout": "nose"},
            "the profile's 'keypoints' say 'snout: nose', but the file has no 'snout' .nose, left eye,",
        ),
        (
            "the profile maps to a name that the skeleton has not",
            {"left eye": "eye"},
            "keypoint 'eye' is not one of skeleton macaquepose_17 .* which of them 'left eye' is",
        ),
        (
            "the profile maps two names to one",
            {"nose": "nose", "left eye": "nose"},
            "'nose' and 'left eye' would both be keypoint 'nose'",
        ),
        (
            "the profile maps no name",
            {},
            "the data set is empty: 'keypoints' in the profile name none of nose, left eye, ",
        ),
    ],
)
def test_names_that_lead_nowhere(tmp_path, what, keypoints, sentence):
    with refused("COCO file", what, match=f"labels.json: {sentence}"):
        read(tmp_path, content(), keypoints)


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


def every(part: str, **changes) -> dict:
    annotations = content()
    for entry in annotations[part]:
        entry.update(changes)
    return annotations


def lacking(part: str, position: int, key: str) -> dict:
    annotations = content()
    del annotations[part][position][key]
    return annotations


def with_entry(part: str, entry: object) -> dict:
    annotations = content()
    annotations[part].append(entry)
    return annotations


SHARES = [0.1, 0.25, 2, 0, 0, 0, 0.3, 0.5, 1, 0.33, 0.56, 2]
EMPTY = "labels.json: the data set is empty: "


@pytest.mark.parametrize(
    "what, annotations, sentence",
    [
        ("nothing", "", "the file is empty: expected a COCO keypoint file"),
        ("cut short", json.dumps(content())[:200], "not JSON at line 1, column 200: expected"),
        ("not JSON", "{'images': []}", "not JSON at line 1, column 2: expected"),
        ("nested without end", "[" * 100_000, "nested too deeply, or a number is too long: expected"),
        ("another encoding", '{"images": "\xe9"}'.encode("latin-1"), "not text in UTF-8: expected"),
        ("a key twice", '{"images": [1], "images": [2]}', "2 values in one object have the key 'images'"),
        (
            "a list of results",
            [{"image_id": 1, "score": 0.5}],
            "it is .{'image_id': 1, 'score': 0.5}.: expected a COCO",
        ),
        ("null", "null", "it is null: expected a COCO keypoint file"),
        ("no categories", {"images": [], "annotations": []}, "categories is missing: expected a COCO keypoint file"),
        ("images is an object", {**content(), "images": {"1": "a.png"}}, "images is {'1': 'a.png'}: expected a COCO"),
        ("a picture is text", with_entry("images", "a.png"), r"images\[2\] is 'a.png': expected"),
        ("a picture is null", with_entry("images", None), r"images\[2\] is null: expected"),
        ("an annotation is null", with_entry("annotations", None), r"annotations\[5\] is null: expected"),
        ("a category is null", with_entry("categories", None), r"categories\[2\] is null: expected"),
        ("no file_name", lacking("images", 0, "file_name"), r"images\[0\].file_name is missing: expected the name of"),
        ("file_name is a number", broken("images", 0, file_name=5), r"images\[0\].file_name is 5: expected the name"),
        ("file_name is empty", broken("images", 0, file_name=""), "file_name is ''"),
        ("file_name with a line end", broken("images", 0, file_name="a\nb.png"), "file_name is 'a.nb.png'"),
        ("file_name with half a character", broken("images", 0, file_name="\ud800.png"), "file_name is '.ud800.png'"),
        ("no such picture", broken("images", 1, file_name="gone.png"), "1 of 2 labelled .* the first is .*/gone.png"),
        ("no id", lacking("images", 1, "id"), r"images\[1\].id is missing: expected a whole number or text"),
        ("an id is null", broken("images", 1, id=None), r"images\[1\].id is missing: expected a whole number or text"),
        ("an id is a list", broken("images", 0, id=[1]), r"images\[0\].id is \[1\]: expected a whole number or text"),
        ("an id is an object", broken("annotations", 0, image_id={}), r"annotations\[0\].image_id is {}: expected"),
        ("an id is a fraction", broken("annotations", 0, category_id=3.5), r"annotations\[0\].category_id is 3.5"),
        ("an id is true", broken("images", 0, id=True), r"images\[0\].id is true"),
        ("pictures of one id", broken("images", 1, id=1), "2 entries of 'images' have the id 1: each needs its own"),
        ("pictures of one id, once as text", broken("images", 1, id="1"), "2 entries of 'images' have the id 1"),
        ("annotations of one id", broken("annotations", 2, id=11), "2 entries of 'annotations' have the id 11"),
        ("categories of one id", broken("categories", 1, id=3), "2 entries of 'categories' have the id 3"),
        ("pictures of one file", broken("images", 1, file_name="one.png"), "2 pictures have the file '.*one.png'"),
        (
            "pictures of one file, in other words",
            broken("images", 1, file_name="D:\\data\\one.png"),
            "2 pictures have the file '.*one.png'",
        ),
        (
            "no such picture id",
            broken("annotations", 1, image_id=99),
            "annotation 11 has the image_id 99, which is not",
        ),
        (
            "no such picture id, as text",
            broken("annotations", 1, image_id="x"),
            "11 has the image_id 'x', which is not",
        ),
        ("no such category", broken("annotations", 0, category_id=9), "annotation 10 has the category_id 9, which is"),
        ("width is text", broken("images", 0, width="64px"), r"images\[0\].width is '64px': expected a whole number"),
        (
            "width is 0",
            broken("images", 0, width=0),
            r"images\[0\].width is 0: expected a whole number of pixels above",
        ),
        ("height is negative", broken("images", 0, height=-80), r"images\[0\].height is -80"),
        ("height is a fraction", broken("images", 0, height=80.5), r"images\[0\].height is 80.5"),
        ("height is infinite", broken("images", 0, height=float("inf")), r"images\[0\].height is Infinity"),
        ("width is true", broken("images", 0, width=True), r"images\[0\].width is true"),
        (
            "width of another picture",
            broken("images", 0, width=640),
            "one.png: the picture is 100 x 80 .* says 640 x 80",
        ),
        (
            "names are no list",
            broken("categories", 0, keypoints="nose"),
            r"categories\[0\].keypoints is 'nose': expected",
        ),
        (
            "a name is null",
            broken("categories", 0, keypoints=[None]),
            r"categories\[0\].keypoints\[0\] is null: expected the name of a keypoint",
        ),
        (
            "a keypoint is named twice",
            broken("categories", 0, keypoints=["nose", "nose", "left_eye", "left_hip"]),
            "category 3: 2 keypoints have the name 'nose': each needs its own",
        ),
        (
            "a keypoint is named twice, once with a space",
            broken("categories", 0, keypoints=["nose", "left eye", "left_eye", "left_hip"]),
            "'left eye' and 'left_eye' would both be keypoint 'left_eye'",
        ),
        (
            "a keypoint that the skeleton has not",
            broken("categories", 0, keypoints=["snout", *NAMES[1:]]),
            "keypoint 'snout' is not one of skeleton macaquepose_17",
        ),
        (
            "keypoints of a category without names",
            broken("annotations", 4, keypoints=[7, 8, 2]),
            "annotation 14 has 3 numbers under 'keypoints': expected 0",
        ),
        ("a number too few", broken("annotations", 0, keypoints=POSE[:-1]), "10 has 11 numbers .*: expected 12, x, y"),
        ("a joint too many", broken("annotations", 0, keypoints=[*POSE, 1, 2, 2]), "10 has 15 numbers .*: expected 12"),
        (
            "keypoints are objects",
            broken("annotations", 0, keypoints=[{"x": 1}]),
            r"keypoints\[0\] is {'x': 1}: expected a finite number",
        ),
        (
            "keypoints is an object",
            broken("annotations", 0, keypoints={"x": 1}),
            "keypoints is {'x': 1}: expected a list",
        ),
        (
            "keypoints in threes",
            broken("annotations", 0, keypoints=[[1, 2, 2]]),
            r"keypoints\[0\] is \[1, 2, 2\]: expected a finite number",
        ),
        (
            "a position is text",
            broken("annotations", 0, keypoints=["a", *POSE[1:]]),
            r"keypoints\[0\] is 'a': expected a finite number",
        ),
        (
            "a position is true",
            broken("annotations", 0, keypoints=[True, *POSE[1:]]),
            r"keypoints\[0\] is true: expected a finite number",
        ),
        (
            "a position is beyond numbers",
            broken("annotations", 0, keypoints=[10**400, *POSE[1:]]),
            r"keypoints\[0\] is 1000.*: expected a finite number",
        ),
        (
            "a labelled joint is NaN",
            broken("annotations", 1, keypoints=[float("nan"), *POSE[1:]]),
            "nose of picture two",
        ),
        (
            "a labelled joint is null",
            broken("annotations", 1, keypoints=[None, *POSE[1:]]),
            "nose of picture two-11 is",
        ),
        (
            "a labelled joint is infinite",
            broken("annotations", 1, keypoints=["1e400", *POSE[1:]]),
            "nose of picture two",
        ),
        (
            "v is a confidence",
            broken("annotations", 0, keypoints=[1, 2, 0.9, *POSE[3:]]),
            "has a v of 0.9: expected 0",
        ),
        (
            "v is 3",
            broken("annotations", 0, keypoints=[1, 2, 3, *POSE[3:]]),
            "annotation 10 has a v of 3.0: expected 0 .not labelled",
        ),
        ("v is negative", broken("annotations", 0, keypoints=[1, 2, -1, *POSE[3:]]), "has a v of -1.0: expected 0"),
        ("v is null", broken("annotations", 0, keypoints=[1, 2, None, *POSE[3:]]), "has a v of null: expected 0"),
        ("bbox is short", broken("annotations", 0, bbox=[1, 2, 3]), "bbox is .*: expected four finite numbers: x, y"),
        (
            "bbox is an object",
            broken("annotations", 0, bbox={"x": 1}),
            "bbox is {'x': 1}: expected four finite numbers",
        ),
        ("bbox is text", broken("annotations", 0, bbox=[1, 2, 3, "wide"]), "bbox is .*: expected four finite numbers"),
        ("bbox is NaN", broken("annotations", 0, bbox=[1, 2, 3, float("nan")]), "bbox is .*: expected four finite"),
        ("bbox is negative", broken("annotations", 0, bbox=[5, 10, -40, 50]), "bbox is .*: expected four finite"),
        ("iscrowd is 2", broken("annotations", 0, iscrowd=2), "iscrowd is 2: expected 0 or 1"),
        (
            "all positions are shares of 1",
            every("annotations", keypoints=SHARES, category_id=3),
            "all joints of annotation 10 are within",
        ),
        ("positions of one are shares of 1", broken("annotations", 2, keypoints=SHARES), "joints of annotation 12 are"),
        (
            "shares of 1 from the middle",
            broken("annotations", 2, keypoints=[-1, -0.5, 2, 0, 0, 0, 1, 0.2, 2, 0, 0, 0]),
            "all joints of annotation 12 are within 2 pixels of the corner: expected positions in pixels",
        ),
        (
            "positions beyond the pictures",
            every("annotations", keypoints=[100 * p if n % 3 < 2 else p for n, p in enumerate(POSE)], category_id=3),
            "most joints of 2 of 2 pictures lie outside them, .* or correct the joints",
        ),
        ("no pictures", {**content(), "images": []}, EMPTY + "there is nothing in 'images'"),
        ("no annotations", {**content(), "annotations": []}, EMPTY + "there is nothing in 'annotations'"),
        ("empty categories", {**content(), "categories": []}, EMPTY + "there is nothing in 'categories'"),
        ("no category with keypoints", every("categories", keypoints=[]), EMPTY + "no category has 'keypoints'"),
        ("no annotation with keypoints", every("annotations", keypoints=None), EMPTY + "no annotation has 'keypoints'"),
        ("crowds only", every("annotations", iscrowd=1), EMPTY + "all annotations with 'keypoints' are crowds"),
        ("no joint labelled", every("annotations", keypoints=[0] * 12), EMPTY + "no joint is labelled: v, .* is 0 thr"),
        (
            "labelled at (0, 0) only",
            every("annotations", keypoints=[0, 0, 2] * 4, category_id=3),
            EMPTY + r"all labelled joints are at \(0, 0\), where COCO",
        ),
        (
            "one joint each",
            every("annotations", keypoints=[10, 20, 2, *[0] * 9], category_id=3),
            EMPTY + "all 5 people are left out, one-10 for fewer than 2 labelled joints",
        ),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, what, annotations, sentence):
    with refused("COCO file", what, match=sentence):
        read(tmp_path, annotations)


def test_boxes_of_two_corners(tmp_path):
    """Of a single person in the first corner of a picture nobody could tell."""
    annotations = every("annotations", keypoints=[70, 50, 2, 0, 0, 0, 80, 60, 1, 85, 70, 2], category_id=3)
    for annotation in annotations["annotations"][:4]:
        annotation["bbox"] = [65, 45, 90, 75]
    annotations["annotations"][4]["bbox"] = None
    with refused("COCO file", "boxes are two corners", match="labels.json: the boxes of 4 people reach beyond their"):
        read(tmp_path, annotations)
    for annotation in annotations["annotations"][:4]:
        annotation["bbox"] = [65, 45, 40, 40]  # a little beyond two edges
    assert len(read(tmp_path, annotations)) == 5


def test_a_name_that_no_file_can_have_is_one_of_a_missing_picture(tmp_path):
    with pytest.raises(StudyError, match="1 of 2 labelled pictures are missing, the first is .*xxxx"):
        read(tmp_path, broken("images", 0, file_name="x" * 300))


def test_no_mapped_joint_is_labelled(tmp_path):
    with refused("COCO file", "no joint of the mapping labelled", match=EMPTY + r"none .* is labelled \(left eye\)"):
        read(tmp_path, content(), {"left eye": "left_eye"})


@pytest.mark.parametrize("name", ["labels.json", "images"])
def test_no_file(tmp_path, name):
    (tmp_path / "images").mkdir()
    what = {"labels.json": "no file", "images": "a folder"}[name]
    with refused("COCO file", what, match=rf"{name}: cannot be read \(.*\): expected a COCO keypoint file"):
        read_coco(tmp_path / name, tmp_path, MACAQUEPOSE_17)


def test_percent_are_refused(tmp_path):
    """Half of the way from the corner in 640 x 480 pixels; the positions would lie within the pictures."""
    (tmp_path / "images").mkdir()
    annotations = every("images", width=640, height=480)
    for name in ("one.png", "two.png"):
        Image.new("RGB", (640, 480)).save(tmp_path / "images" / name)
    (tmp_path / "labels.json").write_text(json.dumps(annotations))
    with refused("COCO file", "positions are percent", match="no joint is beyond 100 in pictures of up to 640 x 480"):
        read_coco(tmp_path / "labels.json", tmp_path / "images", MACAQUEPOSE_17)
    annotations["annotations"][0]["keypoints"] = [300, 200, *POSE[2:]]
    (tmp_path / "labels.json").write_text(json.dumps(annotations))
    assert len(read_coco(tmp_path / "labels.json", tmp_path / "images", MACAQUEPOSE_17)) == 3


def same(one, other) -> bool:
    return one.images.drop(columns="path").equals(other.images.drop(columns="path")) and one.labels.equals(other.labels)


@pytest.mark.parametrize(
    "annotations",
    [
        every("images", width=str(WIDTH), height=f"{HEIGHT}.0"),
        every("images", width=float(WIDTH), height=None),
        broken("images", 0, id="1"),
        every("annotations", category_id="3"),
        broken("annotations", 0, image_id=1.0, id="10"),
        broken("annotations", 0, keypoints=[str(n) for n in POSE], bbox=["5", "10.0", 40, 50]),
        broken("annotations", 0, keypoints=[10, 20, 2, None, float("nan"), 0, *POSE[6:]]),
        broken("annotations", 0, iscrowd=False),
        broken("annotations", 3, keypoints=None, bbox=None, iscrowd=None, segmentation=None),
        with_entry("annotations", {"id": 15, "image_id": 1, "category_id": 3, "keypoints": POSE, "iscrowd": 1}),
        with_entry("images", {"id": 8, "file_name": "not_labelled_and_not_there.png"}),
        "\ufeff" + json.dumps(content()),
        json.dumps(content()).encode("utf-16"),
    ],
    ids=lambda annotations: str(type(annotations).__name__),
)
def test_what_means_the_same_is_read_the_same(tmp_path, annotations):
    assert same(read(tmp_path, annotations), read(tmp_path, content()))


@pytest.mark.parametrize(
    "file_name",
    [
        "s 1/one.png",
        "s 1\\one.png",
        "./s 1/one.png",
        "s%201/one.png",
        "s%201%2Fone.png",
        "C:\\Users\\ann\\images\\s 1\\one.png",
        "/data/of/ann/s%201/one.png",
        "//server/ann/s 1/one.png",
        "here",
    ],
)
def test_file_names_of_other_machines(tmp_path, file_name):
    there = tmp_path / "images" / "s 1" / "one.png"
    there.parent.mkdir(parents=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(there)
    dataset = read(tmp_path, broken("images", 0, file_name=str(there) if file_name == "here" else file_name))
    assert dataset.images.loc[0, ["image_id", "path", "group"]].tolist() == ["one", str(there), "s 1/one.png"]


@pytest.mark.parametrize("written, there", [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_that_macos_keeps_apart(tmp_path, written, there):
    (tmp_path / "images").mkdir()
    file = tmp_path / "images" / unicodedata.normalize(there, "B\u00e4r.png")
    Image.new("RGB", (WIDTH, HEIGHT)).save(file)
    images = read(tmp_path, broken("images", 0, file_name=unicodedata.normalize(written, file.name))).images
    assert images["path"].tolist()[0] == str(file)


def test_names_that_are_too_long_for_another_file(tmp_path):
    (tmp_path / "images").mkdir()
    names = [250 * "x" + end for end in ("1.png", "2.png")]
    for name in names:
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / name)
    annotations = content()
    for picture, name in zip(annotations["images"], names, strict=True):
        picture["file_name"] = name
    frames = framed(read(tmp_path, annotations), WholePicture(framing="whole", size=32), tmp_path / "frames")
    assert frames["image_id"].nunique() == 3
    assert frames["image_id"].str.len().max() <= 200


def test_a_name_that_looks_encoded_is_taken_as_it_is_where_it_is_there(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a%20b.png", "a b.png"):
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / name)
    images = read(tmp_path, broken("images", 0, file_name="a%20b.png")).images
    assert images["image_id"].tolist()[0] == "a%20b"


def test_ids_that_are_text(tmp_path):
    annotations = broken("images", 1, id="b/7")
    for annotation, name in zip(annotations["annotations"][1:3], ("x/1", "x/2"), strict=True):
        annotation.update(id=name, image_id="b/7")
    assert read(tmp_path, annotations).images["image_id"].tolist() == ["one", "two-x-1", "two-x-2"]


def test_a_labelled_joint_at_zero_is_no_joint(tmp_path):
    dataset = read(tmp_path, broken("annotations", 0, keypoints=[0, 0, 2, 0, 0, 1, *POSE[6:]]))
    reason = "the joint is at (0, 0), where tools put those that are not labelled"
    assert dataset.left_out.to_numpy().tolist() == [["one", "nose", reason], ["one", "left_eye", reason]]
    first = dataset.labels[dataset.labels["image_id"] == "one"]
    assert first.loc[first["labelled"], "keypoint"].tolist() == ["right_shoulder", "left_hip"]
    dataset = read(tmp_path, broken("annotations", 0, keypoints=[0, 20, 2, *POSE[3:]]))
    assert dataset.left_out.empty


@pytest.mark.skipif(not (DATA / "omc_crops").is_dir(), reason=f"no omc_crops in {DATA}: set MONKEY_TRANSFER_DATA")
def test_recovered_openmonkeychallenge_crops():
    folder = DATA / "omc_crops"
    dataset = read_coco(folder / "annotations.json", folder / "images", SKELETONS["openmonkeychallenge_17"])
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
