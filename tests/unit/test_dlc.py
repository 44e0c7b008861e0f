"""Labelled DeepLabCut projects: as DeepLabCut writes them, and as they should not be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from monkey_transfer.datasets.dlc import read_dlc
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


def table(
    poses=POSES, video="walk", index="three levels", scorer="ann", bodyparts=BODYPARTS, coords=("x", "y")
) -> pd.DataFrame:
    """The labels of one video as DeepLabCut holds them."""
    columns = pd.MultiIndex.from_product([[scorer], bodyparts, coords], names=["scorer", "bodyparts", "coords"])
    names = [f"img{number}.png" for number in range(len(poses))]
    return pd.DataFrame(poses, index=INDICES[index](video, names), columns=columns)


def write_config(project: Path, bodyparts=BODYPARTS) -> Path:
    settings = {"Task": "gait", "scorer": "ann", "multianimalproject": False, "bodyparts": list(bodyparts)}
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
    assert len(dataset.labels) == 2 * len(LSP_14.keypoints)
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


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(POSITIONS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_csv_loses_or_rounds_a_label(tmp_path, poses):
    """Not even the first picture's, where no joint of it is labelled."""
    mapping = KEYPOINTS | {"snout": "head_top"}
    project = write_config(tmp_path / "gait")
    rows = [[value for position in pose for value in position or (NAN, NAN)] for pose in poses]
    write_labels(project, table([*rows, [1.0, 2, 3, 4, 5, 6]]), "csv")
    dataset = read_dlc(project, LSP_14, mapping)
    expected = {
        (f"walk-img{number}", keypoint): position
        for number, pose in enumerate([*poses, [(1, 2), (3, 4), (5, 6)]])
        for keypoint, position in zip(mapping.values(), pose, strict=True)
        if position and pose.count(None) < 2  # else the picture is left out
    }
    assert labelled(dataset) == expected
    assert len(dataset) + len(dataset.left_out) == len(poses) + 1


def test_the_h5_counts_where_both_are_there(project):
    write_labels(project, table([[1, 1, 2, 2, 3, 3]]), "csv")
    assert labelled(read_dlc(project, LSP_14, KEYPOINTS))["walk-img0", "right_shoulder"] == (10.5, 20.25)


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
    assert {keypoint for _, keypoint in labelled(read_dlc(project, LSP_14))} == {"right_shoulder", "left_hip", "neck"}


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


def refused(project: Path, sentence: str, keypoints=KEYPOINTS) -> None:
    with pytest.raises(StudyError, match=sentence) as caught:
        read_dlc(project, LSP_14, keypoints)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "keypoints, sentence",
    [
        (None, r"config.yaml: keypoint 'RShoulder' is not one of skeleton lsp_14 \(right_ankle, .* 'RShoulder' is"),
        ({"LShoulder": "left_shoulder"}, "say 'LShoulder: left_shoulder', but the file has no 'LShoulder' .RShoulder"),
        ({"RShoulder": "shoulder"}, "keypoint 'shoulder' is not one of skeleton lsp_14 .* which of them 'RShoulder'"),
        ({"RShoulder": "neck", "snout": "neck"}, "'RShoulder' and 'snout' would both be keypoint 'neck'"),
        ({}, "gait: the data set is empty"),
    ],
)
def test_names_that_lead_nowhere(project, keypoints, sentence):
    refused(project, sentence, keypoints)


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "there are no keys in it"),
        ("scorer: [ann", "not valid YAML"),
        ("scorer: ann", "it lacks 'scorer' or the list 'bodyparts'"),
        ("bodyparts: [snout]", "it lacks 'scorer' or the list 'bodyparts'"),
        ("scorer: ann\nbodyparts: MULTI!\nmultianimalproject: true", "multianimalproject is true, but only projects"),
    ],
)
def test_configs_of_another_kind(project, text, sentence):
    (project / "config.yaml").write_text(text)
    refused(project, f"config.yaml: {sentence}")


def test_no_project_and_no_labels(tmp_path):
    refused(tmp_path, r"config.yaml: cannot be read \(No such file")
    refused(write_config(tmp_path / "gait"), r"labeled-data: there is no CollectedData_ann.h5 or .csv in any folder")


def test_labels_by_somebody_else_are_not_lost_unseen(project):
    write_labels(project, table(video="run", scorer="bob"), scorer="bob")
    refused(project, r"run/CollectedData_bob.h5: the scorer of .*config.yaml is 'ann', whose labels of this video")


def test_a_second_opinion_is_left_alone_and_what_it_adds_is_said(project):
    """Of four pictures that bob labelled, ann labelled two and he left one without a joint; carol agrees with ann."""
    write_labels(project, table([*POSES, POSES[0], [NAN] * 6], scorer="bob"), scorer="bob")
    write_labels(project, table([POSES[1]] * 3, scorer="bob"), "csv", scorer="bob")  # the .h5 counts
    write_labels(project, table(scorer="carol", index="one level"), "csv", scorer="carol")
    dataset = read_dlc(project, LSP_14, KEYPOINTS)
    assert labelled(dataset)["walk-img0", "right_shoulder"] == (10.5, 20.25)
    assert dataset.images["image_id"].tolist() == ["walk-img0", "walk-img1"]
    assert dataset.left_out.values.tolist() == [["walk-img2", "", "labelled by bob and not by ann, the scorer"]]


def test_two_pictures_of_one_name(project):
    write_labels(project, table(video="run").rename({"img1.png": "img0.jpg"}))
    refused(project, "gait: 2 labels are all run-img0, of the picture .*run/img0.png and .*run/img0.jpg: keep one")


def test_pictures_of_another_size_than_was_labelled(project):
    Image.new("RGB", (WIDTH // 4, HEIGHT // 4)).save(project / "labeled-data" / "walk" / "img1.png")
    refused(project, "gait: most joints of 1 of 2 pictures lie outside them, the first is .*img1.png with 25 x 20")


@pytest.mark.parametrize("suffix", ["h5", "csv"])
@pytest.mark.parametrize(
    "labels, sentence",
    [
        (
            table([POSES[0]] * 2).rename({"img1.png": "img0.png"}),
            r"CollectedData_ann.\w+: picture labeled-data/run/img0.png is labelled twice",
        ),
        (table(scorer="bob"), "CollectedData_ann.(h5|csv): expected columns with .* and 'ann' as the scorer"),
        (table([["a", *POSES[0][1:]]]), "CollectedData_ann.(h5|csv): could not convert string to float: 'a': correct"),
        (table([[NAN, *POSES[0][1:]]]), "joint right_shoulder of picture run-img0 is marked as labelled but has no"),
        (table([["inf", *POSES[0][1:]]]), "joint right_shoulder of picture run-img0 is marked as labelled but has no"),
    ],
    ids=["twice", "scorer", "word", "half", "infinite"],
)
def test_labels_that_are_wrong(project, labels, sentence, suffix):
    write_labels(project, labels.rename({"walk": "run"}), suffix)
    refused(project, sentence)


@pytest.mark.parametrize(
    "suffix, text, sentence",
    [
        ("csv", "", "not a readable table"),
        ("csv", "a,b\n1,2,3\n", "not a readable table .*: save the labels again"),
        ("csv", "scorer,,,ann,ann\nindividuals,,,a,a\nbodyparts,,,b,b\ncoords,,,x,y\n", "expected three rows that"),
        ("csv", "scorer\nbodyparts\ncoords\n", "expected columns with the levels scorer, bodyparts, coords"),
        ("csv", "scorer,ann,ann\nbodyparts,snout,snout\ncoords,x,x\n", "expected columns with .*, each once"),
        ("h5", "", "not a readable table"),
        ("h5", "words", "not a readable table .* remove the file if there is a .csv"),
    ],
)
def test_files_of_another_kind(project, suffix, text, sentence):
    folder = project / "labeled-data" / "run"
    folder.mkdir()
    (folder / f"CollectedData_ann.{suffix}").write_text(text)
    refused(project, f"run/CollectedData_ann.{suffix}: {sentence}")


def test_missing_pictures_are_counted(project):
    write_labels(project, table(POSES * 10, "run"))
    (project / "labeled-data" / "run" / "img7.png").unlink()
    refused(project, "gait: 1 of 22 labelled pictures are missing, the first is .*run/img7.png")
