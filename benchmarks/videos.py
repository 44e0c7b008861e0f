"""``python -m benchmarks.videos [PROFILE ARM IMAGES]``: people in the frames of videos, as in crops, and how fast.

The test people of a study whose runs are there (``make study``) are put into frames of 320, 640 and 1920 pixels, on
noise: each drifts through some frames, and is followed by so many without anybody that the next one has to be found
anew. A finished run's network watches them. Its PCK is set beside that of the same run on the crops around the
labelled boxes, which a video does not have; the interval of the difference is a bootstrap over people. It also watches
stills of what is beside people in their pictures, where it should find nobody but others who stand there. Then ours and
DeepLabCut's ``analyze_videos`` take turns on the same network and one person who drifts through 640 pixels: DeepLabCut
gives the network whole frames, one look each, ours cuts each frame out, and more than once where the person moves; the
start of either is timed as well. The last line is the largest loss, in points, and the smallest ratio of frames a
second.
"""

import contextlib
import io
import math
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
from monkey_transfer.metrics.bootstrap import resampled_weights
from monkey_transfer.metrics.pckh import SCORE_TITLE, scored
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.watching import watch
from monkey_transfer.videos.following import NOBODY

FRAMES = {320: 320, 640: 480, 1920: 1080}  # width -> height
# Nobody is in as many frames as are held together: of fewer each would cost more searches. Somebody is in more, since
# who comes and goes among those that are held may be missed.
PEOPLE, HELD, EMPTY, STEP = 40, 20, 16, 2
BESIDE, SMALLEST, STILL = 30, 90, 320
TURNS, LONG = 3, 240
RATE = 25


def film(study: Study, ids: list[str], size: tuple[int, int], held: int, empty: int, file: Path) -> pd.DataFrame:
    """Write a video of these people, each there for ``held`` frames; returns frame, image_id and where the picture's
    corner is: dx, dy."""
    rng, (width, height), rows = np.random.default_rng(0), size, []
    writer = _writer(file, size)
    for person, row in enumerate(study.target.subset(ids).images.itertuples()):
        picture = read_picture(row.path, (row.width, row.height))
        ground = _noise(rng, size)
        left, top = (int(rng.integers(0, side - own + 1)) for side, own in ((width, row.width), (height, row.height)))
        for step in range(held + empty):
            frame = ground.copy()
            if step < held:
                x = _to_and_fro(left + STEP * step, width - row.width)
                frame[top : top + row.height, x : x + row.width] = picture
                rows.append((person * (held + empty) + step, row.image_id, x, top))
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return pd.DataFrame(rows, columns=["frame", "image_id", "dx", "dy"])


def film_beside(study: Study, file: Path) -> int:
    """Write a video of stills of what is beside people, the largest squares, :data:`EMPTY` frames each and then as many
    of noise; returns how many."""
    stills = []
    for row in study.test_people.images.itertuples():
        x, y = max(0, math.floor(row.bbox_x)), max(0, math.floor(row.bbox_y))
        right, below = math.ceil(row.bbox_x + row.bbox_w), math.ceil(row.bbox_y + row.bbox_h)
        picture = read_picture(row.path, (row.width, row.height))
        beside = max(
            (picture[:, :x], picture[:, right:], picture[:y], picture[below:]), key=lambda part: min(part.shape[:2])
        )
        if (side := min(beside.shape[:2])) >= SMALLEST:
            stills.append(cv2.resize(beside[:side, :side], (STILL, STILL)))
        if len(stills) == BESIDE:
            break
    writer = _writer(file, (STILL, STILL))
    noise = _noise(np.random.default_rng(0), (STILL, STILL))
    for still in stills:
        for frame in [still] * EMPTY + [noise] * EMPTY:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return len(stills)


def _writer(file: Path, size: tuple[int, int]) -> cv2.VideoWriter:
    """What writes frames of that width and height, as little compressed as it can."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), RATE, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    return writer


def _noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return cv2.GaussianBlur(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8), (0, 0), 3)


def _to_and_fro(place: int, most: int) -> int:
    """A place between 0 and ``most``, back where it would be beyond."""
    return most - abs(place % (2 * most) - most) if most else 0


def correct(joints: pd.DataFrame) -> pd.DataFrame:
    """By image_id, how many scored joints are correct and how many there are."""
    return joints.groupby("image_id")["correct"].agg(["sum", "count"])


def found_in(study: Study, run: Run, poses: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """By image_id, joints :func:`correct` in the frames of that person; those of a frame without anybody are missed."""
    names = skeletons.mapping(study.skeleton(run.arm), study.target.skeleton)
    rows = poses[poses["keypoint"].isin(names)].merge(places, on="frame")
    far = rows[["x", "y"]].fillna(1e6)
    rows = rows.assign(keypoint=rows["keypoint"].map(names), x=far["x"] - rows["dx"], y=far["y"] - rows["dy"])
    people = study.target.subset(places["image_id"].unique())
    each = [scored(matched(study, of, people=people).joints) for _, of in rows.groupby(rows["frame"] % (HELD + EMPTY))]
    return correct(pd.concat(each))


def in_percent(of: pd.DataFrame, weights: np.ndarray | int = 1) -> np.ndarray:
    """PCK of people counted so many times, one number for each row of weights."""
    return 100 * (weights * of["sum"].to_numpy()).sum(axis=-1) / (weights * of["count"].to_numpy()).sum(axis=-1)


def difference(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """PCK of one minus the other's, with its interval."""
    weights = np.concatenate(list(resampled_weights(len(one), 2000, seed=0)))
    low, high = np.quantile(in_percent(one, weights) - in_percent(other.loc[one.index], weights), [0.025, 0.975])
    return f"{in_percent(one) - in_percent(other):+.1f} [{low:+.1f}, {high:+.1f}]"


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
    ids = sides.index[sides <= min(FRAMES.values())][:PEOPLE].tolist()
    people = study.target.subset(ids)
    crops = run.predictions()[lambda table: table["image_id"].isin(ids)]
    known = correct(scored(matched(study, crops, people=people).joints))
    kind = "rendered" if study.rendered else "photographs"
    print(f"{run} of profile {profile} ({kind}), {len(known)} test people, {SCORE_TITLE[study.profile.yardstick]}")
    print(f"crops around labelled boxes: {in_percent(known):.1f} %")
    lost = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for size in FRAMES.items():
            file = folder / f"{size[0]}.avi"
            places = film(study, ids, size, HELD, EMPTY, file)
            with contextlib.redirect_stdout(io.StringIO()):
                found = watch(study, run, file, folder / "watched")
            score = found_in(study, run, found.poses, places)
            lost.append(in_percent(known) - in_percent(score))
            there = found.people["frame"].isin(places["frame"])
            ways = ", ".join(
                f"{number} {way}" for way, number in found.people.loc[there, "found_by"].value_counts().items()
            )
            invented = (found.people.loc[~there, "found_by"] != NOBODY).mean()
            print(
                f"frames of {size[0]} x {size[1]}: {in_percent(score):.1f} %, {difference(score, known)} points; found "
                f"by: {ways}; somebody in {100 * invented:.1f} % of the frames without anybody",
                flush=True,
            )
        stills = film_beside(study, folder / "beside.avi")
        if stills:
            with contextlib.redirect_stdout(io.StringIO()):
                found = watch(study, run, folder / "beside.avi", folder / "watched")
            somebody = (found.people["found_by"] != NOBODY).groupby(found.people["frame"] // (2 * EMPTY)).any().sum()
            print(f"stills of what is beside people: somebody in {somebody} of {stills}", flush=True)
        file = folder / "long.avi"
        film(study, ids[:1], (640, FRAMES[640]), LONG, 0, file)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            turns = [
                (
                    seconds(watch, study, run, file, folder / "watched"),
                    seconds(analyse, run, file, Path(tempfile.mkdtemp(dir=folder))),
                )
                for _ in range(TURNS)
            ]
    ours, theirs = (LONG / median(of) for of in zip(*turns, strict=True))
    print(f"frames a second at 640: ours {ours:.1f}, analyze_videos {theirs:.1f} (whole frames)")
    print(f"loss of at most {max(lost):.1f} points; {min(b / a for a, b in turns):.2f} times the frames a second")


if __name__ == "__main__":
    main(*sys.argv[1:])
