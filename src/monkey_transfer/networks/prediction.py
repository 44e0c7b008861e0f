"""Prediction in batches of pictures of equal size, the same for every engine."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from monkey_transfer.images import picture_size, read_picture
from monkey_transfer.progress import Report

# Bounds the memory of a batch: 32 pictures of 192 x 192, or one of 1280 x 720.
_PIXELS_IN_A_BATCH = 32 * 192 * 192
_BATCH = 32
# While one is read, another is computed; two cores are also busier with two batches than with the parts of one.
_BATCHES_AT_ONCE = 2


def predictions_of(
    pictures: pd.DataFrame, keypoints: Sequence[str], poses: Callable[[np.ndarray], np.ndarray], report: Report
) -> pd.DataFrame:
    """Predictions table (image_id, keypoint, x, y, likelihood) in network pixels, in the order of the pictures.

    Parameters
    ----------
    pictures : image_id and path; those of equal size go through the network together.
    poses : from n RGB pictures (n, h, w, 3) to (n, keypoints, 3): x, y (pixel centres), likelihood. Called from several
        threads.
    report : called as ``report(pictures done, pictures)`` now and then.
    """
    paths = [Path(path) for path in pictures["path"]]
    batches = list(batches_of_equal_size([picture_size(path) for path in paths]))

    def poses_of(indices: list[int]) -> np.ndarray:
        return poses(np.stack([read_picture(paths[i]) for i in indices]))

    found, done = np.empty((len(paths), len(keypoints), 3)), 0
    with ThreadPoolExecutor(_BATCHES_AT_ONCE) as pool:
        for indices, of_batch in zip(batches, pool.map(poses_of, batches), strict=True):
            found[indices] = of_batch
            done += len(indices)
            report(done, len(paths))
    table = pd.DataFrame(found.reshape(-1, 3), columns=["x", "y", "likelihood"])
    table.insert(0, "image_id", np.repeat(pictures["image_id"].to_numpy(object), len(keypoints)))
    table.insert(1, "keypoint", np.tile(np.asarray(keypoints, dtype=object), len(paths)))
    return table


def batches_of_equal_size(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Indices of pictures in batches in which all have one (width, height), none with too many pixels."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(sizes):
        by_size.setdefault(size, []).append(index)
    for (width, height), indices in by_size.items():
        length = max(1, min(_BATCH, _PIXELS_IN_A_BATCH // (width * height)))
        for first in range(0, len(indices), length):
            yield indices[first : first + length]
