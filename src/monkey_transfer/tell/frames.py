"""Which frames of a video to label next, for the network of a finished run.

Run as a program, ``python -m monkey_transfer.tell.frames PROFILE ARM IMAGES SEED VIDEO FRAMES OUT``, it is what
``make frames`` calls, with an empty word for what was not said.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pandas as pd

from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors
from monkey_transfer.measure.frames import Standard, chosen_frames, labelled_frames, standard_of
from monkey_transfer.metrics.pckh import SCORE_TITLE
from monkey_transfer.places import data_folder, plain_path, runs_folder
from monkey_transfer.profiles.data import DlcData
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.watching import watch
from monkey_transfer.tell import single
from monkey_transfer.tell.videos import on_likelihoods, videos_of
from monkey_transfer.tell.words import listed
from monkey_transfer.videos.choosing import GAP, NOBODY_FOUND, REASONS
from monkey_transfer.videos.labelling import write_to_label
from monkey_transfer.videos.reading import Video, open_video

_USUAL = "20"


def frames(profile: str, arm: str, images: str, seed: str, video: str, count: str, out: str) -> None:
    """Choose frames of a video, or of each in a folder, to be labelled; print which and how to go on.

    StudyError if a word names nothing, the run is not there, or :func:`choose_frames` says so.
    """
    run = single.named_network(load_profile(profile), arm, images, seed)
    wanted = _wanted(count or _USUAL)
    if not video:
        raise StudyError("VIDEO is not given: expected VIDEO=<a video, or a folder of videos>")
    study = single.opened(run)
    for said in choose_frames(study, run, Path(os.path.expanduser(video)), wanted, out):
        print(said, flush=True)


def _wanted(word: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,8}", word):
        raise StudyError(
            f"FRAMES is {word!r}: expected how many frames to label in each video, a whole number from 1 on; leave it "
            f"out for {_USUAL}"
        )
    return int(word)


def choose_frames(study: Study, run: Run, named: Path, count: int, out: str) -> Iterator[str]:
    """Have a finished run's network watch videos, choose frames of each to be labelled, and say which and why.

    In ``out``, usually ``runs/<profile>/frames/<run>``, there is then ``labeled-data/<video>`` of each
    (:func:`monkey_transfer.videos.labelling.write_to_label`). All videos are checked before the first is watched.
    StudyError if one cannot be read, or has frames there from before; and, when the others are done, if there is
    nothing to choose from in one.
    """
    usual = runs_folder() / run.profile / "frames" / f"{run.arm}-{run.folder.name}"
    folder = (plain_path(out, "OUT") if out else plain_path(usual, "MONKEY_TRANSFER_RUNS")) / "labeled-data"
    videos = [open_video(file) for file in videos_of(named)]
    for video in videos:
        if (folder / video.path.stem).exists():
            raise StudyError(
                f"{folder / video.path.stem}: is there already, and two choices would be mixed: move it away, "
                "or name another folder in OUT"
            )
    standard = standard_of(study, run)
    written, without = [], []
    for video in videos:
        poses = watch(study, run, video.path, usual.with_name(f"{usual.name}.partial")).poses
        poses = poses.assign(likelihood=standard.calibration.share(poses["likelihood"].to_numpy()))
        chosen = chosen_frames(study, run, standard, video, poses, count)
        labelled = len(labelled_frames(study.target, video))
        if chosen.empty:
            without.append(_why_none(video, poses, labelled))
            continue
        write_to_label(folder / video.path.stem, video, poses, chosen, run.scorer)
        written.append(video)
        yield in_words(video, poses, chosen, count, labelled)
    if written:
        yield on_limits(standard)
        yield on_likelihoods(standard.calibration, SCORE_TITLE[study.profile.yardstick])
        yield how_to_go_on(study, folder, written)
    if without:
        raise StudyError("; ".join(without))


def in_words(video: Video, poses: pd.DataFrame, chosen: pd.DataFrame, count: int, labelled: int) -> str:
    """How many frames of a video were chosen and why, from where to where, and why no more."""
    whys = chosen["why"].value_counts()
    counts = [f"{number} {why}" for why, number in whys.items() if why != NOBODY_FOUND]
    if NOBODY_FOUND in whys:
        counts.append(f"{whys[NOBODY_FOUND]} of the {_lost(poses):,} in which nobody is found")
    first, last = chosen["time"].agg(["min", "max"])
    said = (
        f"{video.path.name}: {len(chosen)} of {video.frames:,} frames to label, from {first:.1f} to {last:.1f} seconds"
    )
    said += f": {listed(counts)}."
    if labelled:
        said += f" Labelled already: {labelled}."
    if len(chosen) < count:
        near = "of these, or of those that are labelled" if labelled else "of these"
        said += f" {count} were asked for, but the others are within {GAP:g} seconds {near}, or show nobody."
    return said


def _lost(poses: pd.DataFrame) -> int:
    """How many frames are without a person."""
    return int(poses.groupby("frame")["likelihood"].count().eq(0).sum())


def _why_none(video: Video, poses: pd.DataFrame, labelled: int) -> str:
    if _lost(poses) == video.frames:
        return (
            f"{video.path}: nobody is found in any of its {video.frames:,} frames, so that none can be chosen: choose "
            "some by eye (deeplabcut.extract_frames), or try a run that finds somebody"
        )
    return (
        f"{video.path}: every frame that shows somebody is within {GAP:g} seconds of one of the {labelled} that are "
        "labelled already: name another video"
    )


def on_limits(standard: Standard) -> str:
    """What is called uncertain, and what unusual."""
    wrong, rarity = (standard.limits[column] for column in REASONS)
    said = f"Uncertain is a frame with more than {100 * wrong:.0f} % of its joints expected to be wrong"
    if standard.learnt is None:
        unknown = "How far poses are from those that were learnt is not known, since too few of these are here."
        return f"{said}; one in ten held-out people is as uncertain. {unknown}"
    return (
        f"{said}, unusual one with a pose more than {rarity:.2f} body sizes from the nearest that were learnt; one in "
        "ten held-out people is beyond either."
    )


def how_to_go_on(study: Study, folder: Path, videos: list[Video]) -> str:
    """What to type so that DeepLabCut opens the frames, which are in ``folder``, to be corrected."""
    data = study.profile.target.data
    project = str(data_folder() / data.project) if isinstance(data, DlcData) else "<your project>"
    config, new = f"{project}/config.yaml", [str(one.path.resolve()) for one in videos]
    lines = [
        f"Frames, and predictions to correct in them: {folder}. What is not corrected becomes a label as it is. To go "
        "on, copy them, and have DeepLabCut open them:",
        f"  cp -rn {quote(str(folder))} {quote(project)}/",
        f"  >>> deeplabcut.add_new_videos({config!r}, {new!r})  # those that the project lacks",
        *[f"  >>> deeplabcut.label_frames({config!r}, {one.path.stem!r})" for one in videos],
    ]
    return "\n".join(lines)


def main() -> None:
    """The command that the Makefile calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    for word in ("profile", "arm", "images", "seed", "video", "count", "out"):
        parser.add_argument(word)
    asked = parser.parse_args()
    print_any_letters()
    try:
        with clear_disk_errors():
            frames(**vars(asked))
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
