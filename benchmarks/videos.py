"""``python -m benchmarks.videos [PROFILE ARM IMAGES]``: people in the frames of videos, found as in crops, and how fast.

The test people of a study whose runs are there (``make study``) are put into frames of 320, 640 and 1920 pixels, on
noise, each for a few frames in which he drifts; a finished run's network follows them. Its PCK is set beside that of
the same run on the crops around the labelled boxes, which a video does not have. Then ours and DeepLabCut's
``analyze_videos`` take turns on the same network and the same video of 640 pixels: DeepLabCut gives the network whole
frames, one look each, ours cuts each frame out, and more than once where the person moves; the start of either is timed
as well. The last line is the largest loss, in points, and the smallest ratio of frames a second.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import pandas as pd

from benchmarks.prepare import seconds
from monkey_transfer import skeletons
from monkey_transfer.images import read_picture
from monkey_transfer.measure.matched import matched
from monkey_transfer.metrics.pckh import SCORE_TITLE, scored
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.watching import watch

FRAMES = {320: 320, 640: 480, 1920: 1080}  # width -> height
PEOPLE, HELD, STEP, TURNS = 60, 4, 2, 3
RATE = 25


def film(study: Study, ids: list[str], width: int, file: Path) -> pd.DataFrame:
    """Write a video of these people; returns frame, image_id and where the picture's corner is: dx, dy."""
    rng, height, rows = np.random.default_rng(0), FRAMES[width], []
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (width, height))
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    for row in study.target.subset(ids).images.itertuples():
        picture = read_picture(row.path, (row.width, row.height))
        ground = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 3)
        x, y = (
            int(rng.integers(0, side - own - STEP * HELD + 1))
            for side, own in ((width, row.width), (height, row.height))
        )
        for step in range(HELD):
            frame, left = ground.copy(), x + STEP * step
            frame[y : y + row.height, left : left + row.width] = picture
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            rows.append((len(rows), row.image_id, left, y))
    writer.release()
    return pd.DataFrame(rows, columns=["frame", "image_id", "dx", "dy"])


def found_in(study: Study, run: Run, poses: pd.DataFrame, places: pd.DataFrame) -> float:
    """PCK over all frames, in percent; joints of a frame without a person are missed."""
    names = skeletons.mapping(study.skeleton(run.arm), study.target.skeleton)
    rows = poses[poses["keypoint"].isin(names)].merge(places, on="frame")
    far = rows[["x", "y"]].fillna(1e6)
    rows = rows.assign(keypoint=rows["keypoint"].map(names), x=far["x"] - rows["dx"], y=far["y"] - rows["dy"])
    people = study.target.subset(places["image_id"].unique())
    each = [scored(matched(study, of, people=people).joints) for _, of in rows.groupby(rows["frame"] % HELD)]
    return 100 * float(pd.concat(each)["correct"].mean())


def analyse(run: Run, file: Path, folder: Path) -> None:
    """DeepLabCut's own way, on the project of a run of its PyTorch engine."""
    import deeplabcut

    import monkey_transfer.networks.pytorch.parts  # noqa: F401  # what the project's network is made of

    config = str(run.folder / "deeplabcut" / "config.yaml")
    deeplabcut.analyze_videos(config, [str(file)], destfolder=str(folder), shuffle=1)


def main(profile: str = "lsp", arm: str = "benchmark", images: str | None = None) -> None:
    study = open_study(profile)
    run = study.finished_run(arm, study.profile.seeds[0], int(images) if images else None)
    sides = study.test_people.images.set_index("image_id")[["width", "height"]].max(axis=1)
    ids = sides.index[sides + STEP * HELD <= min(FRAMES.values())][:PEOPLE].tolist()
    people = study.target.subset(ids)
    crops = run.predictions()[lambda table: table["image_id"].isin(ids)]
    known = 100 * float(scored(matched(study, crops, people=people).joints)["correct"].mean())
    kind = "rendered" if study.rendered else "photographs"
    print(f"{run} of profile {profile} ({kind}), {len(ids)} test people, {SCORE_TITLE[study.profile.yardstick]}")
    print(f"crops around labelled boxes: {known:.1f} %")
    lost = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for width in FRAMES:
            file = folder / f"{width}.avi"
            places = film(study, ids, width, file)
            with contextlib.redirect_stdout(io.StringIO()):
                found = watch(study, run, file, folder / "watched")
            score = found_in(study, run, found.poses, places)
            lost.append(known - score)
            ways = ", ".join(f"{number} {way}" for way, number in found.people["found_by"].value_counts().items())
            print(
                f"frames of {width} x {FRAMES[width]}: {score:.1f} % ({score - known:+.1f}); found by: {ways}",
                flush=True,
            )
        file, frames = folder / "640.avi", len(ids) * HELD
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            turns = [
                (
                    seconds(watch, study, run, file, folder / "watched"),
                    seconds(analyse, run, file, Path(tempfile.mkdtemp(dir=folder))),
                )
                for _ in range(TURNS)
            ]
    ours, theirs = (frames / median(of) for of in zip(*turns, strict=True))
    print(f"frames a second at 640: ours {ours:.1f}, analyze_videos {theirs:.1f} (whole frames)")
    print(f"loss of at most {max(lost):.1f} points; {min(b / a for a, b in turns):.2f} times the frames a second")


if __name__ == "__main__":
    main(*sys.argv[1:])
