"""What is written of a video holds the poses that were found, in files that are there whole or not at all."""

import pickle
import re
import subprocess
from dataclasses import replace

import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest
from drawn_videos import COLOURS, SIX, drawn, joints_at, write_video
from test_files import a_full_disk

from monkey_transfer.errors import StudyError
from monkey_transfer.tables import BOX
from monkey_transfer.videos.drawing import write_labelled_video
from monkey_transfer.videos.reading import open_video
from monkey_transfer.videos.writing import write_for_deeplabcut, write_for_movement

FRAMES, WIDTH, HEIGHT, LOST, UNSURE = 5, 800, 480, 3, 1
BOX_OF_ALL, POSE = (270.0, 45.0, 260.0, 390.0), joints_at(400, 240, 390)
SCORER = "DLC_Network_studyJan1shuffle1_snapshot_best-40"
SIDES = {"right": "#ee7733", "left": "#0099cc", "middle": "#444444"}
ORANGE, BLUE = (0xEE, 0x77, 0x33), (0x00, 0x99, 0xCC)


@pytest.fixture
def video(tmp_path):
    (tmp_path / "videos").mkdir()
    path = tmp_path / "videos" / "walk one.mp4"
    return open_video(write_video(path, [drawn(WIDTH, HEIGHT, None)] * FRAMES, rate="30000/1001"))


@pytest.fixture
def found():
    """The tables of a person who stands there; a hip is not sure in one frame, and in another nobody is."""
    positions = np.tile(POSE, (FRAMES, 1))
    poses = pd.DataFrame(
        {
            "frame": np.arange(FRAMES).repeat(len(COLOURS)),
            "keypoint": [*COLOURS] * FRAMES,
            "x": positions[:, 0],
            "y": positions[:, 1],
            "likelihood": 0.9,
        }
    )
    poses.loc[(poses["frame"] == UNSURE) & (poses["keypoint"] == "left_hip"), "likelihood"] = 0.2
    poses.loc[poses["frame"] == LOST, ["x", "y", "likelihood"]] = np.nan
    people = pd.DataFrame({"frame": range(FRAMES), **dict(zip(BOX, BOX_OF_ALL, strict=True))})
    people.loc[LOST, BOX] = np.nan
    return poses, people.assign(found_by=np.where(people["frame"] == LOST, "nobody", "last frame"))


def test_the_files_of_deeplabcut(video, found, tmp_path):
    poses, _ = found
    files = write_for_deeplabcut(tmp_path / "out", video, poses, SCORER)
    assert sorted(file.name for file in files) == [
        f"walk one{SCORER}.csv",
        f"walk one{SCORER}.h5",
        f"walk one{SCORER}_meta.pickle",
    ]
    assert sorted(files) == sorted((tmp_path / "out").iterdir())
    meta, csv, h5 = files
    table = pd.read_hdf(h5, "df_with_missing")
    assert table.columns.names == ["scorer", "bodyparts", "coords"]
    assert table.columns.tolist() == [(SCORER, joint, of) for joint in COLOURS for of in ("x", "y", "likelihood")]
    assert table.index.tolist() == [*range(FRAMES)]
    assert table.loc[LOST].isna().all()
    assert np.array_equal(table.to_numpy().ravel(), poses[["x", "y", "likelihood"]].to_numpy().ravel(), equal_nan=True)
    pd.testing.assert_frame_equal(pd.read_csv(csv, header=[0, 1, 2], index_col=0), table, check_names=False)
    known = pickle.loads(meta.read_bytes())["data"]
    assert (known["nframes"], known["frame_dimensions"], known["cropping"]) == (FRAMES, (WIDTH, HEIGHT), False)


@pytest.mark.parametrize("steady", [True, False])
def test_a_data_set_of_movement(video, found, steady, tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    poses, _ = found
    file = tmp_path / "out" / "walk one.nc"
    write_for_movement(file, replace(video, steady=steady), poses)
    with xarray.open_dataset(file) as data:
        assert dict(data.sizes) == {"time": FRAMES, "space": 2, "keypoints": 6, "individuals": 1}
        assert data["position"].dims == ("time", "space", "keypoints", "individuals")
        assert data["confidence"].dims == ("time", "keypoints", "individuals")
        assert data["space"].values.tolist() == ["x", "y"]
        assert data["keypoints"].values.tolist() == [*COLOURS]
        there = data.sel(keypoints="right_hip", individuals="individual_0")
        assert there["position"][0].values == pytest.approx(POSE[2])
        assert there["confidence"][0] == 0.9
        assert bool(there["position"][LOST].isnull().all())
        assert data.attrs["ds_type"] == "poses"
        assert data.attrs["source_software"] == "monkey-transfer"
        assert data.attrs["time_unit"] == ("seconds" if steady else "frames")
        assert ("fps" in data.attrs) == steady
        assert data["time"].values == pytest.approx(np.arange(FRAMES) / (video.frames_per_second if steady else 1))


def labelled(video, found, file, **other):
    write_labelled_video(file, video, *found, SIX, SIDES, 0.5, **other)
    made = open_video(file)
    return made, [frame.astype(int) for frame in made]


def near(frame, point, colour) -> bool:
    """Whether the pixel there has nearly that colour: H.264 keeps one in four."""
    x, y = np.round(point).astype(int)
    return bool(np.abs(frame[y, x] - colour).max() < 40)


def test_the_labelled_video(video, found, tmp_path):
    done = []
    made, frames = labelled(video, found, tmp_path / "out" / "a.mp4", report=lambda *counts: done.append(counts))
    assert (made.frames, made.frames_per_second) == (FRAMES, pytest.approx(30000 / 1001))
    assert (made.width, made.height) == (WIDTH, HEIGHT)
    assert done[-1] == (FRAMES, FRAMES)
    said = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", made.path], capture_output=True, text=True).stderr
    assert re.search(r"Video: h264 .*, yuv420p", said)

    joints = dict(zip(COLOURS, POSE, strict=True))
    for name, point in joints.items():
        assert near(frames[0], point, ORANGE if name.startswith("right") else BLUE)
    trunk = {side: (joints[f"{side}_shoulder"] + joints[f"{side}_hip"]) / 2 for side in ("right", "left")}
    ground = frames[LOST][-5, -5]
    assert near(frames[0], trunk["right"], ORANGE)
    assert near(frames[0], trunk["left"], BLUE)
    assert near(frames[0], (joints["right_hip"] + joints["left_hip"]) / 2, (0x44, 0x44, 0x44))
    shin = (joints["left_hip"] + joints["left_ankle"]) / 2  # there is no knee that it would lead from
    assert all(near(frames[0], elsewhere, ground) for elsewhere in (shin, (20, 460), (400, 240 - 100)))

    # A joint that is not sure is pale, and nothing leads to it.
    x, y = np.round(joints["left_hip"]).astype(int)
    assert 20 < np.abs(frames[UNSURE][y, x] - ground).max() < 0.6 * np.abs(frames[0][y, x] - ground).max()
    assert near(frames[UNSURE], trunk["right"], ORANGE)
    assert near(frames[UNSURE], trunk["left"], ground)

    # Where nobody is found, that is said in the corner, and nothing is drawn anywhere else.
    changed = np.abs(frames[LOST] - ground).max(axis=2) > 60
    assert changed.any()
    assert not changed[60:].any()
    assert not changed[:, 300:].any()
    assert not (np.abs(frames[0][:60, :300] - ground).max(axis=2) > 60).any()


def test_lines_are_as_thick_as_the_person_is_tall(tmp_path):
    widths = []
    for scale in (0.25, 2):
        path = write_video(tmp_path / f"{scale}.mp4", [drawn(round(WIDTH * scale), round(HEIGHT * scale), None)])
        joints = POSE * scale
        poses = pd.DataFrame(
            {"frame": 0, "keypoint": [*COLOURS], "x": joints[:, 0], "y": joints[:, 1], "likelihood": 1.0}
        )
        people = pd.DataFrame({"frame": [0], **dict(zip(BOX, np.array(BOX_OF_ALL)[:, None] * scale, strict=True))})
        _, (frame,) = labelled(
            open_video(path), (poses, people.assign(found_by="finder")), tmp_path / f"{scale} drawn.mp4"
        )
        x, y = np.round(joints[0]).astype(int)
        widths.append((np.abs(frame[y, : x + 1] - frame[0, 0]).max(axis=1) > 60).sum())
    assert 3 <= widths[0] <= 5  # half a dot and its rim
    assert 8 <= widths[1] <= 12


def test_odd_sides_get_a_black_edge(found, tmp_path):
    path = write_video(tmp_path / "odd.mp4", [drawn(801, 481, None)] * FRAMES)
    made, frames = labelled(open_video(path), found, tmp_path / "a.mp4")
    assert (made.width, made.height) == (802, 482)
    assert near(frames[0], POSE[0], ORANGE)


WRITERS = {
    "deeplabcut": lambda video, found, folder: write_for_deeplabcut(folder, video, found[0], SCORER),
    "labelled video": lambda video, found, folder: labelled(video, found, folder / "a.mp4"),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_said_and_leaves_nothing(write, video, found, tmp_path):
    with pytest.raises(StudyError, match="out/.+free some space there"), a_full_disk():
        write(video, found, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_video_that_ends_early_leaves_no_labelled_one(video, found, tmp_path):
    longer = replace(video, frames=FRAMES + 1)
    one_more = [pd.concat([table, table[table["frame"] == 0]]) for table in found]
    with pytest.raises(StudyError, match="frame 5, counted from 0, cannot be decoded"):
        write_labelled_video(tmp_path / "out" / "a.mp4", longer, *one_more, SIX, SIDES, 0.5)
    assert list((tmp_path / "out").iterdir()) == []
