"""Rendered people as files, and networks for their joints: what the benchmarks learn and predict."""

from pathlib import Path

import pandas as pd

from monkey_transfer.images import write_picture
from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.job import Job
from monkey_transfer.rendered import render
from monkey_transfer.skeletons import MPII_16


def people(folder: Path, size: int, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``count`` people of ``size`` pixels: pictures (image_id, path) and joints (image_id, keypoint, x, y)."""
    pictures, joints = [], []
    for i in range(count):
        path, rendered = folder / f"person{i:03d}.png", render("human", seed=0, index=i, size=size)
        write_picture(path, rendered.image)
        pictures.append((path.stem, str(path)))
        inside = ((rendered.joints >= 0) & (rendered.joints <= size - 1)).all(axis=1)
        joints += [
            (path.stem, keypoint, *position)
            for keypoint, position, within in zip(MPII_16.keypoints, rendered.joints, inside, strict=True)
            if within
        ]
    return (
        pd.DataFrame(pictures, columns=["image_id", "path"]),
        pd.DataFrame(joints, columns=["image_id", "keypoint", "x", "y"]),
    )


def job_of(training: Training) -> Job:
    """A network with random weights for the joints of MPII."""
    return Job(
        name="benchmark",
        keypoints=MPII_16.keypoints,
        pairs=MPII_16.pairs,
        training=training,
        checkpoint=None,
        heads=(None,) * len(MPII_16.keypoints),
        seed=0,
    )
