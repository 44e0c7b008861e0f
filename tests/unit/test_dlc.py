"""Labelled DeepLabCut projects: as DeepLabCut writes them, and as they should not be."""

import shutil
import unicodedata
from pathlib import Path

import bad_input
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from monkey_transfer.datasets.dlc import labelled_body_parts, read_dlc
from monkey_transfer.errors import StudyError
from monkey_transfer.profiles.data import DlcData
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.study.datasets import open_dataset

WIDTH, HEIGHT = 100, 80
NAN = np.nan
BODYPARTS = ("RShoulder", "left hip", "snout")
KEYPOINTS = {"RShoulder": "right_shoulder", "left hip": "left_hip"}
# Two pictures: x and y of each body part.
POSES = [[10.5, 20.25, 13.5, 24.25, 1, 2], [30.1, 20, 33, 24, NAN, NAN]]
# How a picture is named, from the newest release to the oldest, and by the oldest on Windows.
INDICES = {
    "three levels": lambda video, names: pd.MultiIndex.from_tuples([("labeled-data", video, name) for name in names]),
    "one level": lambda video, names: [f"labeled-data/{video}/{name}" for name in names],
    "backslashes": lambda video, names: [f"labeled-data\\{video}\\{name}" for name in names],
}


def refused(what: str, sentence: str):
    return bad_input.refused("DeepLabCut project", what, sentence)


def table(
    poses=POSES, video="walk", index="three levels", scorer="ann", bodyparts=BODYPARTS, coords=("x", "y")
) -> pd.DataFrame:
    """The labels of one video as DeepLabCut holds them."""
    columns = pd.MultiIndex.from_product([[scorer], bodyparts, coords], names=["scorer", "bodyparts", "coords"])
    names = [f"img{number}.png" for number in range(len(poses))]
    return pd.DataFrame(poses, index=INDICES[index](video, names), columns=columns)


def write_config(project: Path, bodyparts=BODYPARTS, scorer="ann", **others) -> Path:
    settings = {"Task": "gait", "scorer": scorer, "bodyparts": list(bodyparts), **others}
    project.mkdir(exist_ok=True)
    (project / "config.yaml").write_text(yaml.safe_dump(settings))
    return project


def write_labels(project: Path, labels: pd.DataFrame, suffix="h5", scorer="ann") -> Path:
    """Write the labels of one video beside the pictures that they name; returns the file of labels."""
    keys = [key if isinstance(key, str) else "/".join(key) for key in labels.index]
    pictures = [project / key.replace("\\", "/") for key in keys]
    for picture in pictures:
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(picture)
    file = pictures[0].with_name(f"CollectedData_{scorer}.{suffix}")
    if suffix == "h5":
        labels.to_hdf(file, key="df_with_missing", mode="w")
    else:
        labels.to_csv(file)
    return file


@pytest.fixture
def project(tmp_path) -> Path:
    """A project of one video with two pictures."""
    write_labels(write_config(tmp_path / "gait"), table())
    return tmp_path / "gait"


def labelled(dataset) -> dict:
    """(image, keypoint) -> (x, y) of what is labelled."""
    rows = dataset.labels[dataset.labels["labelled"]]
    return {(row.image_id, row.keypoint): (row.x, row.y) for row in rows.itertuples()}


@pytest.mark.parametrize("suffix", ["h5", "csv"])
@pytest.mark.parametrize("index", INDICES)
def test_labels_come_as_they_were_written(tmp_path, suffix, index):
    project = write_config(tmp_path / "gait")
    write_labels(project, table(index=index), suffix)
    dataset = read_dlc(project, LSP_14, KEYPOINTS)
    assert labelled(dataset) == {
        ("walk-img0", "right_shoulder"): (10.5, 20.25),
        ("walk-img0", "left_hip"): (13.5, 24.25),
        ("walk-img1", "right_shoulder"): (30.1, 20),
        ("walk-img1", "left_hip"): (33, 24),
    }
    assert dataset.skeleton.keypoints == ("left_hip", "right_shoulder")  # nobody has any other
    assert len(dataset.labels) == 2 * 2
    assert dataset.labels["visible"].equals(dataset.labels["labelled"])
    assert dataset.name == "gait"
    assert dataset.images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]] * 2


def test_frames_of_one_video_are_one_group(project):
    write_labels(project, table(video="run"))
    images = read_dlc(project, LSP_14, KEYPOINTS).images
    assert images[["image_id", "group"]].to_numpy().tolist() == [
        ["run-img0", "run"],
        ["run-img1", "run"],
        ["walk-img0", "walk"],
        ["walk-img1", "walk"],
    ]
    assert images["path"].tolist()[0] == str(project / "labeled-data" / "run" / "img0.png")


POSITIONS = st.one_of(st.none(), st.tuples(*[st.floats(-0.5, HEIGHT - 0.5)] * 2))


def apart(pose: list) -> bool:
    """Whether the labelled joints, should there be two, lie in more than one place and not all in the corner."""
    joints = [position for position in pose if position]
    return len(joints) < 2 or (np.ptp(joints, axis=0).max() >= 1 and np.max(joints) >= 2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(POSITIONS, min_size=3, max_size=3).filter(apart), min_size=1, max_size=4))
def test_no_csv_loses_or_rounds_a_label(tmp_path, poses):
    """Not even the first picture's, where no joint of it is labelled."""
    mapping = KEYPOINTS | {"snout": "head_top"}
    project = write_config(tmp_path / "gait")
    rows = [[value for position in pose for value in position or (NAN, NAN)] for pose in poses]
    write_labels(project, table([*rows, [1.0, 2, 3, 4, 5, 6]]), "csv")
    dataset = read_dlc(project, LSP_14, mapping)
    # What is at (0, 0) is no joint (test_a_joint_at_zero_is_no_joint).
    joints = [[None if position == (0, 0) else position for position in pose] for pose in poses]
    expected = {
        (f"walk-img{number}", keypoint): position
        for number, pose in enumerate([*joints, [(1, 2), (3, 4), (5, 6)]])
        for keypoint, position in zip(mapping.values(), pose, strict=True)
        if position and pose.count(None) < 2  # else the picture is left out
    }
    assert labelled(dataset) == expected
    assert len(dataset) + len(dataset.left_out) == len(poses) + 1


def test_a_csv_and_its_h5_may_differ_by_what_a_spreadsheet_rounds(project):
    write_labels(project, table([[10.504, 20.25, 13.5, 24.254, 9, 9], POSES[1]]), "csv")
    assert labelled(read_dlc(project, LSP_14, KEYPOINTS))["walk-img0", "right_shoulder"] == (10.5, 20.25)


@pytest.mark.parametrize(
    "poses",
    [[[10.6, *POSES[0][1:]], POSES[1]], [POSES[0]], [*POSES, POSES[1]], [[NAN, NAN, *POSES[0][2:]], POSES[1]]],
    ids=["moved", "picture removed", "picture added", "joint removed"],
)
def test_a_csv_that_was_edited(project, poses):
    write_labels(project, table(poses), "csv")
    with pytest.raises(StudyError, match="differs between the .csv and the .h5, .*: run deeplabcut.convertcsv2h5"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_a_csv_and_its_h5_disagree(project):
    write_labels(project, table([POSES[0], [30.1, 20, 33, 29, NAN, NAN]]), "csv")
    with refused(
        "a .csv and its .h5 disagree", "y of 'left hip' in picture labeled-data/walk/img1.png differs between"
    ):
        read_dlc(project, LSP_14, KEYPOINTS)


def as_text(project: Path, text: str | bytes) -> Path:
    """The labels of the video as a .csv alone, with this text."""
    (project / "labeled-data" / "walk" / "CollectedData_ann.h5").unlink()
    file = project / "labeled-data" / "walk" / "CollectedData_ann.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


PLAIN = table().to_csv()
SPREADSHEETS = {
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace(".", ",").replace(",png", ".png"),
    "tabs": PLAIN.replace(",", "\t"),
    "byte order mark": "\ufeff" + PLAIN,
    "line ends of an old Mac": PLAIN.replace("\n", "\r"),
    "empty row and column": "\n".join(f"{line},," for line in ["", *PLAIN.splitlines(), " ", ""]),
    "empty column in front": "\n".join(f",{line}" for line in PLAIN.splitlines()),
    "blanks": PLAIN.replace(",", " , "),
    "a note": PLAIN.replace("3.5,24.25,1.0,2.0", "3.5,24.25,1.0,2.0,,blurred,twice"),
    "another word for nothing": PLAIN.replace("24.0,,", "24.0,NA,#N/A"),
    "the separator's name": "sep=;\r\n" + PLAIN.replace(",", ";"),
    "Unicode text": PLAIN.replace(",", "\t").encode("utf-16"),
    "pandas' names for empty cells": PLAIN.replace("scorer,,", "scorer,Unnamed: 1_level_0,Unnamed: 2_level_0"),
    "names of pictures alone": PLAIN.replace("labeled-data,walk,img", ",,img"),
    "another machine": PLAIN.replace("labeled-data,walk,img", ",,C:\\me\\labeled-data\\walk\\img"),
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_a_csv_as_spreadsheets_leave_it(project, kind):
    expected = read_dlc(project, LSP_14, KEYPOINTS | {"snout": "head_top"})
    as_text(project, SPREADSHEETS[kind])
    read = read_dlc(project, LSP_14, KEYPOINTS | {"snout": "head_top"})
    pd.testing.assert_frame_equal(read.labels, expected.labels)
    pd.testing.assert_frame_equal(read.images, expected.images)


@pytest.mark.parametrize("suffix", ["h5", "csv"])
def test_names_that_pandas_and_yaml_take_for_something_else(tmp_path, suffix):
    """A missing name, a number, a truth; convertcsv2h5 writes the video's name as a missing one."""
    project = write_config(tmp_path / "gait", ["NA", "no", "007"], "NA")
    labels = table(video="NA", scorer="NA", bodyparts=["NA", "no", "007"])
    file = write_labels(project, labels, suffix, "NA")
    if suffix == "h5":
        labels.set_axis(pd.MultiIndex.from_tuples([(a, NAN, c) for a, _, c in labels.index])).to_hdf(
            file, key="df", mode="w"
        )
    dataset = read_dlc(project, LSP_14, {"NA": "right_shoulder", "no": "left_hip", "007": "head_top"})
    assert labelled(dataset)["NA-img0", "left_hip"] == (13.5, 24.25)
    assert len(labelled(dataset)) == 5


def test_decimal_commas_between_commas(project):
    as_text(project, PLAIN.replace("10.5", "10,5"))
    with refused("decimal commas between commas", "not a table of labels .a row has more numbers than the header has"):
        read_dlc(project, LSP_14, KEYPOINTS)


@pytest.mark.parametrize("written, there", [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_that_macos_keeps_apart(project, written, there):
    video, folder = (unicodedata.normalize(form, "B\u00e4r") for form in (written, there))
    write_labels(project, table(video=video)).parent.rename(project / "labeled-data" / folder)
    images = read_dlc(project, LSP_14, KEYPOINTS).images
    assert {Path(path).parent.name for path in images["path"]} == {"walk", folder}


def test_a_joint_at_zero_is_no_joint(project):
    write_labels(project, table([[10.5, 20.25, 13.5, 24.25, 0, 0], [0, 20, 13.5, 24.25, 1, 2]]))
    dataset = read_dlc(project, LSP_14, KEYPOINTS | {"snout": "head_top"})
    reason = "the joint is at (0, 0), where tools put those that are not labelled"
    assert dataset.left_out.to_numpy().tolist() == [["walk-img0", "head_top", reason]]
    assert len(labelled(dataset)) == 5


def test_shares_of_the_picture_are_no_pixels(project):
    write_labels(project, table([*POSES, [0.4, 0.5, 0.6, 1, NAN, NAN]]))
    with refused(
        "positions are shares of 1", "all joints of picture labeled-data/walk/img2.png are within 2 pixels of"
    ):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_joints_at_zero_are_no_shares(project):
    write_labels(project, table([*POSES, [0, 0, 0, 0, 0, 0]]))
    assert len(read_dlc(project, LSP_14, KEYPOINTS)) == 2


def test_how_many_pictures_have_a_body_part(herd):
    write_labels(herd, animals(one=[[1, 2, 3, 4], [5, 6, NAN, NAN]], single=[[NAN, NAN], [NAN, NAN]]))
    assert labelled_body_parts(herd) == {"RShoulder": 2, "left hip": 1, "snout": 0}


def test_a_config_of_windows(project):
    """Written in its own encoding, on another machine."""
    text = (project / "config.yaml").read_text() + "project_path: C:\\Users\\J\u00f6rg\\gait\n"
    (project / "config.yaml").write_bytes(text.encode("cp1252"))
    assert len(read_dlc(project, LSP_14, KEYPOINTS)) == 2


def animals(**poses) -> pd.DataFrame:
    """A table of a multi-animal project, by the poses of its individuals and of those parts that are there once."""
    tables = {
        individual: table(of_one, bodyparts=["snout"] if individual == "single" else BODYPARTS[:2])
        for individual, of_one in poses.items()
    }
    return pd.concat(tables, axis=1, names=["individuals"]).swaplevel(0, 1, axis=1)


@pytest.fixture
def herd(tmp_path) -> Path:
    """A multi-animal project without labels."""
    return write_config(
        tmp_path / "gait",
        "MULTI!",
        multianimalproject=True,
        individuals=["one", "two"],
        multianimalbodyparts=list(BODYPARTS[:2]),
        uniquebodyparts=["snout"],
    )


@pytest.mark.parametrize("suffix", ["h5", "csv"])
def test_a_multi_animal_project_with_one_individual_in_each_picture(herd, suffix):
    once = [[50, 60], [NAN, NAN]]
    write_labels(herd, animals(one=[[1, 2, 3, 4], [NAN] * 4], two=[[NAN] * 4, [5, 6, 7, 8]], single=once), suffix)
    assert labelled(read_dlc(herd, LSP_14, KEYPOINTS | {"snout": "head_top"})) == {
        ("walk-img0", "right_shoulder"): (1, 2),
        ("walk-img0", "left_hip"): (3, 4),
        ("walk-img0", "head_top"): (50, 60),
        ("walk-img1", "right_shoulder"): (5, 6),
        ("walk-img1", "left_hip"): (7, 8),
    }


def test_several_individuals_in_a_picture(herd):
    write_labels(herd, animals(one=[[1, 2, 3, 4], [1, 2, NAN, NAN]], two=[[NAN] * 4, [NAN, NAN, 7, 8]]), "csv")
    with refused("several individuals in a picture", "walk/img1.png shows 'one' and others"):
        read_dlc(herd, LSP_14, KEYPOINTS)


def test_names_that_are_too_long_for_a_file(project):
    """What is framed is named after the video and the picture; two long names stay two."""
    video = "\u00e4" * 120
    write_labels(project, table(video=video))
    ids = read_dlc(project, LSP_14, KEYPOINTS).images["image_id"]
    assert ids.is_unique
    assert ids.iloc[-1].startswith("\u00e4" * 90)
    assert ids.str.encode("utf-8").str.len().max() <= 200


def test_other_folders_and_columns_are_not_read(project):
    """Pictures without labels, what check_labels draws, likelihoods of refined predictions, dropped body parts."""
    (project / "labeled-data" / "unlabelled").mkdir()
    (project / "labeled-data" / "walk_labeled").mkdir()
    refined = [[1, 2, 0.9, 3, 4, 0.8, 5, 6, 0.7]]
    bodyparts = ["RShoulder", "tail", "left hip"]
    write_labels(project, table(refined, "run", bodyparts=bodyparts, coords=["x", "y", "likelihood"]))
    points = labelled(read_dlc(project, LSP_14, KEYPOINTS))
    assert {key: point for key, point in points.items() if key[0] == "run-img0"} == {
        ("run-img0", "right_shoulder"): (1, 2),
        ("run-img0", "left_hip"): (5, 6),
    }


def test_a_body_part_that_one_video_lacks_is_unlabelled_there(project):
    write_labels(project, table([[1, 2, 3, 4]], "run", bodyparts=["snout", "left hip"]))
    dataset = read_dlc(project, LSP_14, KEYPOINTS | {"snout": "head_top"})
    assert {key for key in labelled(dataset) if key[0] == "run-img0"} == {
        ("run-img0", "head_top"),
        ("run-img0", "left_hip"),
    }


def test_yardsticks_where_there_is_no_head(project):
    dataset = read_dlc(project, LSP_14, KEYPOINTS)
    lengths = dataset.reference_lengths.set_index(["image_id", "name"])["length"]
    # From (10.5, 20.25) to (13.5, 24.25); the box has a tenth of its longer side more on every side.
    assert lengths["walk-img0"].to_dict() == pytest.approx({"torso": 5, "bbox_length": 4.8})
    with pytest.raises(StudyError, match="yardstick 'head_segment' is not known .* expected one of bbox_length, torso"):
        dataset.measured_by("head_segment")


def test_without_a_mapping_the_names_are_the_skeletons(tmp_path):
    names = ["right shoulder", "left_hip", "neck"]
    project = write_config(tmp_path / "gait", names)
    write_labels(project, table(bodyparts=names))
    dataset = read_dlc(project, LSP_14)
    assert {keypoint for _, keypoint in labelled(dataset)} == {"right_shoulder", "left_hip", "neck"}
    assert dataset.own_skeleton.landmarks == (
        ("left_hip", "left_hip"),
        ("right shoulder", "right_shoulder"),
        ("neck", "upper_neck"),
    )


def test_a_mapping_is_the_whole_truth(tmp_path):
    """Their 'neck' may be another place than the skeleton's, so its name alone does not make it one."""
    names = ["left", "right", "neck"]
    project = write_config(tmp_path / "gait", names)
    write_labels(project, table(bodyparts=names))
    points = labelled(read_dlc(project, LSP_14, {"right": "right_hip", "left": "left_hip"}))
    assert {key: point for key, point in points.items() if key[0] == "walk-img0"} == {
        ("walk-img0", "left_hip"): (10.5, 20.25),
        ("walk-img0", "right_hip"): (13.5, 24.25),
    }


def test_the_profile_names_the_folder(project, monkeypatch):
    data = DlcData(format="dlc", project="gait", skeleton="lsp_14", keypoints=KEYPOINTS)
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(project.parent))
    assert len(open_dataset(data)) == 2
    monkeypatch.delenv("MONKEY_TRANSFER_DATA")
    assert len(open_dataset(data.model_copy(update={"project": str(project)}))) == 2


@pytest.mark.parametrize(
    "what, keypoints, sentence",
    [
        (
            "a body part that is no keypoint",
            None,
            r"config.yaml: keypoint 'RShoulder' is not one of skeleton lsp_14 \(",
        ),
        ("a mapping of no body part", {"Left": "left_hip"}, "say 'Left: left_hip', but the file has no 'Left' .RShoul"),
        (
            "a mapping to no keypoint",
            {"RShoulder": "shoulder"},
            "'shoulder' is not one of .* which of them 'RShoulder'",
        ),
        (
            "two body parts for one keypoint",
            {"RShoulder": "neck", "snout": "neck"},
            "'RShoulder' and 'snout' would both",
        ),
    ],
)
def test_names_that_lead_nowhere(project, what, keypoints, sentence):
    with refused(what, sentence):
        read_dlc(project, LSP_14, keypoints)


@pytest.mark.parametrize(
    "what, text, sentence",
    [
        ("an empty config.yaml", "", "it lacks 'scorer' or the list of names 'bodyparts'"),
        ("a config.yaml that is no YAML", "scorer: [ann", "cannot be read .not valid YAML, line 1.: expected"),
        ("a config.yaml of bytes", "\0\1", "cannot be read .not valid YAML.: expected"),
        ("a config.yaml of a list", "- scorer", "it lacks 'scorer' or the list of names 'bodyparts'"),
        ("no bodyparts", "scorer: ann", "it lacks 'scorer' or the list of names 'bodyparts'"),
        ("no scorer", "bodyparts: [snout]", "it lacks 'scorer' or the list of names 'bodyparts'"),
        ("bodyparts are one word", "scorer: ann\nbodyparts: snout", "it lacks .* the list of names 'bodyparts'"),
        (
            "a body part is a list",
            "scorer: ann\nbodyparts: [snout, [nose]]",
            "it lacks .* the list of names 'bodyparts'",
        ),
        (
            "no multianimalbodyparts",
            "scorer: ann\nbodyparts: MULTI!\nmultianimalproject: true",
            "it lacks .* the list of names 'multianimalbodyparts'",
        ),
    ],
)
def test_configs_of_another_kind(project, what, text, sentence):
    (project / "config.yaml").write_text(text)
    with refused(what, f"config.yaml: {sentence}"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_no_project_and_no_labels(tmp_path):
    with refused("no config.yaml", r"config.yaml: cannot be read \(No such file"):
        read_dlc(tmp_path, LSP_14, KEYPOINTS)
    with refused("no labels", "labeled-data: there is no CollectedData_ann.h5 or .csv in any folder"):
        read_dlc(write_config(tmp_path / "gait"), LSP_14, KEYPOINTS)


def test_labels_by_somebody_else_are_not_lost_unseen(project):
    write_labels(project, table(video="run", scorer="bob"), scorer="bob")
    with refused("a video without the scorer's labels", "run/CollectedData_bob.h5: .* not both 'ann', the scorer of"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_labels_with_another_scorer_in_their_header(project):
    write_labels(project, table(scorer="bob"))
    with refused("another scorer in the header than in the name", "'ann' in its name and 'bob' in its header"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_a_second_opinion_is_left_alone_and_what_it_adds_is_said(project):
    """Of four pictures that bob labelled, ann labelled two and he left one without a joint; carol agrees with ann."""
    write_labels(project, table([*POSES, POSES[0], [NAN] * 6], scorer="bob"), scorer="bob")
    write_labels(project, table([POSES[1]] * 3, scorer="bob"), "csv", scorer="bob")
    write_labels(project, table(scorer="carol", index="one level"), "csv", scorer="carol")
    dataset = read_dlc(project, LSP_14, KEYPOINTS)
    assert labelled(dataset)["walk-img0", "right_shoulder"] == (10.5, 20.25)
    assert dataset.images["image_id"].tolist() == ["walk-img0", "walk-img1"]
    assert dataset.left_out.values.tolist() == [["walk-img2", "", "labelled by somebody else than the scorer"]]


def test_a_body_part_that_was_renamed(project):
    """In the configuration alone: the joint is not one that nobody labelled."""
    write_config(project, ["RShoulder", "left hip", "nose"])
    with refused(
        "a body part in no file of labels", "config.yaml: body part 'nose' is in no .*RShoulder, left hip, snout"
    ):
        read_dlc(project, LSP_14, KEYPOINTS | {"nose": "head_top"})
    assert len(read_dlc(project, LSP_14, KEYPOINTS)) == 2


def test_a_header_of_other_names(project):
    write_labels(project, table(video="run", bodyparts=["shoulder", "hip", "snout"]))
    with refused(
        "a file with none of the body parts", "run/CollectedData_ann.h5: .* RShoulder, left hip, .*'shoulder'"
    ):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_two_pictures_of_one_name(project):
    write_labels(project, table(video="run").rename({"img1.png": "img0.jpg"}))
    with refused("two pictures of one name", "2 labels are all run-img0, of the picture .*run/img0.png and .*img0.jpg"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_labels_in_two_folders(project):
    """A file that was copied to another video still names the pictures of the first."""
    (project / "labeled-data" / "run").mkdir()
    shutil.copy(project / "labeled-data" / "walk" / "CollectedData_ann.h5", project / "labeled-data" / "run")
    with refused("one picture in two files of labels", "2 labels are all walk-img0, of the picture"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_pictures_of_another_size_than_was_labelled(project):
    Image.new("RGB", (WIDTH // 4, HEIGHT // 4)).save(project / "labeled-data" / "walk" / "img1.png")
    with refused(
        "joints outside most pictures", "most joints of 1 of 2 pictures lie outside them, .*img1.png with 25 x 20"
    ):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_a_joint_outside_its_picture_is_left_out(project):
    write_labels(project, table([[1, 2, 3, 4, 100, 20]]))
    dataset = read_dlc(project, LSP_14, KEYPOINTS | {"snout": "head_top"})
    assert dataset.left_out.values.tolist() == [["walk-img0", "head_top", "the joint lies outside its picture"]]


POSE = POSES[0]


@pytest.mark.parametrize(
    "what, labels, sentence",
    [
        (
            "a picture twice",
            table([POSE] * 2).rename({"img1.png": "img0.png"}),
            "walk/img0.png has 4 number.s. for 'RSh",
        ),
        (
            "a body part twice",
            table(bodyparts=["RShoulder", "left hip", "left hip"]),
            "img0.png has 4 number.s. for 'left hip'",
        ),
        (
            "half a position",
            table([POSE, [NAN, *POSE[1:]]]),
            "img1.png has 1 number.s. for 'RShoulder': expected one x",
        ),
        (
            "a word for a number",
            table([["1", *POSE[1:]], ["abc", *POSE[1:]]]),
            "walk/img1.png, column 'RShoulder' x is 'abc': write",
        ),
        (
            "a decimal comma",
            table([["12,5", *POSE[1:]]]),
            "row labeled-data/walk/img0.png, column 'RShoulder' x is '12,5'",
        ),
        ("an infinite number", table([["-inf", *POSE[1:]]]), "img0.png, column 'RShoulder' x is '-inf'"),
    ],
)
def test_labels_that_are_wrong(tmp_path, what, labels, sentence):
    project = write_config(tmp_path / "gait")
    file = write_labels(project, labels, "csv")
    with refused(what, f"CollectedData_ann.csv: .*{sentence}"):
        read_dlc(project, LSP_14, KEYPOINTS)
    file.unlink()
    if not labels.columns.is_unique:  # no .h5 holds such a table
        return
    write_labels(project, labels, "h5")
    with pytest.raises(StudyError, match=f"CollectedData_ann.h5: .*{sentence}"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_positions_of_joints_that_are_not_read_may_be_anything(project):
    write_labels(project, table([[*POSE[:4], "?", NAN]]))
    assert len(read_dlc(project, LSP_14, KEYPOINTS)) == 1


@pytest.mark.parametrize(
    "what, name, text, sentence",
    [
        ("an empty .csv", "run/CollectedData_ann.csv", "", "not a table of labels .its header is not scorer"),
        (
            "a .csv of another kind",
            "run/CollectedData_ann.csv",
            "a,b\n1,2,3\n",
            "not a table .*: save the labels",
        ),
        ("a .csv without columns", "run/CollectedData_ann.csv", "scorer\nbodyparts\ncoords\n", "not a table of labels"),
        ("a .csv of bytes", "run/CollectedData_ann.csv", '\0\1"', "not a table of labels"),
        ("an empty .h5", "run/CollectedData_ann.h5", "", "not a table of labels"),
        ("a .h5 of another kind", "run/CollectedData_ann.h5", "words", "not a table of labels .* if there is a .csv"),
    ],
)
def test_files_of_another_kind(project, what, name, text, sentence):
    file = project / "labeled-data" / name
    file.parent.mkdir()
    file.write_text(text)
    with refused(what, f"{name}: {sentence}"):
        read_dlc(project, LSP_14, KEYPOINTS)


def test_a_file_without_pictures(project):
    file = as_text(project, "scorer,ann,ann\nbodyparts,left hip,left hip\ncoords,x,y\n")
    with refused("a file of labels without pictures", "gait: the data set is empty"):
        read_dlc(project, LSP_14, {"left hip": "left_hip"})
    write_labels(project, table(video="run"))
    assert file.is_file()
    assert len(read_dlc(project, LSP_14, KEYPOINTS)) == 2


def test_missing_pictures_are_counted(project):
    write_labels(project, table(POSES * 10, "run"))
    (project / "labeled-data" / "run" / "img7.png").unlink()
    with refused("pictures are missing", "1 of 22 labelled pictures are missing, the first is .*run/img7.png"):
        read_dlc(project, LSP_14, KEYPOINTS)
