"""Frames to label are laid out as the installed DeepLabCut lays out its own; corrected, it takes them as labels."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from monkey_transfer.datasets.dlc import read_dlc
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.videos.labelling import picture_name, write_to_label
from monkey_transfer.videos.reading import Video, open_video

pytestmark = pytest.mark.slow

FRAMES, CHOSEN, LOST = 12, [2, 5, 11], 5
PARTS = ["LHip", "RHip", "RKnee"]
KEYPOINTS = {"LHip": "left_hip", "RHip": "right_hip", "RKnee": "right_knee"}
SCORER = "DLC_transfer_n100_s0"


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Video:
    file = tmp_path_factory.mktemp("videos") / "walk.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for frame in np.random.default_rng(0).integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8):
        writer.write(frame)
    writer.release()
    return open_video(file)


@pytest.fixture(scope="module")
def poses() -> pd.DataFrame:
    numbers = np.random.default_rng(1).uniform(1, 40, (FRAMES, 3, 3))
    numbers[..., 2] /= 40
    numbers[LOST] = np.nan
    table = pd.DataFrame({"frame": np.arange(FRAMES).repeat(3), "keypoint": PARTS * FRAMES})
    return table.assign(**dict(zip(("x", "y", "likelihood"), numbers.reshape(-1, 3).T, strict=True)))


@pytest.fixture(scope="module")
def config(video, tmp_path_factory) -> Path:
    """A new project of that video, of which the network's body parts are some."""
    import deeplabcut

    file = Path(deeplabcut.create_new_project("gait", "ann", [str(video.path)], tmp_path_factory.mktemp("project")))
    deeplabcut.auxiliaryfunctions.edit_config(str(file), {"bodyparts": [*PARTS, "Hat"], "numframes2pick": FRAMES})
    return file


@pytest.fixture(scope="module")
def ours(video, poses, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ours") / "labeled-data"
    chosen = pd.DataFrame({"frame": CHOSEN, "picture": [picture_name(video, frame) for frame in CHOSEN]})
    write_to_label(folder / "walk", video, poses, chosen, SCORER)
    return folder / "walk"


def test_the_folder_is_what_extract_outlier_frames_leaves(config, video, poses, ours, tmp_path):
    from deeplabcut.refine_training_dataset.outlier_frames import ExtractFramesbasedonPreselection
    from deeplabcut.utils.auxiliaryfunctions import read_config

    project = shutil.copytree(config.parent, tmp_path / "project")
    settings = {**read_config(config), "project_path": str(project)}
    columns = pd.MultiIndex.from_product(
        [[SCORER], PARTS, ["x", "y", "likelihood"]], names=["scorer", "bodyparts", "coords"]
    )
    data = pd.DataFrame(poses[["x", "y", "likelihood"]].to_numpy().reshape(FRAMES, 9), columns=columns)
    ExtractFramesbasedonPreselection(
        CHOSEN, "uniform", data, str(video.path), settings, str(project / "config.yaml"), savelabeled=False
    )
    theirs = project / "labeled-data" / "walk"
    assert {file.name for file in theirs.iterdir()} == {file.name for file in ours.iterdir()} - {"chosen_frames.csv"}
    for picture in theirs.glob("*.png"):
        assert np.array_equal(cv2.imread(str(picture)), cv2.imread(str(ours / picture.name)))
    their, our = (pd.read_hdf(folder / "machinelabels-iter0.h5", "df_with_missing") for folder in (theirs, ours))
    pd.testing.assert_frame_equal(our, their.sort_index())  # theirs are in an order drawn at random


def test_corrected_they_are_labels_of_the_project(config, poses, ours, tmp_path):
    """What its labelling tool does on saving is done by hand: its own scorer, and no likelihoods."""
    import deeplabcut
    from deeplabcut.generate_training_dataset.trainingsetmanipulation import merge_annotateddatasets
    from deeplabcut.utils.auxiliaryfunctions import read_config

    project = shutil.copytree(config.parent, tmp_path / "project")
    config = project / "config.yaml"
    deeplabcut.auxiliaryfunctions.edit_config(str(config), {"project_path": str(project)})
    shutil.copytree(ours.parent, project / "labeled-data", dirs_exist_ok=True)
    deeplabcut.merge_datasets(str(config))
    assert read_config(config)["iteration"] == 0  # predictions are nobody's labels
    machine = pd.read_hdf(project / "labeled-data" / "walk" / "machinelabels-iter0.h5")
    corrected = machine.drop(columns="likelihood", level="coords").rename(columns={SCORER: "ann"}, level="scorer")
    corrected.loc[:, ("ann", "RKnee", "x")] += 1
    corrected.to_hdf(project / "labeled-data" / "walk" / "CollectedData_ann.h5", key="keypoints")
    deeplabcut.merge_datasets(str(config))
    assert read_config(config)["iteration"] == 1

    theirs = merge_annotateddatasets(read_config(config), tmp_path)["ann"]
    there = poses[poses["frame"].isin(set(CHOSEN) - {LOST})]
    expected = there[["x", "y"]].to_numpy() + np.where(there["keypoint"] == "RKnee", 1, 0)[:, None] * (1, 0)
    assert theirs.dropna().to_numpy().reshape(-1, 2) == pytest.approx(expected)
    labels = read_dlc(project, LSP_14, KEYPOINTS).labels.query("labelled")
    assert labels.groupby("image_id")["labelled"].sum().to_dict() == {"walk-img02": 3, "walk-img11": 3}
