"""Frames of a video and a network's poses in them, as DeepLabCut takes them to have a person correct the poses.

The folder is one below `labeled-data` of a project, as `extract_outlier_frames` of release 3.0.2 leaves it
(`ExtractFramesbasedonPreselection` in its `refine_training_dataset/outlier_frames.py`): a PNG of each frame, and the
poses in `machinelabels-iter0.h5`. `label_frames`, which is `refine_labels` as well, opens it in napari, where points
can be moved; what is saved there becomes the labels of the project's scorer, `CollectedData_<scorer>.h5`. Until then
there are none: predictions are nobody's labels. Joints less likely than 0.6 are marked there.
"""

import errno
import math
import shutil
from pathlib import Path

import pandas as pd
from tables.exceptions import HDF5ExtError

from monkey_transfer.files import written
from monkey_transfer.images import write_picture
from monkey_transfer.videos.reading import Video

_COORDINATES = ["x", "y", "likelihood"]
# Of the iteration in which a project is that was never refined; napari takes any that begins with 'machinelabels'.
_MACHINE_LABELS = "machinelabels-iter0.h5"


def picture_name(video: Video, frame: int) -> str:
    """What DeepLabCut calls the picture of a frame: its number, counted from 0, as long as the last one's."""
    return f"img{str(frame).zfill(math.ceil(math.log10(video.frames)))}.png"


def write_to_label(folder: Path, video: Video, poses: pd.DataFrame, chosen: pd.DataFrame, scorer: str) -> None:
    """Write chosen frames of a video to be labelled, into a folder that is there whole afterwards or not at all.

    Beside what DeepLabCut reads lies ``chosen_frames.csv``, the table ``chosen``.

    Parameters
    ----------
    folder : not there yet; its name is to be that of the video without its ending.
    poses : of every frame, as :func:`monkey_transfer.videos.following.follow` returns them, by the project's names.
    chosen : ``frame`` and ``picture`` (:func:`picture_name`) of each frame to be labelled, and what else one may want
        to know of it.
    scorer : the network's name.
    """
    picture_of = dict(zip(chosen["frame"], chosen["picture"], strict=True))
    with written(folder) as unfinished:
        try:
            unfinished.mkdir()
            for number, frame in enumerate(video):
                if number in picture_of:
                    write_picture(unfinished / picture_of[number], frame)
            _write_machine_labels(unfinished, poses, picture_of, folder.name, scorer)
            chosen.to_csv(unfinished / "chosen_frames.csv", index=False, float_format="%.3f")
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def _write_machine_labels(
    folder: Path, poses: pd.DataFrame, picture_of: dict[int, str], name: str, scorer: str
) -> None:
    """Poses of the frames that have a picture, NaN where nobody is: as .h5, and as .csv for people to read."""
    keypoints = list(poses["keypoint"].unique())
    of_frames = poses[poses["frame"].isin(picture_of)].sort_values("frame", kind="stable")
    table = pd.DataFrame(
        of_frames[_COORDINATES].to_numpy(float).reshape(-1, 3 * len(keypoints)),
        pd.MultiIndex.from_tuples([("labeled-data", name, picture_of[frame]) for frame in of_frames["frame"].unique()]),
        pd.MultiIndex.from_product([[scorer], keypoints, _COORDINATES], names=["scorer", "bodyparts", "coords"]),
    )
    try:
        table.to_hdf(folder / _MACHINE_LABELS, key="df_with_missing", mode="w")
    except HDF5ExtError as error:  # which does not say what the disk refused
        raise OSError(errno.EIO, "could not be written", str(folder)) from error
    table.to_csv(folder / "machinelabels.csv")
