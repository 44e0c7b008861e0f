"""The network of a finished run on videos, as people and other programs can use it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.files import written
from monkey_transfer.measure.calibration import Calibration, calibrated
from monkey_transfer.metrics.pckh import SCORE_TITLE
from monkey_transfer.places import plain_path, runs_folder
from monkey_transfer.plots.style import SIDE_COLOURS
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best, Run
from monkey_transfer.study.watching import Watched, watch
from monkey_transfer.tell.words import listed
from monkey_transfer.videos.drawing import write_labelled_video
from monkey_transfer.videos.following import FINDER, LAST_FRAME, NOBODY, WHOLE_FRAME
from monkey_transfer.videos.reading import Video, open_video
from monkey_transfer.videos.writing import write_for_deeplabcut, write_for_movement

# Of the files of a folder these are its videos.
_ENDINGS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts")
# Those that are made of videos: ours, and DeepLabCut's.
_LABELLED = ("_labelled", "_labeled")
_MOST_STRETCHES = 5


def videos_of(named: Path) -> list[Path]:
    """The video of that name, or those in the folder of that name but for labelled ones.

    StudyError if there is none, or two would leave files of one name.
    """
    if not named.is_dir():
        return [named]
    found = sorted(file for file in named.iterdir() if file.suffix.lower() in _ENDINGS)
    found = [file for file in found if not file.stem.endswith(_LABELLED)]
    if not found:
        raise StudyError(f"{named}: holds no video; expected files such as .mp4, .mov, .avi or .mkv")
    for one, other in pairwise(found):
        if one.stem == other.stem:
            raise StudyError(f"{named}: {one.name} and {other.name} would leave files of one name; rename one of them")
    return found


def watch_videos(study: Study, run: Run, named: Path, out: str) -> Iterator[str]:
    """Have a finished run's network follow the person in each video, and say of each what came of it.

    In ``out``, usually ``runs/<profile>/videos/<run>``, there are then of each video what ``deeplabcut.analyze_videos``
    would leave, a data set of movement (``.nc``), how the person was found in each frame (``_frames.csv``) and the
    labelled video. Likelihoods are :func:`monkey_transfer.measure.calibration.calibrated`. All videos are checked
    before the first is watched. StudyError if one cannot be read or the network cannot follow people.
    """
    usual = runs_folder() / run.profile / "videos" / f"{run.arm}-{run.folder.name}"
    folder = plain_path(out, "OUT") if out else plain_path(usual, "MONKEY_TRANSFER_RUNS")
    calibration = calibrated(study, run)
    videos = [open_video(file) for file in videos_of(named)]
    folder.mkdir(parents=True, exist_ok=True)
    for video in videos:
        found = watch(study, run, video.path, usual.with_name(f"{usual.name}.partial"))
        poses = found.poses.assign(likelihood=calibration.share(found.poses["likelihood"].to_numpy()))
        _write(study, run, video, found, poses, folder)
        yield in_words(video, found)
    yield on_likelihoods(calibration, SCORE_TITLE[study.profile.yardstick])
    if isinstance(run, Best):
        yield f"They are those of {listed(map(str, study.witnesses(run)))}, since {run} has learnt everybody."
    yield f"Poses, labelled videos and what was found in each frame: {folder}"


def on_likelihoods(calibration: Calibration, score: str) -> str:
    """What the likelihoods of poses mean, by the score's title."""
    on = f"{calibration.joints:,} joints of {calibration.people:,} held-out people"
    if not calibration.slope:
        return f"Likelihoods say nothing: on {on} what the network was surer of was not more often right."
    return f"Likelihoods are calibrated on {on}: of those with 0.8 there 80 % were correct ({score})."


def _write(study: Study, run: Run, video: Video, found: Watched, poses: pd.DataFrame, folder: Path) -> None:
    """Write what came of a video, what takes longest last."""
    name = video.path.stem
    write_for_deeplabcut(folder, video, poses, run.scorer)
    write_for_movement(folder / f"{name}.nc", video, poses)
    with written(folder / f"{name}_frames.csv") as unfinished:
        found.people.to_csv(unfinished, index=False, float_format="%.2f")
    file = folder / f"{name}{_LABELLED[0]}.mp4"
    write_labelled_video(file, video, found.poses, found.people, study.skeleton(run.arm), SIDE_COLOURS, found.sure)


def in_words(video: Video, found: Watched) -> str:
    """In how many frames somebody was found, how, and where nobody was."""
    by = found.people["found_by"]
    finder = f"by {found.finder}" if found.finder else "by a finder"
    ways = {LAST_FRAME: "from where the person was last", FINDER: finder, WHOLE_FRAME: "by searching the whole frame"}
    counts = [f"{number:,} {ways[way]}" for way in ways if (number := int((by == way).sum()))]
    there = int((by != NOBODY).sum())
    said = f"{video.path.name}: somebody is found in {there:,} of {video.frames:,} frames"
    if counts:
        said += f" ({', '.join(counts)})"
    return f"{said}. {_without(by)}" if there < video.frames else f"{said}."


def _without(by: pd.Series) -> str:
    """The stretches of frames in which nobody was found, the longest first."""
    nobody = by.eq(NOBODY).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], nobody, [False]]).astype(int)))
    stretches = sorted(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True), key=lambda s: s[0] - s[1])
    named = [f"{first}" if first == last else f"{first} to {last}" for first, last in stretches[:_MOST_STRETCHES]]
    more = len(stretches) - len(named)
    others = [f"{more} other stretches"] if more else []
    return f"Nobody is found in frames {listed([*named, *others])} (counted from 0)."
