"""The template `config/my_data.yaml` on a small project that DeepLabCut's own functions wrote."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from monkey_transfer.datasets.dlc import read_dlc
from monkey_transfer.datasets.pictures import in_network_pixels
from monkey_transfer.images import read_picture
from monkey_transfer.measure.matched import matched, mean_pose
from monkey_transfer.metrics.pckh import pck, scored
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles import loading
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.study import opening

pytestmark = pytest.mark.slow

KEYPOINTS = loading.load_profile("my_data").target.data.keypoints
VIDEOS, FRAMES, SIZE = ("first", "second", "third"), 20, 128
# Of the picture in the third video both diagonals of the trunk lack an end.
UNLABELLED = [("second", 7, "RElbow"), ("third", 11, "RShoulder"), ("third", 11, "LShoulder")]
COLOURS = np.random.default_rng(0).integers(60, 256, (len(KEYPOINTS), 3))
TINY = {
    "extends": "my_data",
    "source": {"data": {"images": 30, "size": 64}, "test": 6},
    "folds": 3,
    "smallest_validation": 10,
    "arms": {
        "baseline": {"images": 10},
        "transfer": {"images": [5, 8], "iterations": {"15": None, "30": None}},
        **{arm: {"images": 8} for arm in ("imagenet_control", "imagenet_longer")},
    },
}


def positions(video: str) -> np.ndarray:
    """(frames, body parts, 2): a body that drifts; eighths of a pixel, which any file keeps exactly."""
    rng = np.random.default_rng(VIDEOS.index(video))
    body = np.stack(np.meshgrid([30, 60, 90], [25, 50, 75, 100]), axis=-1).reshape(-1, 2)
    drift = np.cumsum(rng.normal(0, 1, (FRAMES, 1, 2)), axis=0).clip(-15, 15)
    poses = np.round((body + drift + rng.uniform(-5, 5, (FRAMES, len(body), 2))) * 8) / 8
    for _, frame, bodypart in [missing for missing in UNLABELLED if missing[0] == video]:
        poses[frame, list(KEYPOINTS).index(bodypart)] = np.nan
    return poses


def film(file: Path, poses: np.ndarray) -> None:
    """A video with a disc for every labelled joint, each in its own colour."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25, (SIZE, SIZE))
    for pose in poses:
        frame = np.full((SIZE, SIZE, 3), 30, np.uint8)
        for (x, y), colour in zip(pose, COLOURS, strict=True):
            if not np.isnan(x):
                cv2.circle(frame, (round(x), round(y)), 5, colour[::-1].tolist(), -1)
        writer.write(frame)
    writer.release()


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A labelled project of three videos."""
    import deeplabcut
    from deeplabcut.utils.auxiliaryfunctions import edit_config

    folder = tmp_path_factory.mktemp("own")
    videos = [folder / f"{video}.avi" for video in VIDEOS]
    for video in videos:
        film(video, positions(video.stem))
    config = Path(deeplabcut.create_new_project("gait", "ann", videos, folder))
    edit_config(config, {"bodyparts": list(KEYPOINTS), "numframes2pick": FRAMES})
    deeplabcut.extract_frames(config, mode="automatic", algo="uniform", userfeedback=False)
    columns = pd.MultiIndex.from_product([["ann"], KEYPOINTS, ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    for video in VIDEOS:
        index = [f"labeled-data/{video}/img{frame:02d}.png" for frame in range(FRAMES)]
        table = pd.DataFrame(positions(video).reshape(FRAMES, -1), index, columns)
        table.to_csv(config.parent / "labeled-data" / video / "CollectedData_ann.csv")
    deeplabcut.convertcsv2h5(config, userfeedback=False)  # rewrites the .csv as well
    return config.parent


@pytest.fixture(scope="module")
def own(project, tmp_path_factory):
    """The template with that project in it, at a tiny size, opened."""
    config = tmp_path_factory.mktemp("config")
    for file in CONFIG.glob("*.yaml"):
        shutil.copy(file, config)
    (config / "own.yaml").write_text(yaml.safe_dump({**TINY, "target": {"data": {"project": project.name}}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_DATA", str(project.parent))
        patch.setenv("MONKEY_TRANSFER_RUNS", str(config / "runs"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, config))
        yield opening.open_study("own")


def wide(labels: pd.DataFrame) -> pd.DataFrame:
    """One row for each picture, x and y of every body part, under the names that DeepLabCut's own table has."""
    bodypart_of = {keypoint: bodypart for bodypart, keypoint in KEYPOINTS.items()}
    table = labels.assign(bodyparts=labels["keypoint"].map(bodypart_of)).dropna(subset="bodyparts")
    table = table.pivot(index="image_id", columns="bodyparts", values=["x", "y"]).swaplevel(axis=1)
    return table[[(bodypart, axis) for bodypart in KEYPOINTS for axis in "xy"]]


def test_the_labels_are_those_that_deeplabcut_itself_reads(project, tmp_path):
    from deeplabcut.generate_training_dataset.trainingsetmanipulation import merge_annotateddatasets
    from deeplabcut.utils.auxiliaryfunctions import read_config

    theirs = merge_annotateddatasets(read_config(project / "config.yaml"), tmp_path)
    ours = wide(read_dlc(project, LSP_14, KEYPOINTS).labels)
    assert [f"{video}-{Path(name).stem}" for _, video, name in theirs.index] == ours.index.tolist()
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ours, np.concatenate([positions(video).reshape(FRAMES, -1) for video in VIDEOS]))


def test_deeplabcuts_csv_holds_the_same_labels(project, tmp_path):
    copy = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns("*.h5", "videos"))
    with_h5, without = read_dlc(project, LSP_14, KEYPOINTS), read_dlc(copy, LSP_14, KEYPOINTS)
    pd.testing.assert_frame_equal(with_h5.labels, without.labels)


def test_deeplabcuts_multi_animal_project_holds_the_same_labels(project, tmp_path):
    import deeplabcut
    from deeplabcut.utils.auxiliaryfunctions import edit_config

    copy = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns("videos"))
    *parts, last = KEYPOINTS
    keys = {"multianimalproject": True, "individuals": ["one"], "bodyparts": "MULTI!", "identity": False}
    edit_config(copy / "config.yaml", {**keys, "multianimalbodyparts": parts, "uniquebodyparts": [last]})
    deeplabcut.convert2_maDLC(copy / "config.yaml", userfeedback=False)
    assert pd.read_hdf(next(copy.glob("labeled-data/*/CollectedData_ann.h5"))).columns.nlevels == 4
    one, several = read_dlc(project, LSP_14, KEYPOINTS), read_dlc(copy, LSP_14, KEYPOINTS)
    pd.testing.assert_frame_equal(one.labels, several.labels)


def test_the_template_opens_and_tests_each_video_once(own):
    file_of = own.target.images.set_index("image_id")["path"].map(Path)  # the ids are pseudonyms
    [unscored] = own.unscored  # learnt or dropped with its video, and never tested
    assert file_of[unscored].parts[-2:] == ("third", "img11.png")
    tested = []
    for part in own.parts:
        split, draw = part.splits["target"], part.draw("target", 0)
        videos = [
            {file_of[image_id].parent.name for image_id in ids} for ids in (split.test, draw.validation, draw.train)
        ]
        assert sorted(set.union(*videos)) == list(VIDEOS)
        assert [len(own_videos) for own_videos in videos] == [1, 1, 1]
        assert unscored not in {*split.test, *draw.validation}
        tested += split.test
    assert sorted(tested) == sorted({*own.target.images["image_id"]} - {unscored})
    assert own.target.left_out.empty
    assert own.rendered is False


def test_what_nobody_labelled_is_no_output_and_the_others_have_their_own_names(own):
    """Neck and head top of the skeleton are not in the project, so no network learns to find them."""
    assert own.skeleton("transfer").keypoints == tuple(
        bodypart for keypoint in LSP_14.keypoints for bodypart, named in KEYPOINTS.items() if named == keypoint
    )
    assert len(own.skeleton("transfer").keypoints) == len(KEYPOINTS) == 12


def test_the_framed_pictures_show_the_joints_where_the_labels_say(own):
    """The disc of a joint is around its label, in its own colour as far as the video's compression keeps it."""
    ids = own.parts[0].draw("target", 0).validation
    pictures = own.framed("target", ids, own.profile.picture)
    labels = wide(in_network_pixels(own.target.subset(ids).labels, pictures)).loc[list(ids)]
    off = []
    for path, pose in zip(pictures["path"], labels.to_numpy().reshape(len(ids), -1, 2), strict=True):
        columns, rows = np.round(pose[~np.isnan(pose[:, 0])]).astype(int).T
        off.append(np.abs(read_picture(path)[rows, columns] - COLOURS[~np.isnan(pose[:, 0])]))
    assert np.median(np.concatenate(off)) < 10


def test_the_mean_pose_is_measured_by_the_torso(own):
    """Joints stray by up to 5 pixels from a body that the crop follows; a fifth of its torso is about 12."""
    measured = matched(own, mean_pose(own, 0))
    assert measured.reference == "torso"
    assert pck(scored(measured.joints), 0.2) > 95
