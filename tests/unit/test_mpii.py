"""MPII's nested .mat: its quirks, its filters, and what is wrong with files of its kind."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_input import refused
from matlab import NOTHING, cells, struct
from PIL import Image
from scipy.io import savemat

from monkey_transfer.datasets import mpii
from monkey_transfer.datasets.assembly import GET_IT
from monkey_transfer.datasets.matfile import read_variable
from monkey_transfer.datasets.mpii import ANNOTATIONS, count_people, read_mpii, read_mpii_people
from monkey_transfer.skeletons import MPII_16

DATA = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WIDTH, HEIGHT = 100, 80


def point(joint: int, **fields) -> dict:
    """Joint k at (11 + 5 k, 21 + k), counted from 1."""
    return {"id": float(joint), "x": 11.0 + 5 * joint, "y": 21.0 + joint, "is_visible": 1.0, **fields}


POSE = [point(joint) for joint in reversed(range(16))]


def person(points: list[dict] = POSE, **fields) -> dict:
    # 0.6 x the diagonal of 12 x 16 is 12, which is 20 x 0.6.
    head = {"x1": 30.0, "y1": 10.0, "x2": 42.0, "y2": 26.0, "scale": 0.6}
    objpos = struct({"x": 51.0, "y": 41.0})
    annopoints = struct({"point": struct(*points)}) if points else NOTHING
    return {"annopoints": annopoints, "objpos": objpos, **head, **fields}


def picture(*people: dict, train: int = 1, single: tuple[int, ...] = (1,), video: object = 1.0) -> dict:
    activity = {"cat_name": NOTHING, "act_name": NOTHING, "act_id": -1.0}
    annorect = struct(*people) if people else NOTHING
    return {"annorect": annorect, "vididx": video, "train": train, "single": np.array([single]).T, "act": activity}


def write(folder: Path, *pictures: dict, **changes) -> Path:
    """Pictures 000000001.jpg and so on, and their annotations."""
    (folder / "images").mkdir()
    names = [f"{number:09d}.jpg" for number in range(1, len(pictures) + 1)]
    for name in names:
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / name)
    annolist = [
        {"image": struct({"name": name}), "annorect": p["annorect"], "frame_sec": 1.0, "vididx": p["vididx"]}
        for name, p in zip(names, pictures, strict=True)
    ]
    release = {
        "annolist": struct(*annolist),
        "img_train": np.array([[p["train"] for p in pictures]], np.uint8),
        "version": "12",
        "single_person": cells([p["single"] for p in pictures]),
        "act": struct(*(p["act"] for p in pictures)).T,
        "video_list": cells(["first-video", "second-video"]).T,
    }
    savemat(folder / ANNOTATIONS, {"RELEASE": struct(release | changes)})
    return folder


def joint(dataset, image_id: str, keypoint: str):
    return dataset.labels.set_index(["image_id", "keypoint"]).loc[(image_id, keypoint)]


def lengths(dataset, image_id: str) -> dict[str, float]:
    table = dataset.reference_lengths
    return table[table["image_id"] == image_id].set_index("name")["length"].to_dict()


def test_one_person_counted_from_zero(tmp_path):
    dataset = read_mpii(write(tmp_path, picture(person())))
    assert dataset.name == "MPII"
    assert dataset.skeleton is MPII_16
    image = dataset.images.iloc[0]
    assert image[["image_id", "width", "height", "group", "split"]].tolist() == [
        "000000001-1",
        WIDTH,
        HEIGHT,
        "first-video",
        "train",
    ]
    assert Path(image["path"]).is_file()
    assert dataset.labels["keypoint"].tolist() == list(MPII_16.keypoints)
    assert dataset.labels["x"].tolist() == [10 + 5 * k for k in range(16)]
    assert dataset.labels["y"].tolist() == [20 + k for k in range(16)]
    assert dataset.labels["labelled"].all()
    # Joints from (10, 20) to (85, 35); a tenth of the longer side is 7.5.
    assert image[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].tolist() == [2.5, 12.5, 90, 30]
    step = np.hypot(5, 1)
    expected = {"head_size": 12, "mpii_200scale": 120, "head_segment": step, "bbox_length": 90, "torso": 9 * step}
    assert lengths(dataset, "000000001-1") == pytest.approx(expected)


def test_visibility_is_a_number_a_character_or_not_known(tmp_path):
    flags = [1.0, 0.0, "1", "0", NOTHING]
    points = [point(k, is_visible=flag) for k, flag in enumerate(flags)]
    without = [{key: value for key, value in p.items() if key != "is_visible"} for p in points]
    dataset = read_mpii(write(tmp_path, picture(person(points)), picture(person(without))))
    labels = dataset.labels
    first = labels[labels["image_id"] == "000000001-1"]
    assert first["labelled"].tolist() == [True] * 5 + [False] * 11
    assert first["visible"].tolist() == [True, False, True, False, True] + [False] * 11
    second = labels[labels["image_id"] == "000000002-1"]
    assert second["visible"].tolist() == [True] * 5 + [False] * 11


def test_only_people_with_public_labels(tmp_path):
    unlabelled = {"scale": 0.6, "objpos": struct({"x": 51.0, "y": 41.0})}
    folder = write(tmp_path, picture(person()), picture(unlabelled, train=0, video=NOTHING), picture(single=()))
    dataset = read_mpii(folder)
    assert dataset.images["image_id"].tolist() == ["000000001-1"]
    assert dataset.left_out.empty


def test_filters(tmp_path):
    folder = write(
        tmp_path,
        picture(person()),
        picture(person(), person(), person(), single=(1, 3)),
        picture(person(), single=()),
        picture(person(), train=0),
        picture(person(), person([], scale=NOTHING)),
    )
    listed = ["000000001-1", "000000002-1", "000000002-3", "000000005-1"]
    assert read_mpii(folder).images["image_id"].tolist() == listed
    assert read_mpii(folder, "alone_in_picture").images["image_id"].tolist() == ["000000001-1"]

    counts = count_people(read_mpii_people(folder))
    assert counts["pictures"].to_dict() == {
        "annotated": 5,
        "img_train = 1": 4,
        "with labelled joints": 4,
        "single_person": 3,
        "alone_in_picture": 1,
    }
    assert counts["people"].tolist() == [8, 7, 6, 4, 1]
    assert counts["without_scale"].tolist() == [1, 1, 0, 0, 0]


def test_pictures_of_one_video_are_one_group(tmp_path):
    folder = write(tmp_path, picture(person()), picture(person(), video=2.0), picture(person(), video=NOTHING))
    assert read_mpii(folder).images["group"].tolist() == ["first-video", "second-video", "000000003.jpg"]


def listed(*pictures: dict, **fields) -> np.ndarray:
    """An annolist whose pictures are all the first one, with those fields besides."""
    return struct(
        *({"image": struct({"name": "000000001.jpg"}), "annorect": p["annorect"], **fields} for p in pictures)
    )


def test_a_picture_of_no_video_is_a_group_of_its_own(tmp_path):
    unnamed = np.full((1, 1), np.nan)
    folder = write(
        tmp_path,
        *(picture(person(), video=video) for video in (1.0, NOTHING, unnamed, 2.0, 2.0)),
        video_list=cells(["first-video", ""]).T,
    )
    own = [f"{number:09d}.jpg" for number in (2, 3, 4, 5)]
    assert read_mpii(folder).images["group"].tolist() == ["first-video", *own]


def test_a_release_that_knows_no_videos(tmp_path):
    folder = write(tmp_path, picture(person()), annolist=listed(picture(person())))
    assert read_mpii(folder).images["group"].tolist() == ["000000001.jpg"]


def test_a_picture_that_is_listed_twice(tmp_path):
    twice = [picture(person())] * 2
    write(tmp_path, *twice, annolist=listed(*twice, vididx=1.0))
    sentence = f"{ANNOTATIONS}: 2 labels are all 000000001-1, of the picture .*images/000000001.jpg: keep one of them"
    with refused("MPII file", "a picture twice", match=sentence):
        read_mpii(tmp_path)


def test_nobody_is_alone_in_a_picture_of_which_another_entry_lists_others(tmp_path):
    entries = picture(person()), picture(person(), person(), single=(2,))
    folder = write(tmp_path, *entries, annolist=listed(*entries, vididx=1.0))
    assert not read_mpii_people(folder)["alone_in_picture"].any()
    assert set(read_mpii_people(folder)["people_in_picture"]) == {3}


def test_the_release_is_read_once_until_it_changes(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(mpii, "read_variable", lambda *asked: read.append(asked) or read_variable(*asked))
    folder = write(tmp_path, picture(person()))
    first = read_mpii(folder)
    people = read_mpii_people(folder)
    assert len(read) == 1
    people["scale"] = 0.0  # is the caller's own
    assert read_mpii_people(folder)["scale"].tolist() == [0.6]
    assert read_mpii(folder).labels.equals(first.labels)
    assert len(read) == 1
    shutil.rmtree(folder / "images")
    write(folder, picture(person()), picture(person()))
    assert len(read_mpii_people(folder)) == 2
    assert len(read) == 2


def test_facts_of_a_person(tmp_path):
    people = read_mpii_people(write(tmp_path, picture(person(), person()))).set_index("image_id")
    first = people.loc["000000001-1"].to_dict()
    assert first.pop("head_size") == pytest.approx(12)
    assert first == {
        "picture": "000000001.jpg",
        "person": 1,
        "train": True,
        "single_person": True,
        "alone_in_picture": False,
        "people_in_picture": 2,
        "labelled_joints": 16,
        "scale": 0.6,
        "video": "first-video",
    }
    assert not people.loc["000000001-2", "single_person"]


def test_head_box_and_scale(tmp_path):
    folder = write(
        tmp_path,
        picture(person()),
        picture(person(x1=NOTHING)),
        picture(person(scale=NOTHING)),
        picture(person(scale=0.7)),
    )
    dataset = read_mpii(folder)
    assert dataset.left_out.values.tolist() == [["000000003-1", "", "the yardstick mpii_200scale is not known"]]
    assert "head_size" not in lengths(dataset, "000000002-1")
    # The head box counts, not the scale.
    assert lengths(dataset, "000000004-1")["head_size"] == pytest.approx(12)
    assert lengths(dataset, "000000004-1")["mpii_200scale"] == pytest.approx(140)
    counts = count_people(read_mpii_people(folder)).loc["single_person"]
    assert counts[["without_head_box", "without_scale", "head_box_disagrees"]].tolist() == [1, 1, 1]
    assert dataset.measured_by("head_size").images["image_id"].tolist() == ["000000001-1", "000000004-1"]


def test_people_and_joints_that_are_left_out(tmp_path):
    twice = [*POSE, point(0, x=50.0)]
    outside = [*POSE[:-1], point(0, y=0.0)]
    folder = write(tmp_path, picture(person(twice)), picture(person(outside)), picture(person([])))
    dataset = read_mpii(folder)
    assert dataset.left_out.values.tolist() == [
        ["000000003-1", "", "fewer than 2 labelled joints"],
        ["000000002-1", "right_ankle", "the joint lies outside its picture"],
        ["000000001-1", "right_ankle", "the joint is listed twice"],
    ]
    assert set(dataset.reference_lengths["image_id"]) == {"000000001-1", "000000002-1"}
    assert not joint(dataset, "000000001-1", "right_ankle")["labelled"]
    assert not joint(dataset, "000000002-1", "right_ankle")["labelled"]


def test_pictures_of_other_people_may_be_missing_and_one_in_a_hundred(tmp_path):
    folder = write(tmp_path, *[picture(person())] * 100, picture(person(), train=0))
    (folder / "images" / "000000101.jpg").unlink()
    (folder / "images" / "000000007.jpg").unlink()
    dataset = read_mpii(folder)
    assert len(dataset) == 99
    assert dataset.left_out.values.tolist() == [["000000007-1", "", "the picture is missing"]]
    (folder / "images" / "000000008.jpg").unlink()
    sentence = f"2 of 100 labelled pictures are missing, the first is .*000000007.jpg: {GET_IT}$"
    with refused("MPII file", "missing pictures", match=sentence):
        read_mpii(folder)


@pytest.mark.parametrize(
    "what, pictures, changes, sentence",
    [
        (
            "a single person whom nobody knows",
            [picture(person(), single=(3,))],
            {},
            r"annolist\(1\) is not as in",
        ),
        ("a 17th joint", [picture(person()), picture(person([point(16)]))], {}, r"annolist\(2\) is not as in"),
        (
            "a joint without number",
            [picture(person([point(0, id=NOTHING)]))],
            {},
            r"annolist\(1\) is not as in",
        ),
        ("a word for a position", [picture(person([point(0, x="left")]))], {}, r"annolist\(1\) is not as in"),
        ("an unknown video", [picture(person(), video=3.0)], {}, r"annolist\(1\) is not as in"),
        ("an infinite video", [picture(person(), video=np.inf)], {}, r"annolist\(1\) is not as in"),
        (
            "a list that is too long",
            [picture(person())],
            {"img_train": np.ones((1, 2))},
            r"annolist\(1\) is not as in",
        ),
        ("no list of pictures", [picture(person())], {"annolist": NOTHING}, "is not as in the release of MPII"),
        ("a list of words", [picture(person())], {"annolist": "all"}, "is not as in the release of MPII"),
        ("nobody", [picture()], {"single_person": cells([NOTHING])}, "nobody is annotated in it"),
        ("nobody for training", [picture(person(), train=0)], {}, "the data set is empty"),
        (
            "a labelled joint without position",
            [picture(person([point(0), point(1), point(2, x=NOTHING)]))],
            {},
            "joint right_hip of picture 000000001-1 is",
        ),
        (
            "a scale of a million",
            [picture(person(scale=1e6))],
            {},
            "a length of 1 of 1 people .*mpii_200scale is 2e.08",
        ),
        ("a scale below zero", [picture(person(scale=-0.6))], {}, "a length of 1 of 1 people .*mpii_200scale is -120"),
        ("a head box of a million", [picture(person(x1=-1e6))], {}, "a length of 1 of 1 people .*head_size is 600025"),
    ],
)
def test_annotations_of_another_layout(tmp_path, what, pictures, changes, sentence):
    write(tmp_path, *pictures, **changes)
    with refused("MPII file", what, match=f"{ANNOTATIONS}: .*{sentence}"):
        read_mpii(tmp_path)


@pytest.mark.parametrize(
    "what, content", [("an empty file", b""), ("words", b"no annotations at all"), ("other bytes", b"x" * 4000)]
)
def test_bytes_that_are_no_mat_file(tmp_path, what, content):
    (tmp_path / ANNOTATIONS).write_bytes(content)
    with refused("MPII file", what, match=f"{ANNOTATIONS}: not a readable .mat file"):
        read_mpii(tmp_path)


def test_another_mat_file_and_none(tmp_path):
    with refused("MPII file", "no file", match=f"{ANNOTATIONS}: there is no such file.*; {GET_IT}$"):
        read_mpii_people(tmp_path)
    savemat(tmp_path / ANNOTATIONS, {"joints": np.zeros((14, 3, 1))})
    with refused("MPII file", "another .mat file", match=f"{ANNOTATIONS}: there is no 'RELEASE' in it"):
        read_mpii_people(tmp_path)
    savemat(tmp_path / ANNOTATIONS, {"RELEASE": NOTHING})
    with refused("MPII file", "an empty release", match=f"{ANNOTATIONS}: RELEASE is not as in the release of MPII"):
        read_mpii_people(tmp_path)


@pytest.mark.skipif(not (DATA / "mpii_sample").is_dir(), reason=f"no mpii_sample in {DATA}: set MONKEY_TRANSFER_DATA")
def test_pictures_of_the_release():
    folder = DATA / "mpii_sample"
    dataset = read_mpii(folder)
    published = json.loads((folder / "test_mpii.json").read_text())
    assert dataset.images["image_id"].tolist() == [f"{Path(entry['image']).stem}-1" for entry in published]
    assert dataset.images["group"].tolist() == ["video1", "video1", "video2", "video2", "video3"]
    assert dataset.left_out.empty
    for image_id, entry in zip(dataset.images["image_id"], published, strict=True):
        labels = dataset.labels[dataset.labels["image_id"] == image_id]
        labelled = np.array(entry["joints_vis"], bool)
        assert labels["labelled"].tolist() == labelled.tolist()
        ours = labels.loc[labels["labelled"], ["x", "y"]].to_numpy()
        assert ours == pytest.approx(np.array(entry["joints"])[labelled] - 1)
    # By hand, of the first: head box (917, 102) to (1028, 214), scale 4.718488, right knee at (816, 510).
    assert lengths(dataset, "005808361-1")["head_size"] == pytest.approx(0.6 * np.hypot(111, 112))
    assert lengths(dataset, "005808361-1")["mpii_200scale"] == pytest.approx(943.6976)
    assert joint(dataset, "005808361-1", "right_knee")[["x", "y"]].tolist() == [815, 509]
    people = read_mpii_people(folder)
    assert people["train"].tolist() == [True] * 5 + [False]
    assert count_people(people)["people"].tolist() == [6, 5, 5, 5, 5]
    assert not count_people(people)["head_box_disagrees"].any()
