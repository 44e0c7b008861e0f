"""The installed DeepLabCut sees the frames that we see, and reads what we write of them as if it were its own."""

import shutil

import numpy as np
import pandas as pd
import pytest

from monkey_transfer.videos.reading import open_video
from monkey_transfer.videos.writing import write_for_deeplabcut

pytestmark = pytest.mark.slow

SIZE, FRAMES, LOST = 96, 12, 7


@pytest.fixture(scope="module")
def project(finished_pytorch, tmp_path_factory):
    """A copy of a run's project that DeepLabCut may write to, with limbs to analyse."""
    import deeplabcut

    folder = tmp_path_factory.mktemp("analysed") / "project"
    shutil.copytree(finished_pytorch.project, folder)
    config = folder / "config.yaml"
    limbs = {"skeleton": [["right", "left"], ["left", "top"]], "project_path": str(folder)}
    deeplabcut.auxiliaryfunctions.edit_config(str(config), limbs)
    return config


@pytest.fixture(scope="module")
def path(drawn, tmp_path_factory):
    """The pictures that the network learnt from as the frames of a video."""
    import cv2

    file = tmp_path_factory.mktemp("videos") / "walk.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25, (SIZE, SIZE))
    for picture in drawn[0]["path"][:FRAMES]:
        writer.write(cv2.imread(picture))
    writer.release()
    return file


def test_deeplabcut_sees_the_same_frames(path):
    from deeplabcut.pose_estimation_pytorch.apis.videos import VideoIterator

    theirs = VideoIterator(path)
    ours = open_video(path)
    assert (ours.width, ours.height) == theirs.dimensions
    assert ours.frames_per_second == theirs.fps
    assert ours.frames == FRAMES
    assert np.array_equal(list(ours), list(theirs))


@pytest.fixture(scope="module")
def analysed(project, path, tmp_path_factory):
    """What `analyze_videos` leaves, and its name of the network."""
    import deeplabcut

    import monkey_transfer.networks.pytorch.parts  # noqa: F401  # what the project's network is made of

    folder = tmp_path_factory.mktemp("theirs")
    scorer = deeplabcut.analyze_videos(project, [str(path)], destfolder=folder, device="cpu", save_as_csv=True)
    return folder, scorer


@pytest.fixture(scope="module")
def ours(analysed, path, tmp_path_factory):
    """The same joints, written by us beside a copy of the video; in one frame nobody is found."""
    theirs = pd.read_hdf(analysed[0] / f"walk{analysed[1]}.h5").to_numpy().reshape(FRAMES, -1, 3)
    theirs[LOST] = np.nan
    poses = pd.DataFrame({"frame": np.arange(FRAMES).repeat(3), "keypoint": ["right", "left", "top"] * FRAMES})
    poses[["x", "y", "likelihood"]] = theirs.reshape(-1, 3)
    folder = tmp_path_factory.mktemp("ours")
    video = open_video(shutil.copy(path, folder))
    write_for_deeplabcut(folder, video, poses, analysed[1])
    return folder


def test_the_files_are_laid_out_as_its_own(analysed, ours):
    folder, scorer = analysed
    theirs, our = (pd.read_hdf(place / f"walk{scorer}.h5", "df_with_missing") for place in (folder, ours))
    assert our.columns.equals(theirs.columns)
    assert our.columns.names == theirs.columns.names
    assert our.index.equals(theirs.index)
    there = [number for number in range(FRAMES) if number != LOST]
    assert our.loc[there].to_numpy() == pytest.approx(theirs.loc[there].to_numpy(), abs=1e-4)
    their_meta, our_meta = (pd.read_pickle(place / f"walk{scorer}_meta.pickle")["data"] for place in (folder, ours))
    assert our_meta == {key: their_meta[key] for key in our_meta}


def test_it_filters_draws_and_analyses_what_we_write(project, ours):
    import deeplabcut

    video = str(ours / "walk.avi")
    there = [number for number in range(FRAMES) if number != LOST]
    our = pd.read_hdf(next(ours.glob("*.h5")))
    # Of its filters this one is made for gaps, and fills them with a likelihood of 0.01.
    (filled,) = deeplabcut.filterpredictions(project, [video], filtertype="spline", return_data=True).values()
    assert filled.loc[there].to_numpy() == pytest.approx(our.loc[there].to_numpy())
    assert (filled.loc[LOST].xs("likelihood", level="coords") == 0.01).all()
    for filtered in (False, True):
        assert deeplabcut.create_labeled_video(project, [video], filtered=filtered, draw_skeleton=True) == [True]
    drawn = [*ours.glob("*_labeled.mp4")]
    assert [open_video(file).frames for file in drawn] == [FRAMES, FRAMES]
    # Which refuses NaN, its own as well as ours.
    (bones,) = deeplabcut.analyzeskeleton(project, [video], filtered=True, return_data=True).values()
    expected = np.hypot(*(filled.xs(axis, axis=1, level="coords").diff(axis=1).iloc[:, 1] for axis in "xy"))
    assert bones["right_left"]["length"].to_numpy() == pytest.approx(expected)
