"""Poses in the frames of a video, written for DeepLabCut and for movement.

Every file is there whole or not at all. Coordinates are pixels of the frame, 0-based, pixel centres, as in the labels
of a DeepLabCut project (:mod:`monkey_transfer.datasets.dlc`): nothing is added to them.
"""

import errno
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from tables.exceptions import HDF5ExtError

from monkey_transfer.files import written
from monkey_transfer.videos.reading import Video

_COORDINATES = ["x", "y", "likelihood"]
# movement's name of an individual that has none, as it reads the results of a DeepLabCut project with one animal.
_INDIVIDUAL = "individual_0"


def write_for_deeplabcut(folder: Path, video: Video, poses: pd.DataFrame, scorer: str) -> list[Path]:
    """Write poses as `deeplabcut.analyze_videos` of release 3.0.2 leaves them; returns the files.

    They are ``<video><scorer>.h5`` (key ``df_with_missing``; a row for each frame, columns of the levels scorer,
    bodyparts, coords), the same as ``.csv``, and ``<video><scorer>_meta.pickle``, without which `create_labeled_video`
    draws nothing. A frame without a person is a row of NaN, as DeepLabCut writes it of an animal that it lost. Its
    `analyzeskeleton` refuses those: `filterpredictions` with ``filtertype="spline"`` fills them first.
    (`create_df_from_prediction` and `_generate_metadata` in its `pose_estimation_pytorch/apis/videos.py`.)

    Parameters
    ----------
    poses : of every frame, as :func:`monkey_transfer.videos.following.follow` returns them.
    scorer : the network by the name under which DeepLabCut looks for its results, such as
        ``DLC_Mobilenetv2035_smallJan1shuffle1_snapshot_best-40`` (`auxiliaryfunctions.get_scorer_name`).
    """
    keypoints = list(poses["keypoint"].unique())
    columns = pd.MultiIndex.from_product([[scorer], keypoints, _COORDINATES], names=["scorer", "bodyparts", "coords"])
    table = pd.DataFrame(_array(poses).reshape(video.frames, -1), index=range(video.frames), columns=columns)
    known = {
        "Scorer": scorer,
        "fps": video.frames_per_second,
        "frame_dimensions": (video.width, video.height),
        "nframes": video.frames,
        "cropping": False,
        "cropping_parameters": [0, video.width, 0, video.height],
        "individuals": ["individual_1"],
        "bodyparts": keypoints,
        "unique_bodyparts": [],
    }
    file = folder / f"{video.path.stem}{scorer}.h5"
    files = [file.with_name(f"{file.stem}_meta.pickle"), file.with_name(f"{file.stem}.csv"), file]
    with written(files[0]) as unfinished:
        unfinished.write_bytes(pickle.dumps({"data": known}))
    with written(files[1]) as unfinished:
        table.to_csv(unfinished)
    with written(files[2]) as unfinished:
        try:
            table.to_hdf(unfinished, key="df_with_missing", format="table", mode="w")
        except HDF5ExtError as error:  # which does not say what the disk refused
            raise OSError(errno.EIO, "could not be written") from error
    return files


def write_for_movement(file: Path, video: Video, poses: pd.DataFrame) -> None:
    """Write poses as a data set of the `movement` package, in netCDF.

    The layout is that of its `from_numpy` (`movement/io/load_poses.py`): ``position`` (time, space, keypoints,
    individuals) and ``confidence`` (time, keypoints, individuals), NaN where nobody is. ``time`` is in seconds, or in
    frames and without ``fps`` where the video has no steady rate.
    """
    import xarray  # takes as long as all of this package

    array = _array(poses)
    names = ["time", "space", "keypoints", "individuals"]
    numbers = np.arange(video.frames)
    attributes: dict[str, object] = {"source_software": "monkey-transfer", "ds_type": "poses", "time_unit": "frames"}
    if video.steady:
        attributes |= {"time_unit": "seconds", "fps": video.frames_per_second}
    data = xarray.Dataset(
        data_vars={
            "position": (names, array[:, :, :2].transpose(0, 2, 1)[..., None]),
            "confidence": (["time", "keypoints", "individuals"], array[:, :, 2:]),
        },
        coords={
            "time": numbers / video.frames_per_second if video.steady else numbers,
            "space": ["x", "y"],
            "keypoints": list(poses["keypoint"].unique()),
            "individuals": [_INDIVIDUAL],
        },
        attrs=attributes,
    )
    with written(file) as unfinished:
        data.to_netcdf(unfinished, engine="h5netcdf")


def _array(poses: pd.DataFrame) -> np.ndarray:
    """(frames, keypoints, 3): x, y, likelihood."""
    return poses[_COORDINATES].to_numpy(float).reshape(-1, poses["keypoint"].nunique(), 3)
